#include "hil_winograd_dsp_s8.h"

#include "hil_dsp.h"

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)

/* One instruction to a line. */
/* clang-format off */

/* into = one + other, other = one - other; then `one` is free for the next sum. */
#define BUTTERFLY(into, one, other) \
  "sadd16 " into ", " one ", " other "\n" \
  "ssub16 " other ", " one ", " other "\n"

/*
 * r0 pixels  r1 row_bytes  r2 channels  r3 a row of four positions  r12 bytes of a position
 * r4-r7, r8-r11 one row of d, another one   sp: end of the first row of pixels
 */
#define LOAD_ROW(at, a, b, c, d, rotation) \
  "ldr " a ", [" at "]\n" \
  "ldr " b ", [" at ", r2]\n" \
  "ldr " c ", [" at ", r2, lsl #1]\n" \
  "add lr, " at ", r2\n" \
  "ldr " d ", [lr, r2, lsl #1]\n" \
  "sxtb16 " a ", " a rotation "\n" \
  "sxtb16 " b ", " b rotation "\n" \
  "sxtb16 " c ", " c rotation "\n" \
  "sxtb16 " d ", " d rotation "\n"

/* A row of B^T d, times B; its registers are used up. */
#define INPUT_ROW(a, b, c, d) \
  "ssub16 " a ", " a ", " c "\n" \
  "ssub16 " d ", " b ", " d "\n" \
  "str " a ", [r3]\n" \
  "sadd16 " a ", " b ", " c "\n" \
  "ssub16 " c ", " c ", " b "\n" \
  "str " a ", [r3, r12]\n" \
  "str " c ", [r3, r12, lsl #1]\n" \
  "add r3, r3, r12\n" \
  "str " d ", [r3, r12, lsl #1]\n"

#define NEXT_INPUT_ROW "add r3, r3, r12\nadd r3, r3, r12, lsl #1\n"

#define INPUT_PAIR(rotation) \
  LOAD_ROW("r0", "r4", "r5", "r6", "r7", rotation) \
  "add lr, r0, r1, lsl #1\n" \
  LOAD_ROW("lr", "r8", "r9", "r10", "r11", rotation) \
  "ssub16 r4, r4, r8\n" \
  "ssub16 r5, r5, r9\n" \
  "ssub16 r6, r6, r10\n" \
  "ssub16 r7, r7, r11\n" \
  INPUT_ROW("r4", "r5", "r6", "r7") \
  NEXT_INPUT_ROW \
  "add lr, r0, r1\n" \
  LOAD_ROW("lr", "r4", "r5", "r6", "r7", rotation) \
  BUTTERFLY("lr", "r8", "r4") \
  BUTTERFLY("r8", "r9", "r5") \
  BUTTERFLY("r9", "r10", "r6") \
  BUTTERFLY("r10", "r11", "r7") \
  INPUT_ROW("lr", "r8", "r9", "r10") \
  NEXT_INPUT_ROW \
  INPUT_ROW("r4", "r5", "r6", "r7") \
  NEXT_INPUT_ROW \
  "add lr, r0, r1\n" \
  LOAD_ROW("lr", "r4", "r5", "r6", "r7", rotation) \
  "add lr, r0, r1\n" \
  "add lr, lr, r1, lsl #1\n" \
  LOAD_ROW("lr", "r8", "r9", "r10", "r11", rotation) \
  "ssub16 r4, r4, r8\n" \
  "ssub16 r5, r5, r9\n" \
  "ssub16 r6, r6, r10\n" \
  "ssub16 r7, r7, r11\n" \
  INPUT_ROW("r4", "r5", "r6", "r7") \
  "sub r3, r3, r12, lsl #4\n" \
  "add r3, r3, r12, lsl #1\n" \
  "add r3, r3, r12\n" \
  "add r3, r3, #12\n"

__attribute__((naked)) void hil_winograd_inputs_dsp_s8(const int8_t *pixels __attribute__((unused)),
                                                       int32_t row_bytes __attribute__((unused)),
                                                       int32_t channels __attribute__((unused)),
                                                       int32_t depth __attribute__((unused)),
                                                       uint32_t *transformed __attribute__((unused))) {
  __asm__(
      "ldr r12, [sp]\n"
      "push {r4-r11, lr}\n"
      "sub sp, sp, #4\n"
      "add r4, r0, r2\n"
      "str r4, [sp]\n"
      "add r4, r3, r3, lsl #1\n"
      "mov r3, r12\n"
      "lsl r12, r4, #1\n" /* six bytes a channel */
      "1:\n" INPUT_PAIR("") INPUT_PAIR(", ror #8")
      "add r0, r0, #4\n"
      "ldr r4, [sp]\n"
      "cmp r0, r4\n"
      "bne 1b\n"
      "add sp, sp, #4\n"
      "pop {r4-r11, pc}\n");
}

/*
 * r0 weights  r1 a row of four positions  r2 r3 bytes of one position, of three
 * r4-r6, r7-r9, r10-r12 the rows of the kernel  sp: end of the weights
 */

/* A row of G' g, times G'^T; its registers are used up. */
#define WEIGHT_ROW(a, b, c) \
  "str " a ", [r1]\n" \
  "str " c ", [r1, r3]\n" \
  "sadd16 " a ", " a ", " c "\n" \
  "sadd16 " c ", " a ", " b "\n" \
  "ssub16 " a ", " a ", " b "\n" \
  "str " c ", [r1, r2]\n" \
  "str " a ", [r1, r2, lsl #1]\n"

#define NEXT_ROW "add r1, r1, r2, lsl #2\n"

#define EXPAND_ROW(a, b, c, rotation) \
  "ldmia r0!, {" a ", " b ", " c "}\n" \
  "sxtb16 " a ", " a rotation "\n" \
  "sxtb16 " b ", " b rotation "\n" \
  "sxtb16 " c ", " c rotation "\n"

#define WEIGHT_PAIR(rotation) \
  EXPAND_ROW("r4", "r5", "r6", rotation) \
  "str r4, [r1]\n" \
  "str r6, [r1, r3]\n" \
  "sadd16 r7, r4, r6\n" \
  "sadd16 r8, r7, r5\n" \
  "ssub16 r7, r7, r5\n" \
  "str r8, [r1, r2]\n" \
  "str r7, [r1, r2, lsl #1]\n" \
  NEXT_ROW \
  EXPAND_ROW("r7", "r8", "r9", rotation) \
  "sadd16 r4, r4, r7\n" \
  "sadd16 r5, r5, r8\n" \
  "sadd16 r6, r6, r9\n" \
  EXPAND_ROW("r10", "r11", "r12", rotation) \
  BUTTERFLY("lr", "r4", "r10") \
  BUTTERFLY("r4", "r5", "r11") \
  BUTTERFLY("r5", "r6", "r12") \
  WEIGHT_ROW("lr", "r4", "r5") \
  NEXT_ROW \
  WEIGHT_ROW("r10", "r11", "r12") \
  NEXT_ROW \
  WEIGHT_ROW("r7", "r8", "r9") \
  "sub r1, r1, r3, lsl #2\n" \
  "add r1, r1, #8\n"

__attribute__((naked)) void hil_winograd_weights_dsp_s8(const int32_t *weights __attribute__((unused)),
                                                        int32_t depth __attribute__((unused)),
                                                        uint32_t *transformed __attribute__((unused))) {
  __asm__(
      "push {r4-r11, lr}\n"
      "sub sp, sp, #4\n"
      "add r3, r1, r1, lsl #3\n"
      "add r3, r0, r3\n" /* nine bytes a channel */
      "str r3, [sp]\n"
      "lsl r12, r1, #2\n"
      "mov r1, r2\n"
      "mov r2, r12\n"
      "add r3, r2, r2, lsl #1\n"
      "1:\n" WEIGHT_PAIR("")
      "sub r0, r0, #36\n" WEIGHT_PAIR(", ror #8")
      "ldr r4, [sp]\n"
      "cmp r0, r4\n"
      "bne 1b\n"
      "add sp, sp, #4\n"
      "pop {r4-r11, pc}\n");
}

/*
 * r0 inputs  r1 weights  r2 sums  r3-r8 the sums of one position: tile 0, 1, 2 by channel A, B
 * r9-r11 a pair of each tile  r12 lr a pair of each channel
 * sp: end of the position's weights, their bytes, end of the sums
 */
#define PRODUCTS_OF_PAIR(first) \
  "ldmia r0!, {r9, r10, r11}\n" \
  "ldmia r1!, {r12, lr}\n" \
  first("r3", "r9", "r12") \
  first("r4", "r9", "lr") \
  first("r5", "r10", "r12") \
  first("r6", "r10", "lr") \
  first("r7", "r11", "r12") \
  first("r8", "r11", "lr")
#define BEGIN(sum, a, b) "smuad " sum ", " a ", " b "\n"
#define GO_ON(sum, a, b) "smlad " sum ", " a ", " b ", " sum "\n"

#define FOUR_PAIRS \
  PRODUCTS_OF_PAIR(GO_ON) PRODUCTS_OF_PAIR(GO_ON) PRODUCTS_OF_PAIR(GO_ON) PRODUCTS_OF_PAIR(GO_ON)

/* Sixteen channels without a test; what is left is entered so that it is a multiple of sixteen. */
__attribute__((naked)) void hil_winograd_products_dsp_s8(const uint32_t *inputs __attribute__((unused)),
                                                         const uint32_t *weights __attribute__((unused)),
                                                         int32_t *sums __attribute__((unused)),
                                                         int32_t depth __attribute__((unused))) {
  __asm__(
      "push {r4-r11, lr}\n"
      "adr r4, 4f\n"
      "cmp r3, #16\n"
      "beq 1f\n"
      "adr r4, 2f\n"
      "tst r3, #8\n"
      "it ne\n"
      "adrne r4, 3f\n"
      "1:\n"
      "orr r5, r4, #1\n"
      "lsl r3, r3, #2\n"
      "add r4, r1, r3\n"
      "add r6, r2, #384\n"
      "push {r3, r4, r5, r6}\n" /* bytes of a position, end of this one; where to go on; end of the sums */
      "1:\n" PRODUCTS_OF_PAIR(BEGIN) PRODUCTS_OF_PAIR(GO_ON) PRODUCTS_OF_PAIR(GO_ON) PRODUCTS_OF_PAIR(GO_ON)
          FOUR_PAIRS
      "ldr pc, [sp, #8]\n"
      ".balign 4\n"
      "2:\n" FOUR_PAIRS
      ".balign 4\n"
      "3:\n" FOUR_PAIRS
      "ldrd r9, r10, [sp]\n"
      "cmp r1, r10\n"
      "bne 2b\n"
      "add r10, r10, r9\n"
      "str r10, [sp, #4]\n"
      ".balign 4\n"
      "4:\n"
      "ldr r9, [sp, #12]\n"
      "stmia r2!, {r3-r8}\n"
      "cmp r2, r9\n"
      "bne 1b\n"
      "add sp, sp, #16\n"
      "pop {r4-r11, pc}\n");
}

/*
 * r0 sums  r1 scale  r2 r3 two of the sums, of channel A and B  r12 lr biases
 * r4-r7 column 1 of M, times A': upper A B, lower A B   r8-r11 column 2
 * sp: sums, scale, output, places; beyond what is pushed end of the places, is_signed
 */
#define SUMS_AT(y, x, a, b) "ldrd " a ", " b ", [r0, #24 * (4 * " y " + " x ")]\n"

#define INNER_COLUMN(x, upper_a, upper_b, lower_a, lower_b, plus_bias) \
  SUMS_AT("1", x, lower_a, lower_b) \
  SUMS_AT("2", x, "r2", "r3") \
  plus_bias \
  "add " upper_a ", " lower_a ", r2\n" \
  "add " upper_b ", " lower_b ", r3\n" \
  "sub " lower_a ", " lower_a ", r2\n" \
  "sub " lower_b ", " lower_b ", r3\n" \
  SUMS_AT("0", x, "r2", "r3") \
  "add " upper_a ", " upper_a ", r2, lsl #1\n" \
  "add " upper_b ", " upper_b ", r3, lsl #1\n" \
  SUMS_AT( "3", x, "r2", "r3") \
  "sub " lower_a ", " lower_a ", r2, lsl #1\n" \
  "sub " lower_b ", " lower_b ", r3, lsl #1\n"

/* Twice a column of M, times A', is added to (or subtracted from) outputs. */
#define OUTER_COLUMN(x, add, sub, upper_a, upper_b, lower_a, lower_b) \
  SUMS_AT("0", x, "r2", "r3") \
  add \
  " " upper_a ", " upper_a ", r2, lsl #2\n" \
  add \
  " " upper_b ", " upper_b ", r3, lsl #2\n" \
  SUMS_AT("1", x, "r2", "r3") \
  add \
  " " upper_a ", " upper_a ", r2, lsl #1\n" \
  add \
  " " upper_b ", " upper_b ", r3, lsl #1\n" \
  add \
  " " lower_a ", " lower_a ", r2, lsl #1\n" \
  add \
  " " lower_b ", " lower_b ", r3, lsl #1\n" \
  SUMS_AT("2", x, "r2", "r3") \
  add \
  " " upper_a ", " upper_a ", r2, lsl #1\n" \
  add \
  " " upper_b ", " upper_b ", r3, lsl #1\n" \
  sub \
  " " lower_a ", " lower_a ", r2, lsl #1\n" \
  sub \
  " " lower_b ", " lower_b ", r3, lsl #1\n" \
  SUMS_AT("3", x, "r2", "r3") \
  sub \
  " " lower_a ", " lower_a ", r2, lsl #2\n" \
  sub \
  " " lower_b ", " lower_b ", r3, lsl #2\n"

#define BUTTERFLY_32(into, one, other) \
  "add " into ", " one ", " other "\n" \
  "sub " other ", " one ", " other "\n"

#define RECTIFIED(sum) \
  "smmla " sum ", " sum ", r0, r2\n" \
  "asr " sum ", " sum ", r3\n" \
  "ssat " sum ", #8, " sum "\n"

/* 2 less in the addend where the sum is negative. */
#define SIGNED(sum) \
  "asr lr, " sum ", #31\n" \
  "add lr, r2, lr, lsl #1\n" \
  "smmla " sum ", " sum ", r0, lr\n" \
  "asr " sum ", " sum ", r3\n" \
  "ssat " sum ", #8, " sum "\n"

#define ALL_EIGHT(REQUANTIZE) \
  REQUANTIZE("r12") \
  REQUANTIZE("r8") \
  REQUANTIZE("r5") \
  REQUANTIZE("r10") \
  "ldmia r1!, {r0, r2, r3}\n" \
  REQUANTIZE("r4") \
  REQUANTIZE("r9") \
  REQUANTIZE("r6") \
  REQUANTIZE("r11")

__attribute__((naked)) void hil_winograd_outputs_dsp_s8(
    const int32_t *sums __attribute__((unused)), const int32_t *scale __attribute__((unused)),
    int8_t *output __attribute__((unused)), const hil_winograd_place *places __attribute__((unused)),
    int32_t count __attribute__((unused)), int32_t is_signed __attribute__((unused))) {
  __asm__(
      "push {r0-r11, lr}\n"
      "ldr r4, [sp, #52]\n"
      "add r4, r3, r4, lsl #3\n"
      "str r4, [sp, #52]\n"
      "1:\n"
      "ldrd r0, r1, [sp]\n"
      "ldmia r1!, {r12, lr}\n" /* biases */
      INNER_COLUMN("1", "r4", "r5", "r6", "r7", "add r6, r6, r12\nadd r7, r7, lr\n")
      INNER_COLUMN("2", "r8", "r9", "r10", "r11", "")
      BUTTERFLY_32("r12", "r4", "r8") BUTTERFLY_32("r4", "r5", "r9")
      BUTTERFLY_32("r5", "r6", "r10") BUTTERFLY_32("r6", "r7", "r11")
      OUTER_COLUMN("0", "add", "sub", "r12", "r4", "r5", "r6")
      OUTER_COLUMN("3", "sub", "add", "r8", "r9", "r10", "r11")
      "ldr r7, [sp, #56]\n"
      "ldmia r1!, {r0, r2, r3}\n" /* multiplier, addend, shift of A; then of B */
      "cbnz r7, 2f\n" ALL_EIGHT(RECTIFIED)
      "b 3f\n"
      "2:\n" ALL_EIGHT(SIGNED)
      "3:\n"
      "ldrd r0, r1, [sp, #8]\n"
      "ldmia r1!, {r2, r3}\n"
      "str r1, [sp, #12]\n"
      "add r0, r0, r2\n"
      "add r2, r0, r3, lsr #15\n"
      "uxth r7, r3\n"
      "bfi r10, r11, #8, #8\n"
      "strh r10, [r2, r7, lsl #1]\n"
      "bfi r5, r6, #8, #8\n"
      "strh r5, [r2]\n"
      "bfi r8, r9, #8, #8\n"
      "strh r8, [r0, r7, lsl #1]\n"
      "bfi r12, r4, #8, #8\n"
      "strh r12, [r0]\n"
      "ldr r2, [sp, #52]\n"
      "ldr r0, [sp]\n"
      "add r0, r0, #8\n"
      "str r0, [sp]\n"
      "cmp r1, r2\n"
      "bne 1b\n"
      "add sp, sp, #16\n"
      "pop {r4-r11, pc}\n");
}

/* clang-format on */

#else

/* One row of B^T d, times B, to four positions. */
static inline void store_input_row(uint32_t *to, int32_t position, uint32_t a, uint32_t b, uint32_t c,
                                   uint32_t d) {
  to[0] = hil_ssub16(a, c);
  to[position] = hil_sadd16(b, c);
  to[2 * position] = hil_ssub16(c, b);
  to[3 * position] = hil_ssub16(b, d);
}

/* A word of four channels from each of 4 x 4 pixels; the pairs are the even or the odd ones. */
static inline void transform_inputs(const int8_t *pixels, int32_t row_bytes, int32_t channels, int odd,
                                    int32_t position, uint32_t *to) {
  uint32_t t[4][4];
  for (int32_t x = 0; x < 4; ++x) {
    uint32_t d[4];
    for (int32_t y = 0; y < 4; ++y) {
      const uint32_t word = hil_load_word(pixels + y * row_bytes + x * channels);
      d[y] = odd ? hil_sxtb16_odd(word) : hil_sxtb16(word);
    }
    t[0][x] = hil_ssub16(d[0], d[2]);
    t[1][x] = hil_sadd16(d[1], d[2]);
    t[2][x] = hil_ssub16(d[2], d[1]);
    t[3][x] = hil_ssub16(d[1], d[3]);
  }
  for (int32_t y = 0; y < 4; ++y) {
    store_input_row(to + 4 * y * position, position, t[y][0], t[y][1], t[y][2], t[y][3]);
  }
}

void hil_winograd_inputs_dsp_s8(const int8_t *pixels, int32_t row_bytes, int32_t channels, int32_t depth,
                                uint32_t *transformed) {
  const int32_t position = depth / 2 * HIL_WINOGRAD_TILES;
  for (int32_t channel = 0; channel < channels; channel += 4) {
    transform_inputs(pixels + channel, row_bytes, channels, 0, position, transformed);
    transform_inputs(pixels + channel, row_bytes, channels, 1, position, transformed + HIL_WINOGRAD_TILES);
    transformed += 2 * HIL_WINOGRAD_TILES;
  }
}

/* One row of G' g, times G'^T, to four positions. */
static void store_weight_row(uint32_t *to, int32_t position, const uint32_t row[3]) {
  const uint32_t ends = hil_sadd16(row[0], row[2]);
  to[0] = row[0];
  to[position] = hil_sadd16(ends, row[1]);
  to[2 * position] = hil_ssub16(ends, row[1]);
  to[3 * position] = row[2];
}

static void transform_weights(const int32_t *words, int odd, int32_t position, uint32_t *to) {
  uint32_t row[4][3];
  for (int32_t x = 0; x < 3; ++x) {
    const uint32_t shifted[3] = {(uint32_t)words[x] >> (odd ? 8 : 0),     /* */
                                 (uint32_t)words[6 + x] >> (odd ? 8 : 0), /* */
                                 (uint32_t)words[3 + x] >> (odd ? 8 : 0)};
    const uint32_t ends = hil_sadd16(hil_sxtb16(shifted[0]), hil_sxtb16(shifted[2]));
    row[0][x] = hil_sxtb16(shifted[0]);
    row[1][x] = hil_sadd16(ends, hil_sxtb16(shifted[1]));
    row[2][x] = hil_ssub16(ends, hil_sxtb16(shifted[1]));
    row[3][x] = hil_sxtb16(shifted[2]);
  }
  for (int32_t y = 0; y < 4; ++y) {
    store_weight_row(to + 4 * y * position, position, row[y]);
  }
}

void hil_winograd_weights_dsp_s8(const int32_t *weights, int32_t depth, uint32_t *transformed) {
  const int32_t position = depth / 2 * HIL_WINOGRAD_CHANNELS;
  for (int32_t channel = 0; channel < depth; channel += 4) {
    transform_weights(weights, 0, position, transformed);
    transform_weights(weights, 1, position, transformed + HIL_WINOGRAD_CHANNELS);
    weights += 9;
    transformed += 2 * HIL_WINOGRAD_CHANNELS;
  }
}

void hil_winograd_products_dsp_s8(const uint32_t *inputs, const uint32_t *weights, int32_t *sums,
                                  int32_t depth) {
  for (int32_t i = 0; i < HIL_WINOGRAD_SUMS; ++i) {
    sums[i] = 0;
  }
  for (int32_t position = 0; position < 16; ++position) {
    for (int32_t pair = 0; pair < depth / 2; ++pair) {
      for (int32_t i = 0; i < HIL_WINOGRAD_TILES * HIL_WINOGRAD_CHANNELS; ++i) {
        sums[i] = hil_smlad(inputs[i / HIL_WINOGRAD_CHANNELS], weights[i % HIL_WINOGRAD_CHANNELS], sums[i]);
      }
      inputs += HIL_WINOGRAD_TILES;
      weights += HIL_WINOGRAD_CHANNELS;
    }
    sums += HIL_WINOGRAD_TILES * HIL_WINOGRAD_CHANNELS;
  }
}

/* One channel of one tile. */
static void outputs(const int32_t *sums, int32_t bias, const int32_t *scale, int32_t is_signed,
                    const hil_winograd_place *place, int8_t *output) {
  uint32_t upper[4];
  uint32_t lower[4];
  for (int32_t x = 0; x < 4; ++x) {
    uint32_t m[4];
    for (int32_t y = 0; y < 4; ++y) {
      m[y] = (uint32_t)sums[(4 * y + x) * HIL_WINOGRAD_TILES * HIL_WINOGRAD_CHANNELS];
    }
    m[1] += x == 1 ? (uint32_t)bias : 0;
    upper[x] = 2 * m[0] + m[1] + m[2];
    lower[x] = m[1] - m[2] - 2 * m[3];
  }
  const int32_t y[4] = {(int32_t)(2 * upper[0] + upper[1] + upper[2]), /* */
                        (int32_t)(upper[1] - upper[2] - 2 * upper[3]), /* */
                        (int32_t)(2 * lower[0] + lower[1] + lower[2]), /* */
                        (int32_t)(lower[1] - lower[2] - 2 * lower[3])};
  for (int32_t i = 3; i >= 0; --i) {
    const int32_t addend = scale[1] + (is_signed ? (y[i] >> 31) * 2 : 0);
    const int32_t value = hil_smmla(y[i], scale[0], addend) >> scale[2];
    output[place->offset + (i & 2) * place->half_step_y + 2 * (i & 1) * place->half_step_x] =
        (int8_t)hil_saturate_s8(value);
  }
}

void hil_winograd_outputs_dsp_s8(const int32_t *sums, const int32_t *scale, int8_t *output,
                                 const hil_winograd_place *places, int32_t count, int32_t is_signed) {
  for (int32_t tile = 0; tile < count; ++tile) {
    outputs(sums, scale[0], scale + 2, is_signed, places + tile, output);
    outputs(sums + 1, scale[1], scale + 5, is_signed, places + tile, output + 1);
    sums += HIL_WINOGRAD_CHANNELS;
  }
}

#endif
