/*
 * The body of a sweep, for the files that define them; see hil_depthwise_sweeps_dsp_s8.h.
 *
 *     HIL_SWEEP(name, stride, both, single, half, ties)
 *
 * stride 1 or 2; `both`, `single` are FIRST and SECOND, or the other way round; `half` of the single word:
 * LOW or HIGH; `ties` 0 (rectified) or 1.
 *
 * Registers: r0, r11 words of a column; r1-r3 weights of the pair; r4, r5 of the single line; r6 multiplier;
 * r7 addend; r8 bias or correction; r9 next column; r10 next output; r12, lr sums.
 * On the stack: next block, end of the blocks, saved r2 or bias.
 */
#ifndef HIL_DEPTHWISE_SWEEP_DSP_S8_H
#define HIL_DEPTHWISE_SWEEP_DSP_S8_H

#include "hil_depthwise_sweeps_dsp_s8.h"
#include "hil_dsp.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

#define HIL_FIRST  "r0"
#define HIL_SECOND "r11"
#define HIL_LOW    "b"
#define HIL_HIGH   "t"

#define HIL_LOAD "ldrd r0, r11, [r9], #32\n"

/* A sum begins with the first column, goes on with the second, ends with the third. */
#define HIL_BEGIN_0(sum, both) "smlad " sum ", " both ", r1, r8\n"
#define HIL_BEGIN_1(sum, both) "ldr " sum ", [sp, #8]\nsmlad " sum ", " both ", r1, " sum "\n"
#define HIL_COLUMN_0(sum, both, single, half, ties) \
  HIL_BEGIN_##ties(sum, both) "smla" half "b " sum ", " single ", r4, " sum "\n"
#define HIL_COLUMN_1(sum, both, single, half) \
  "smlad " sum ", " both ", r2, " sum         \
  "\n"                                        \
  "smla" half "t " sum ", " single ", r4, " sum "\n"
#define HIL_COLUMN_2(sum, both, single, half) \
  "smlad " sum ", " both ", r3, " sum         \
  "\n"                                        \
  "smla" half "b " sum ", " single ", r5, " sum "\n"

#define HIL_SCALE_0(sum) "smmla " sum ", " sum ", r6, r7\n"
#define HIL_SCALE_1(sum) \
  "cmp " sum             \
  ", #0\n"               \
  "smmla " sum ", " sum  \
  ", r6, r7\n"           \
  "it mi\n"              \
  "submi " sum ", " sum ", r8\n"
#define HIL_PUT(sum, ties)                       \
  HIL_SCALE_##ties(sum) "ssat " sum ", #8, " sum \
                        ", asr #12\n"            \
                        "strb " sum ", [r10], #4\n"

/* With stride 1: one column, which ends `sum`, goes on with `next`, and begins the one after that. */
#define HIL_OUTPUT(sum, next, both, single, half, ties)                                                    \
  HIL_LOAD HIL_COLUMN_2(sum, both, single, half) HIL_COLUMN_1(next, both, single, half) HIL_PUT(sum, ties) \
      HIL_COLUMN_0(sum, both, single, half, ties)
#define HIL_HALF_TURN_1(both, single, half, ties) \
  HIL_OUTPUT("r12", "lr", both, single, half, ties) HIL_OUTPUT("lr", "r12", both, single, half, ties)
#define HIL_PROLOGUE_1(both, single, half, ties)         \
  HIL_LOAD HIL_COLUMN_0("r12", both, single, half, ties) \
  HIL_LOAD HIL_COLUMN_1("r12", both, single, half) HIL_COLUMN_0("lr", both, single, half, ties)

/* With stride 2: two columns for each output. */
#define HIL_HALF_TURN_2(both, single, half, ties)                       \
  HIL_LOAD HIL_COLUMN_1("r12", both, single, half)                      \
  HIL_LOAD HIL_COLUMN_2("r12", both, single, half) HIL_PUT("r12", ties) \
      HIL_COLUMN_0("r12", both, single, half, ties)
#define HIL_PROLOGUE_2(both, single, half, ties) HIL_LOAD HIL_COLUMN_0("r12", both, single, half, ties)

#define HIL_BLOCK_0 "ldmia r0!, {r1-r10}\n"
#define HIL_BLOCK_1 "ldmia r0!, {r1-r11}\nstr r11, [sp, #8]\n"

#define HIL_SWEEP(name, stride, both, single, half, ties)                               \
  __attribute__((naked)) static void name(const void *blocks __attribute__((unused)),   \
                                          const void *end __attribute__((unused))) {    \
    __asm__(                                                                          \
        "push {r0-r2, r4-r11, lr}\n"                                                  \
        "1:\n" HIL_BLOCK_##ties                                                       \
        "str r0, [sp]\n"                                                              \
        "lsls r0, r5, #15\n" /* N: begin in the middle of a turn */                   \
        HIL_PROLOGUE_##stride(HIL_##both, HIL_##single, HIL_##half, ties)             \
        "bmi 3f\n"                                                                    \
        "2:\n" HIL_HALF_TURN_##stride(HIL_##both, HIL_##single, HIL_##half, ties)     \
        "3:\n" HIL_HALF_TURN_##stride(HIL_##both, HIL_##single, HIL_##half, ties)     \
        "subs r5, r5, #0x20000\n"                                                     \
        "bpl 2b\n"                                                                    \
        "ldr r0, [sp]\n"                                                              \
        "ldr r1, [sp, #4]\n"                                                          \
        "cmp r0, r1\n"                                                                \
        "bne 1b\n"                                                                    \
        "add sp, #12\n"                                                               \
        "pop {r4-r11, pc}\n"); \
  }

#else

enum { HIL_FIRST = 0, HIL_SECOND = 1, HIL_LOW = 0, HIL_HIGH = 1 };

static inline void hil_sweep_c(const void *blocks, const void *end, int stride, int both, int single,
                               int half, int ties) {
  const int32_t bytes = ties ? 44 : 40;
  for (const int8_t *place = blocks; place != end; place += bytes) {
    const hil_depthwise_block *const block = (const void *)place;
    const uint32_t weight[3] = {block->single_01 & 0xffffu, block->single_01 >> 16, block->single_2};
    const uint32_t *in = (const void *)((const int8_t *)blocks + block->columns);
    int8_t *out = (int8_t *)((uintptr_t)blocks + block->outputs);
    const int32_t half_turns = block->turns + 2 - 2 * (block->turns & 1);
    for (int32_t left = half_turns * (stride == 1 ? 2 : 1); left > 0; --left) {
      int32_t sum = ties ? block->signed_bias : block->bias;
      for (int column = 0; column < 3; ++column) {
        const uint32_t *const words = in + 8 * column;
        sum = hil_smlad(words[both], block->both[column], sum);
        sum = hil_smlad(words[single] >> (half ? 16 : 0) & 0xffffu, weight[column], sum);
      }
      const int32_t lost = ties && sum < 0 ? block->bias : 0;
      *out = (int8_t)hil_saturate_s8((hil_smmla(sum, block->multiplier, block->addend) - lost) >> 12);
      in += 8 * stride;
      out += 4;
    }
  }
}

#define HIL_SWEEP(name, stride, both, single, half, ties)                         \
  static void name(const void *blocks, const void *end) {                         \
    hil_sweep_c(blocks, end, stride, HIL_##both, HIL_##single, HIL_##half, ties); \
  }

#endif

#endif
