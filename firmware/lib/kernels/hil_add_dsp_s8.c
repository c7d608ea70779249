/* A sum of two int8 values, each with its factor, is a plane; hil/codegen/affine_fit.py finds it. */
#include "hil_dsp.h"
#include "hil_kernels.h"

#if defined(__ARM_FEATURE_DSP)

/* The shift that most sums fit with; it is part of an instruction. */
enum { HIL_ADD_SHIFT = 21 };

/* Four elements in 26 instructions, `fours` times.  Loads stand together, where each takes one cycle. */
static void add_fours(const int8_t *a, const int8_t *b, const hil_add_dsp_params *params, int8_t *output,
                      int32_t fours) {
  int32_t s0, s1, s2, s3, b0, b1;
  __asm__ volatile(
      "1:\n"
      "ldrsb %[s0], [%[a]], #1\n"
      "ldrsb %[s1], [%[a]], #1\n"
      "ldrsb %[s2], [%[a]], #1\n"
      "ldrsb %[s3], [%[a]], #1\n"
      "ldrsb %[b0], [%[b]], #1\n"
      "ldrsb %[b1], [%[b]], #1\n"
      "mla %[s0], %[s0], %[factor_a], %[offset]\n"
      "mla %[s1], %[s1], %[factor_a], %[offset]\n"
      "mla %[s0], %[b0], %[factor_b], %[s0]\n"
      "mla %[s1], %[b1], %[factor_b], %[s1]\n"
      "ldrsb %[b0], [%[b]], #1\n"
      "ldrsb %[b1], [%[b]], #1\n"
      "mla %[s2], %[s2], %[factor_a], %[offset]\n"
      "mla %[s3], %[s3], %[factor_a], %[offset]\n"
      "mla %[s2], %[b0], %[factor_b], %[s2]\n"
      "mla %[s3], %[b1], %[factor_b], %[s3]\n"
      "ssat %[s0], #8, %[s0], asr %[shift]\n"
      "ssat %[s1], #8, %[s1], asr %[shift]\n"
      "ssat %[s2], #8, %[s2], asr %[shift]\n"
      "ssat %[s3], #8, %[s3], asr %[shift]\n"
      "strb %[s0], [%[output]], #1\n"
      "strb %[s1], [%[output]], #1\n"
      "strb %[s2], [%[output]], #1\n"
      "strb %[s3], [%[output]], #1\n"
      "subs %[fours], #1\n"
      "bne 1b"
      : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [b0] "=&r"(b0), [b1] "=&r"(b1),
        [a] "+r"(a), [b] "+r"(b), [output] "+r"(output), [fours] "+r"(fours)
      : [factor_a] "r"(params->factor_a), [factor_b] "r"(params->factor_b), [offset] "r"(params->offset),
        [shift] "I"(HIL_ADD_SHIFT)
      : "cc", "memory");
}

#endif

void hil_add_dsp_s8(const int8_t *a, const int8_t *b, const hil_add_dsp_params *params, int8_t *output,
                    void *scratch) {
  int32_t done = 0;
  (void)scratch;
#if defined(__ARM_FEATURE_DSP)
  if (params->shift == HIL_ADD_SHIFT && params->size >= 4) {
    add_fours(a, b, params, output, params->size / 4);
    done = params->size / 4 * 4;
  }
#endif
  for (int32_t i = done; i < params->size; ++i) {
    const uint32_t sum = (uint32_t)a[i] * (uint32_t)params->factor_a +
                         (uint32_t)b[i] * (uint32_t)params->factor_b + (uint32_t)params->offset;
    output[i] = (int8_t)hil_saturate_s8((int32_t)sum >> params->shift);
  }
}
