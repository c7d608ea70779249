#include "hil_tile_dsp_s8.h"

#include "hil_dsp.h"

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)

/* One instruction to a line. */
/* clang-format off */

/*
 * r0 column  r1 stream  r2 end of the columns  r3-r5 a pair of each column  r6 r7 weights
 * r8-r10 sums 256 SA + SB of the three columns   r11 r12 lr sums SB
 * sp: start of the columns, the output, its step, where the loop is entered
 */

/* Four values: 24 multiplications in 17 instructions. */
#define STEP \
  "ldmia r1!, {r6, r7}\n" \
  "ldmia r0!, {r3, r4, r5}\n" \
  HALF_STEP("r6") \
  "ldmia r0!, {r3, r4, r5}\n" \
  HALF_STEP("r7")

#define HALF_STEP(weights) \
  "smlad r8, r3, " weights ", r8\n" \
  "smlad r9, r4, " weights ", r9\n" \
  "smlad r10, r5, " weights ", r10\n" \
  "sxtb16 " weights ", " weights "\n" \
  "smlad r11, r3, " weights ", r11\n" \
  "smlad r12, r4, " weights ", r12\n" \
  "smlad lr, r5, " weights ", lr\n"

/* The same for weights that are not packed: r2 four of A, r6 four of B, r7 two of either.  19 instructions. */
#define WIDE_STEP \
  "ldmia r1!, {r2, r6}\n" \
  "ldmia r0!, {r3, r4, r5}\n" \
  "sxtb16 r7, r2\n" \
  WIDE_PART("r7", "r8", "r9", "r10") \
  "sxtb16 r7, r6\n" \
  WIDE_PART("r7", "r11", "r12", "lr") \
  "ldmia r0!, {r3, r4, r5}\n" \
  "sxtb16 r2, r2, ror #8\n" \
  WIDE_PART("r2", "r8", "r9", "r10") \
  "sxtb16 r6, r6, ror #8\n" \
  WIDE_PART("r6", "r11", "r12", "lr")

#define WIDE_PART(weights, sum0, sum1, sum2) \
  "smlad " sum0 ", r3, " weights ", " sum0 "\n" \
  "smlad " sum1 ", r4, " weights ", " sum1 "\n" \
  "smlad " sum2 ", r5, " weights ", " sum2 "\n"

/* `enter` goes to the first step of a pair of channels; `entries` are what it needs; `at_end` compares r0 with the
 * end of the columns, which is in r2 and at sp + 16. */
#define SUMS(name, entries, enter, step, at_end) \
  "push {r4-r11, lr}\n" \
  "sub sp, sp, #20\n" \
  "strd r2, r3, [sp, #4]\n" \
  "str r0, [sp]\n" \
  "ldrd r2, r4, [r1]\n" /* stream, depth */ \
  entries \
  "mov r1, r2\n" \
  "add r2, r4, r4, lsl #1\n" \
  "add r2, r0, r2, lsl #1\n" /* six bytes a value */ \
  "str r2, [sp, #16]\n" \
  "1:\n" \
  "ldmia r1!, {r8, r11}\n" \
  "mov r9, r8\n" \
  "mov r10, r8\n" \
  "mov r12, r11\n" \
  "mov lr, r11\n" \
  enter \
  ".L" name "_4:\n" \
  step \
  ".L" name "_3:\n" \
  step \
  ".L" name "_2:\n" \
  step \
  ".L" name "_1:\n" \
  step \
  at_end \
  "bne .L" name "_4\n" \
  "ldmia r1!, {r3, r4, r5, r6, r7}\n" /* multiplier and addend of A, of B, shifts */

/* The loop has four steps; where depth / 4 is no multiple of that, its first turn leaves out some. */
#define ENTRIES(name) \
  "ubfx r5, r4, #2, #2\n" \
  "adr r3, 9f\n" \
  "ldr r5, [r3, r5, lsl #2]\n" \
  "str r5, [sp, #12]\n" \
  "b 8f\n" \
  ".balign 4\n" \
  "9: .word .L" name "_4 + 1, .L" name "_1 + 1, .L" name "_2 + 1, .L" name "_3 + 1\n" \
  "8:\n"
#define ENTER "ldr pc, [sp, #12]\n"

#define AT_END "cmp r0, r2\n"
#define WIDE_AT_END \
  "ldr r7, [sp, #16]\n" \
  "cmp r0, r7\n"

/* The last pair of channels is marked by the sign of its shifts. */
#define SHIFTS_OF_B "asrs r7, r7, #8\n"

/* Both channels of a pixel, side by side; and on to the next pair of channels. */
#define STORES \
  "ldmia sp, {r0, r3, r4}\n" /* columns, output, step */ \
  "bfi r8, r11, #8, #8\n" \
  "bfi r9, r12, #8, #8\n" \
  "bfi r10, lr, #8, #8\n" \
  "strh r8, [r3]\n" \
  "strh r9, [r3, r4]\n" \
  "strh r10, [r3, r4, lsl #1]\n" \
  "add r3, r3, #2\n" \
  "str r3, [sp, #4]\n" \
  "bpl 1b\n" \
  "add sp, sp, #20\n" \
  "pop {r4-r11, pc}\n"

#define RECTIFIED_A(sum, sum_b) \
  "sub " sum ", " sum ", " sum_b "\n" \
  "smmla " sum ", " sum ", r3, r4\n" \
  "asr " sum ", " sum ", r7\n" \
  "ssat " sum ", #8, " sum "\n"

#define RECTIFIED_B(sum) \
  "lsl " sum ", " sum ", r7\n" \
  "smmla " sum ", " sum ", r5, r6\n" \
  "ssat " sum ", #8, " sum ", asr #14\n"

/* Half of 2^preshift less in the addend where the sum is negative; `half` is preshift - 1. */
#define SIGNED(sum, multiplier, addend, half) \
  "asr r0, " sum ", #31\n" \
  "add r0, " addend ", r0, lsl #" half "\n" \
  "smmla " sum ", " sum ", " multiplier ", r0\n" \
  "asr " sum ", " sum ", r7\n" \
  "ssat " sum ", #8, " sum "\n"

#define SIGNED_A(sum, sum_b) "sub " sum ", " sum ", " sum_b "\n" SIGNED(sum, "r3", "r4", "7")
#define SIGNED_B(sum)        "lsl " sum ", " sum ", #8\n" SIGNED(sum, "r5", "r6", "7")
#define WIDE_A(sum)          "lsl " sum ", " sum ", #4\n" SIGNED(sum, "r3", "r4", "3")
#define WIDE_B(sum)          "lsl " sum ", " sum ", #4\n" SIGNED(sum, "r5", "r6", "3")

#define RECTIFIED \
  RECTIFIED_A("r8", "r11") \
  RECTIFIED_A("r9", "r12") \
  RECTIFIED_A("r10", "lr") \
  SHIFTS_OF_B \
  RECTIFIED_B("r11") \
  RECTIFIED_B("r12") \
  RECTIFIED_B("lr") \
  STORES

#define SIGNED_OUTPUTS \
  SIGNED_A("r8", "r11") \
  SIGNED_A("r9", "r12") \
  SIGNED_A("r10", "lr") \
  SHIFTS_OF_B \
  SIGNED_B("r11") \
  SIGNED_B("r12") \
  SIGNED_B("lr") \
  STORES

#define WIDE_OUTPUTS \
  WIDE_A("r8") \
  WIDE_A("r9") \
  WIDE_A("r10") \
  SHIFTS_OF_B \
  WIDE_B("r11") \
  WIDE_B("r12") \
  WIDE_B("lr") \
  STORES

#define NAKED_TILE(name)                                                                                    \
  __attribute__((naked)) void name(                                                                         \
      const uint32_t *columns __attribute__((unused)), const hil_tile_layer *layer __attribute__((unused)), \
      int8_t *output __attribute__((unused)), int32_t step __attribute__((unused)))

NAKED_TILE(hil_tile_rectified_dsp_s8) {
  __asm__(SUMS("rectified", ENTRIES("rectified"), ENTER, STEP, AT_END) RECTIFIED);
}

NAKED_TILE(hil_tile_rectified_by_16_dsp_s8) {
  __asm__(SUMS("by_16", "", "", STEP, AT_END) RECTIFIED);
}

NAKED_TILE(hil_tile_signed_dsp_s8) {
  __asm__(SUMS("signed", ENTRIES("signed"), ENTER, STEP, AT_END) SIGNED_OUTPUTS);
}

NAKED_TILE(hil_tile_wide_dsp_s8) {
  __asm__(SUMS("wide", ENTRIES("wide"), ENTER, WIDE_STEP, WIDE_AT_END) WIDE_OUTPUTS);
}

#define EXPAND \
  "ldr r4, [r0], #4\n" \
  "ldr r5, [r1], #4\n" \
  "ldr r6, [r2], #4\n" \
  "sxtb16 r7, r4, ror #8\n" \
  "sxtb16 r8, r5, ror #8\n" \
  "sxtb16 r9, r6, ror #8\n" \
  "sxtb16 r4, r4\n" \
  "sxtb16 r5, r5\n" \
  "sxtb16 r6, r6\n" \
  "stmia r3!, {r4-r9}\n"

__attribute__((naked)) uint32_t *hil_expand_columns_dsp_s8(const int8_t *a __attribute__((unused)),
                                                           const int8_t *b __attribute__((unused)),
                                                           const int8_t *c __attribute__((unused)),
                                                           uint32_t *columns __attribute__((unused)),
                                                           int32_t words __attribute__((unused))) {
  __asm__(
      "ldr r12, [sp]\n" /* (words + 1) / 2 rounds; an odd number of words enters in the middle */
      "push {r4-r9}\n"
      "add r12, r12, #1\n"
      "lsrs r12, r12, #1\n"
      "bcc 2f\n"
      "1:\n" EXPAND "2:\n" EXPAND
      "subs r12, r12, #1\n"
      "bne 1b\n"
      "mov r0, r3\n"
      "pop {r4-r9}\n"
      "bx lr\n");
}

/* clang-format on */

#else

static int8_t signed_output(int32_t sum, int32_t multiplier, int32_t addend, int32_t shift) {
  return (int8_t)hil_saturate_s8(hil_smmla(sum, multiplier, addend + (sum >> 31) * 128) >> shift);
}

/* One column by one pair of channels. */
static void sums(const uint32_t *columns, const int32_t *stream, int32_t depth, int32_t *sum_a,
                 int32_t *sum_b) {
  int32_t both = *stream++;
  int32_t low = *stream++;
  for (int32_t k = 0; k < depth; k += 2) {
    both = hil_smlad(*columns, (uint32_t)*stream, both);
    low = hil_smlad(*columns, hil_sxtb16((uint32_t)*stream), low);
    columns += HIL_TILE_COLUMNS;
    ++stream;
  }
  *sum_a = (int32_t)((uint32_t)both - (uint32_t)low); /* times 256 */
  *sum_b = low;
}

void hil_tile_rectified_dsp_s8(const uint32_t *columns, const hil_tile_layer *layer, int8_t *output,
                               int32_t step) {
  const int32_t *stream = layer->stream;
  const int32_t *scale;
  do {
    scale = stream + 2 + layer->depth / 2;
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      int32_t a;
      int32_t b;
      sums(columns + column, stream, layer->depth, &a, &b);
      const int32_t shifted = (int32_t)((uint32_t)b << ((scale[4] >> 8) & 0xff));
      output[column * step] = (int8_t)hil_saturate_s8(hil_smmla(a, scale[0], scale[1]) >> (scale[4] & 0xff));
      output[column * step + 1] = (int8_t)hil_saturate_s8(hil_smmla(shifted, scale[2], scale[3]) >> 14);
    }
    stream = scale + 5;
    output += 2;
  } while (scale[4] >= 0);
}

void hil_tile_rectified_by_16_dsp_s8(const uint32_t *columns, const hil_tile_layer *layer, int8_t *output,
                                     int32_t step) {
  hil_tile_rectified_dsp_s8(columns, layer, output, step);
}

void hil_tile_signed_dsp_s8(const uint32_t *columns, const hil_tile_layer *layer, int8_t *output,
                            int32_t step) {
  const int32_t *stream = layer->stream;
  const int32_t *scale;
  do {
    scale = stream + 2 + layer->depth / 2;
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      int32_t a;
      int32_t b;
      sums(columns + column, stream, layer->depth, &a, &b);
      b = (int32_t)((uint32_t)b << 8);
      output[column * step] = signed_output(a, scale[0], scale[1], scale[4] & 0xff);
      output[column * step + 1] = signed_output(b, scale[2], scale[3], (scale[4] >> 8) & 0xff);
    }
    stream = scale + 5;
    output += 2;
  } while (scale[4] >= 0);
}

void hil_tile_wide_dsp_s8(const uint32_t *columns, const hil_tile_layer *layer, int8_t *output,
                          int32_t step) {
  const int32_t *stream = layer->stream;
  const int32_t *scale;
  do {
    scale = stream + 2 + layer->depth / 2;
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      uint32_t sum[2] = {(uint32_t)stream[0], (uint32_t)stream[1]};
      for (int32_t k = 0; k < layer->depth / 2; ++k) {
        const uint32_t weights = (uint32_t)stream[2 + k];
        const uint32_t *const pair = columns + column + (k & ~1) * HIL_TILE_COLUMNS;
        sum[k & 1] = (uint32_t)hil_smlad(pair[0], hil_sxtb16(weights), (int32_t)sum[k & 1]);
        sum[k & 1] =
            (uint32_t)hil_smlad(pair[HIL_TILE_COLUMNS], hil_sxtb16_odd(weights), (int32_t)sum[k & 1]);
      }
      for (int32_t channel = 0; channel < 2; ++channel) {
        const int32_t shifted = (int32_t)(sum[channel] << 4);
        const int32_t addend = scale[2 * channel + 1] + (shifted >> 31) * 8;
        const int32_t product = hil_smmla(shifted, scale[2 * channel], addend);
        output[column * step + channel] =
            (int8_t)hil_saturate_s8(product >> ((scale[4] >> (8 * channel)) & 0xff));
      }
    }
    stream = scale + 5;
    output += 2;
  } while (scale[4] >= 0);
}

uint32_t *hil_expand_columns_dsp_s8(const int8_t *a, const int8_t *b, const int8_t *c, uint32_t *columns,
                                    int32_t words) {
  for (int32_t word = 0; word < words; ++word) {
    const uint32_t bytes[HIL_TILE_COLUMNS] = {hil_load_word(a + 4 * word), hil_load_word(b + 4 * word),
                                              hil_load_word(c + 4 * word)};
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      columns[column] = hil_sxtb16(bytes[column]);
      columns[HIL_TILE_COLUMNS + column] = hil_sxtb16_odd(bytes[column]);
    }
    columns += 2 * HIL_TILE_COLUMNS;
  }
  return columns;
}

#endif
