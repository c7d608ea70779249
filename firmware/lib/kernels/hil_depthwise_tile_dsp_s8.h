/*
 * The body of a tile, for the files that define them; see hil_depthwise_tiles_dsp_s8.h.
 *
 *     HIL_TILE(name, kernel, stride, outputs, ties)      kernel 3 or 5; ties 0 (rectified) or 1
 *
 * Registers: r0-r3 words of a row; from r4 on weights of a row, two words or four; the last ones up to r11
 * sums; r12 next word; lr block.  The rows that are left are counted on the stack, above them the end of the
 * blocks.
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
#define HIL_CORRECTION_1  "ldr r2, [lr, #12]\n"
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

/* 5x5: r4 (w0, w1), r5 (w2, w3), r6 (w1, w2), r7 (w3, w4). */
#define HIL_EVEN_5(sum, from, a, b, c) \
  "smlad " sum ", " a ", r4, " from    \
  "\n"                                 \
  "smlad " sum ", " b ", r5, " sum     \
  "\n"                                 \
  "smlabt " sum ", " c ", r7, " sum "\n"
#define HIL_ODD_5(sum, from, a, b, c) \
  "smlatb " sum ", " a ", r4, " from  \
  "\n"                                \
  "smlad " sum ", " b ", r6, " sum    \
  "\n"                                \
  "smlad " sum ", " c ", r7, " sum "\n"
#define HIL_ROW_5_1x3(f0, f1, f2, f3)    \
  HIL_EVEN_5("r8", f0, "r0", "r1", "r2") \
  HIL_ODD_5("r9", f1, "r0", "r1", "r2") HIL_EVEN_5("r10", f2, "r1", "r2", "r3")
#define HIL_ROW_5_1x4(f0, f1, f2, f3) HIL_ROW_5_1x3(f0, f1, f2, f3) HIL_ODD_5("r11", f3, "r1", "r2", "r3")
#define HIL_ROW_5_2x3(f0, f1, f2, f3)    \
  HIL_EVEN_5("r8", f0, "r0", "r1", "r2") \
  HIL_EVEN_5("r9", f1, "r1", "r2", "r3") "ldr r0, [r12], #4\n" HIL_EVEN_5("r10", f2, "r2", "r3", "r0")
#define HIL_BACK_5_1x4 "64"
#define HIL_BACK_5_1x3 "64"
#define HIL_BACK_5_2x3 "60"

#define HIL_SUMS_3(kind)                                                                                   \
  HIL_WORDS_##kind                                                                                         \
      "ldr r11, [lr]\n"                                                                                    \
      "ldrd r4, r5, [lr, #36]\n" HIL_ROW_##kind("r11", "r11", "r11", "r11", "r11", "r11") HIL_WORDS_##kind \
      "ldrd r4, r5, [lr, #44]\n" HIL_ROW_##kind("r6", "r7", "r8", "r9", "r10", "r11") HIL_WORDS_##kind     \
      "ldrd r4, r5, [lr, #52]\n" HIL_ROW_##kind("r6", "r7", "r8", "r9", "r10", "r11")

#define HIL_LOAD_5(first, second) \
  "ldmia r12!, {r0-r3}\n"         \
  "ldrd r4, r5, [lr, #" first     \
  "]\n"                           \
  "ldrd r6, r7, [lr, #" second "]\n"
#define HIL_SUMS_5(kind)                                                                       \
  "ldr r11, [lr]\n" HIL_LOAD_5("36", "44") HIL_ROW_5_##kind("r11", "r11", "r11", "r11")        \
      HIL_LOAD_5("52", "60") HIL_ROW_5_##kind("r8", "r9", "r10", "r11") HIL_LOAD_5("68", "76") \
          HIL_ROW_5_##kind("r8", "r9", "r10", "r11") HIL_LOAD_5("84", "92")                    \
              HIL_ROW_5_##kind("r8", "r9", "r10", "r11") HIL_LOAD_5("100", "108")              \
                  HIL_ROW_5_##kind("r8", "r9", "r10", "r11")

/* Outputs of the sums. */
#define HIL_END_3(outputs, ties) HIL_SCALE_##outputs(ties) HIL_PLACE HIL_PUT_##outputs
#define HIL_END_5(outputs, ties) \
  HIL_SCALE_##ties("r8") HIL_SCALE_##ties("r9") HIL_SCALE_##ties("r10") HIL_END_5_##outputs(ties)
#define HIL_END_5_3(ties)    \
  HIL_PLACE                  \
  "strb r8, [r2]\n"          \
  "strb r9, [r2, r3]\n"      \
  "add r2, r2, r3, lsl #1\n" \
  "strb r10, [r2]\n"
#define HIL_END_5_4(ties) HIL_SCALE_##ties("r11") HIL_END_5_3(ties) "strb r11, [r2, r3]\n"
#define HIL_PLACE            \
  "ldrd r2, r3, [lr, #16]\n" \
  "ldr r4, [lr, #24]\n"      \
  "ldr r5, [sp]\n"

#define HIL_BACK_3_1x6 HIL_BACK_1x6
#define HIL_BACK_3_1x4 HIL_BACK_1x4
#define HIL_BACK_3_1x3 HIL_BACK_1x3
#define HIL_BACK_3_2x6 HIL_BACK_2x6
#define HIL_BACK_3_2x3 HIL_BACK_2x3
#define HIL_BYTES_3    "60"
#define HIL_BYTES_5    "116"

#define HIL_TILE(name, kernel, stride, outputs, ties)                                                            \
  __attribute__((naked)) void name(void *blocks __attribute__((unused)),                                         \
                                   const uint32_t *strips __attribute__((unused)),                               \
                                   int8_t *output __attribute__((unused))) {                                     \
    __asm__(                                                                                                   \
        "add r3, r0, #4 * " HIL_BYTES_##kernel "\n"                                                            \
        "push {r2-r11, lr}\n"                                                                                  \
        "mov lr, r0\n"                                                                                         \
        "1:\n"                                                                                                 \
        "ldr r12, [lr, #32]\n" \
        "ldr r5, [lr, #28]\n"                                                                                  \
        "2:\n"                                                                                                 \
        "str r5, [sp]\n"                                                                                       \
        HIL_SUMS_##kernel(stride##x##outputs)                                                                  \
        "ldrd r0, r1, [lr, #4]\n"                                                                              \
        HIL_CORRECTION_##ties                                                                                  \
        HIL_END_##kernel(outputs, ties)                                                    \
        "add r2, r2, r4\n"                                                                                     \
        "str r2, [lr, #16]\n"                                                                                  \
        "sub r12, r12, #" HIL_BACK_##kernel##_##stride##x##outputs "\n"                                        \
        "subs r5, r5, #1\n"                                                                                    \
        "bne 2b\n"                                                                                             \
        "ldr r0, [sp, #4]\n"                                                                                   \
        "add lr, lr, #" HIL_BYTES_##kernel "\n"                                                                \
        "cmp lr, r0\n"                                                                                         \
        "bne 1b\n"                                                                                             \
        "pop {r2-r11, pc}\n"); \
  }

#else

static inline int32_t hil_tile_sum(const hil_depthwise_tile_block *block, const uint32_t *words, int kernel,
                                   int row_words, int odd) {
  const uint32_t *weights = (const uint32_t *)(block + 1);
  int32_t sum = block->bias;
  for (int row = 0; row < kernel; ++row) {
    const uint32_t last = weights[kernel == 3 ? 1 : 3];
    if (odd) {
      sum = hil_smlad(words[0] >> 16, weights[0] & 0xffffu, sum);
      sum = kernel == 3 ? sum : hil_smlad(words[1], weights[2], sum);
      sum = hil_smlad(words[kernel / 2], last, sum);
    } else {
      sum = hil_smlad(words[0], weights[0], sum);
      sum = kernel == 3 ? sum : hil_smlad(words[1], weights[1], sum);
      sum = hil_smlad(words[kernel / 2] & 0xffffu, last >> 16, sum);
    }
    words += row_words;
    weights += kernel - 1;
  }
  return sum;
}

static inline void hil_tile_c(void *blocks, const uint32_t *strips, int8_t *output, int kernel, int stride,
                              int outputs, int ties) {
  const int row_words = ((outputs - 1) * stride + kernel + 1) / 2;
  const int bytes = kernel == 3 ? HIL_DEPTHWISE_TILE_BYTES_3 : HIL_DEPTHWISE_TILE_BYTES_5;
  for (int channel = 0; channel < 4; ++channel) {
    hil_depthwise_tile_block *const block = (void *)((int8_t *)blocks + channel * bytes);
    const uint32_t *strip = (const void *)((const int8_t *)strips + block->strip);
    for (int32_t y = 0; y < block->rows; ++y) {
      int8_t *const row = output + (int32_t)block->output;
      for (int x = 0; x < outputs; ++x) {
        const int place = x * stride;
        const int32_t sum = hil_tile_sum(block, strip + place / 2, kernel, row_words, place % 2);
        const int32_t lost = ties && sum < 0 ? block->correction : 0;
        row[x * block->step] =
            (int8_t)hil_saturate_s8((hil_smmla(sum, block->multiplier, block->addend) - lost) >> 12);
      }
      block->output += (uint32_t)((outputs - 1) / 2 * 2 * block->step + block->row_step);
      strip += stride * row_words;
    }
  }
}

#define HIL_TILE(name, kernel, stride, outputs, ties)                  \
  void name(void *blocks, const uint32_t *strips, int8_t *output) {    \
    hil_tile_c(blocks, strips, output, kernel, stride, outputs, ties); \
  }

#endif

#endif
