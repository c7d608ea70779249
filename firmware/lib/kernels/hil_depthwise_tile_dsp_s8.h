/*
 * The body of a tile, for the files that define them; see hil_depthwise_tiles_dsp_s8.h.
 *
 *     HIL_TILE(name, stride, outputs, ties)      ties: 0 (rectified) or 1
 *
 * Registers: r0-r3 words of a row; r4, r5 weights of a row; r6-r11 sums; r12 next word; lr block.  The rows
 * that are left are counted on the stack, above them the end of the blocks.
 */
#ifndef HIL_DEPTHWISE_TILE_DSP_S8_H
#define HIL_DEPTHWISE_TILE_DSP_S8_H

#include "hil_depthwise_tiles_dsp_s8.h"
#include "hil_dsp.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

/* Outputs of stride 1, of words a and b: the even one, the odd one.  `from` is the sum so far, or the bias.
 */
#define HIL_EVEN(sum, from, a, b)   \
  "smlad " sum ", " a ", r4, " from \
  "\n"                              \
  "smlabt " sum ", " b ", r5, " sum "\n"
#define HIL_ODD(sum, from, a, b)     \
  "smlatb " sum ", " a ", r4, " from \
  "\n"                               \
  "smlad " sum ", " b ", r5, " sum "\n"

#define HIL_ROW_1x6(f0, f1, f2, f3, f4, f5) \
  HIL_EVEN("r6", f0, "r0", "r1")            \
  HIL_ODD("r7", f1, "r0", "r1")             \
  HIL_EVEN("r8", f2, "r1", "r2")            \
  HIL_ODD("r9", f3, "r1", "r2") HIL_EVEN("r10", f4, "r2", "r3") HIL_ODD("r11", f5, "r2", "r3")
#define HIL_ROW_1x4(f0, f1, f2, f3, f4, f5) \
  HIL_EVEN("r6", f0, "r0", "r1")            \
  HIL_ODD("r7", f1, "r0", "r1") HIL_EVEN("r8", f2, "r1", "r2") HIL_ODD("r9", f3, "r1", "r2")
#define HIL_ROW_1x3(f0, f1, f2, f3, f4, f5) \
  HIL_EVEN("r6", f0, "r0", "r1") HIL_ODD("r7", f1, "r0", "r1") HIL_EVEN("r8", f2, "r1", "r2")
#define HIL_ROW_2x3(f0, f1, f2, f3, f4, f5) \
  HIL_EVEN("r6", f0, "r0", "r1") HIL_EVEN("r7", f1, "r1", "r2") HIL_EVEN("r8", f2, "r2", "r3")
#define HIL_ROW_2x6(f0, f1, f2, f3, f4, f5)                                                  \
  HIL_ROW_2x3(f0, f1, f2, f3, f4, f5) "ldmia r12!, {r0-r2}\n" HIL_EVEN("r9", f3, "r3", "r0") \
      HIL_EVEN("r10", f4, "r0", "r1") HIL_EVEN("r11", f5, "r1", "r2")

#define HIL_WORDS_1x6 "ldmia r12!, {r0-r3}\n"
#define HIL_WORDS_1x4 "ldmia r12!, {r0-r2}\n"
#define HIL_WORDS_1x3 "ldmia r12!, {r0-r2}\n"
#define HIL_WORDS_2x6 "ldmia r12!, {r0-r3}\n"
#define HIL_WORDS_2x3 "ldmia r12!, {r0-r3}\n"

/* Bytes of the rows that the next row of outputs reads again. */
#define HIL_BACK_1x6 "32"
#define HIL_BACK_1x4 "24"
#define HIL_BACK_1x3 "24"
#define HIL_BACK_2x6 "28"
#define HIL_BACK_2x3 "16"

#define HIL_SCALE_0(sum) \
  "smmla " sum ", " sum  \
  ", r0, r1\n"           \
  "ssat " sum ", #8, " sum ", asr #12\n"
#define HIL_SCALE_1(sum) \
  "cmp " sum             \
  ", #0\n"               \
  "smmla " sum ", " sum  \
  ", r0, r1\n"           \
  "it mi\n"              \
  "submi " sum ", " sum  \
  ", r2\n"               \
  "ssat " sum ", #8, " sum ", asr #12\n"
#define HIL_CORRECTION_0
#define HIL_CORRECTION_1  "ldr r2, [lr, #36]\n"
#define HIL_SCALE_3(ties) HIL_SCALE_##ties("r6") HIL_SCALE_##ties("r7") HIL_SCALE_##ties("r8")
#define HIL_SCALE_4(ties) HIL_SCALE_3(ties) HIL_SCALE_##ties("r9")
#define HIL_SCALE_6(ties) HIL_SCALE_4(ties) HIL_SCALE_##ties("r10") HIL_SCALE_##ties("r11")
#define HIL_PUT_3            \
  "strb r6, [r2]\n"          \
  "strb r7, [r2, r3]\n"      \
  "add r2, r2, r3, lsl #1\n" \
  "strb r8, [r2]\n"
#define HIL_PUT_4 HIL_PUT_3 "strb r9, [r2, r3]\n"
#define HIL_PUT_6            \
  HIL_PUT_4                  \
  "add r2, r2, r3, lsl #1\n" \
  "strb r10, [r2]\n"         \
  "strb r11, [r2, r3]\n"

#define HIL_TILE(name, stride, outputs, ties)                                                                    \
  __attribute__((naked)) void name(hil_depthwise_tile_block *blocks __attribute__((unused)),                     \
                                   const uint32_t *strips __attribute__((unused)),                               \
                                   int8_t *output __attribute__((unused))) {                                     \
    __asm__(                                                                                                   \
        "add r3, r0, #224\n"                                                                                   \
        "push {r2-r11, lr}\n"                                                                                  \
        "mov lr, r0\n"                                                                                         \
        "mov r12, r1\n"                                                                                        \
        "1:\n"                                                                                                 \
        "ldr r5, [lr, #52]\n"                                                                                  \
        "2:\n"                                                                                                 \
        "str r5, [sp]\n"                                                                                       \
        HIL_WORDS_##stride##x##outputs                                                                         \
        "ldr r11, [lr, #24]\n"                                                                                 \
        "ldrd r4, r5, [lr]\n"                                                                                  \
        HIL_ROW_##stride##x##outputs("r11", "r11", "r11", "r11", "r11", "r11")                                 \
        HIL_WORDS_##stride##x##outputs                                                                         \
        "ldrd r4, r5, [lr, #8]\n"                                                                              \
        HIL_ROW_##stride##x##outputs("r6", "r7", "r8", "r9", "r10", "r11")                                     \
        HIL_WORDS_##stride##x##outputs                                                                         \
        "ldrd r4, r5, [lr, #16]\n"                                                                             \
        HIL_ROW_##stride##x##outputs("r6", "r7", "r8", "r9", "r10", "r11")                                     \
        "ldrd r0, r1, [lr, #28]\n"                                                                             \
        HIL_CORRECTION_##ties                                                                                  \
        HIL_SCALE_##outputs(ties)                                                                              \
        "ldrd r2, r3, [lr, #40]\n"                                                                             \
        "ldr r4, [lr, #48]\n"                                                                                  \
        "ldr r5, [sp]\n"                                                                                       \
        HIL_PUT_##outputs                                                                                      \
        "add r2, r2, r4\n"                                                                                     \
        "str r2, [lr, #40]\n"                                                                                  \
        "sub r12, r12, #" HIL_BACK_##stride##x##outputs "\n"                                                   \
        "subs r5, r5, #1\n"                                                                                    \
        "bne 2b\n"                                                                                             \
        "add r12, r12, #" HIL_BACK_##stride##x##outputs "\n"                                                   \
        "ldr r0, [sp, #4]\n"                                                                                   \
        "add lr, lr, #56\n"                                                                                    \
        "cmp lr, r0\n"                                                                                         \
        "bne 1b\n"                                                                                             \
        "pop {r2-r11, pc}\n"); \
  }

#else

static inline void hil_tile_c(hil_depthwise_tile_block *blocks, const uint32_t *strips, int8_t *output,
                              int stride, int outputs, int ties) {
  const int row_words = stride == 2 ? outputs + 1 : outputs / 2 + 1 + outputs % 2;
  for (int channel = 0; channel < 4; ++channel) {
    const hil_depthwise_tile_block *const block = blocks + channel;
    int8_t *row = output + block->output;
    for (int32_t y = 0; y < block->rows; ++y) {
      for (int x = 0; x < outputs; ++x) {
        int32_t sum = block->bias;
        for (int ky = 0; ky < 3; ++ky) {
          const uint32_t *const words = strips + ky * row_words + (stride == 2 ? x : x / 2);
          const uint32_t *const weights = block->weights[ky];
          if (stride == 2 || x % 2 == 0) {
            sum = hil_smlad(words[0], weights[0], sum);
            sum = hil_smlad(words[1] & 0xffffu, weights[1] >> 16, sum);
          } else {
            sum = hil_smlad(words[0] >> 16, weights[0] & 0xffffu, sum);
            sum = hil_smlad(words[1], weights[1], sum);
          }
        }
        const int32_t lost = ties && sum < 0 ? block->correction : 0;
        row[x * block->step] =
            (int8_t)hil_saturate_s8((hil_smmla(sum, block->multiplier, block->addend) - lost) >> 12);
      }
      row += (outputs - 1) / 2 * 2 * block->step + block->row_step;
      strips += stride * row_words;
    }
    strips += (3 - stride) * row_words;
  }
}

#define HIL_TILE(name, stride, outputs, ties)                                           \
  void name(hil_depthwise_tile_block *blocks, const uint32_t *strips, int8_t *output) { \
    hil_tile_c(blocks, strips, output, stride, outputs, ties);                          \
  }

#endif

#endif
