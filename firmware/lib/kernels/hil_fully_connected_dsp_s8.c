/*
 * Fully connected, one input row and four outputs (A, B, C, D) at a time.  How the stream is packed and why
 * it works: hil/codegen/kernels/fully_connected_dsp.py; the inner loop in words:
 * docs/kernels/fully-connected.md.
 *
 * A halfword of the stream is 256 a + b for weights a of A and b of B.  Two sums run for each such pair:
 *
 *     both   the sum of x (256 a + b), by SMLAD of the raw words
 *     low    the sum of x b, plus terms that depend on x alone or on b alone, since
 *            (x1 + b0)(x0 + b1) = x0 b0 + x1 b1 + x0 x1 + b0 b1
 *
 * so that SXTAB16, which has to widen b anyway, adds x at no cost and halves the multiplications.  The sum of
 * all x0 x1 ("cross") is formed once per input; the sum of all b0 b1 is in the stream.  At last both - low is
 * 256 times the sum of A.
 */
#include "hil_dsp.h"
#include "hil_kernels.h"

enum { HIL_FC_STEP = 8, HIL_FC_UNROLL = 4 };

/* What `run_quads` works with.  The assembly knows this order. */
typedef struct {
  int32_t cross;
  const uint32_t *input; /* expanded */
  int32_t multiplier;
  int32_t addend;
  int32_t shift;
  int8_t *output;
  int32_t quads; /* > 0 */
  const uint32_t *input_end;
  int32_t skip;    /* steps that the first turn of the unrolled loop leaves out */
  int32_t rescale; /* HIL_FC_... */
  const int32_t *stream;
} quads_job;

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

/* One instruction to a line. */
/* clang-format off */

/* Eight inputs times four outputs: 23 instructions, 92 bytes.  r0-r3 inputs, r4-r7 weights, r8-r11 sums, r12
 * next input, lr next word of the stream. */
#define PAIR_OF_OUTPUTS(both, low) \
  "ldmia lr!, {r4-r7}\n" \
  "smlad " both ", r4, r0, " both "\n" \
  "smlad " both ", r5, r1, " both "\n" \
  "sxtab16 r4, r1, r4\n" \
  "sxtab16 r5, r0, r5\n" \
  "smlad " low ", r4, r5, " low "\n" \
  "smlad " both ", r6, r2, " both "\n" \
  "smlad " both ", r7, r3, " both "\n" \
  "sxtab16 r6, r3, r6\n" \
  "sxtab16 r7, r2, r7\n" \
  "smlad " low ", r6, r7, " low "\n"
#define STEP "ldmia r12!, {r0-r3}\n" PAIR_OF_OUTPUTS("r8", "r9") PAIR_OF_OUTPUTS("r10", "r11")

/* A tie of a negative sum goes downwards: 128 less in the addend. */
#define ADDEND(to, from, sum) \
  "asr r12, " sum ", #31\n" \
  "add " to ", " from ", r12, lsl #7\n"

/* Frame: 0 cross, 4 input, 8 multiplier, 12 addend, 16 shift, 20 output, 24 quads, 28 end of the input,
 * 32 where the loop is entered, 36 how sums are rescaled. */
__attribute__((naked, noinline)) static void run_quads(const quads_job *job __attribute__((unused))) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldmia r0, {r1-r10, lr}\n"
      "adr.w r0, 2f\n"
      "mov r11, #(3f - 2f)\n"
      "mla r9, r9, r11, r0\n"
      "orr r9, r9, #1\n"
      "adr.w r0, 4f\n"
      "cmp r10, #1\n"
      "it eq\n"
      "adreq.w r0, 5f\n"
      "it hi\n"
      "adrhi.w r0, 6f\n"
      "orr r10, r0, #1\n"
      "push {r1-r10}\n"

      "1:\n"
      "ldmia lr!, {r8-r11}\n"
      "ldmia sp, {r0, r12}\n"
      "sub r9, r9, r0\n"
      "sub r11, r11, r0\n"
      "ldr pc, [sp, #32]\n"
      "2:\n" STEP "3:\n" STEP STEP STEP
      "ldr r0, [sp, #28]\n"
      "cmp r12, r0\n"
      "bne 2b\n"
      "sub r8, r8, r9\n"
      "lsl r9, r9, #8\n"
      "sub r10, r10, r11\n"
      "lsl r11, r11, #8\n"
      "ldr pc, [sp, #36]\n"

      "4:\n" /* HIL_FC_RECTIFIED */
      "ldmia sp, {r0-r6}\n"
      "smmla r8, r8, r2, r3\n"
      "smmla r9, r9, r2, r3\n"
      "smmla r10, r10, r2, r3\n"
      "smmla r11, r11, r2, r3\n"
      "asr r8, r8, r4\n"
      "asr r9, r9, r4\n"
      "asr r10, r10, r4\n"
      "asr r11, r11, r4\n"

      "7:\n"
      "usat r8, #8, r8\n"
      "usat r9, #8, r9\n"
      "usat r10, #8, r10\n"
      "usat r11, #8, r11\n"
      "orr r8, r8, r9, lsl #8\n"
      "orr r10, r10, r11, lsl #8\n"
      "orr r8, r8, r10, lsl #16\n"
      "eor r8, r8, #0x80808080\n"
      "str r8, [r5], #4\n"
      "subs r6, r6, #1\n"
      "strd r5, r6, [sp, #20]\n"
      "bne 1b\n"
      "add sp, sp, #40\n"
      "pop {r4-r11, pc}\n"

      "5:\n" /* HIL_FC_SIGNED */
      "ldmia sp, {r0-r6}\n"
      ADDEND("r0", "r3", "r8") ADDEND("r1", "r3", "r9") ADDEND("r7", "r3", "r10") ADDEND("r12", "r3", "r11")
      "smmla r8, r8, r2, r0\n"
      "smmla r9, r9, r2, r1\n"
      "smmla r10, r10, r2, r7\n"
      "smmla r11, r11, r2, r12\n"
      "asr r8, r8, r4\n"
      "asr r9, r9, r4\n"
      "asr r10, r10, r4\n"
      "asr r11, r11, r4\n"
      "b 7b\n"

      "6:\n" /* HIL_FC_PER_CHANNEL */
      "ldmia lr!, {r0-r7}\n"
      ADDEND("r4", "r4", "r8") ADDEND("r5", "r5", "r9") ADDEND("r6", "r6", "r10") ADDEND("r7", "r7", "r11")
      "smmla r8, r8, r0, r4\n"
      "smmla r9, r9, r1, r5\n"
      "smmla r10, r10, r2, r6\n"
      "smmla r11, r11, r3, r7\n"
      "ldmia lr!, {r0-r3}\n"
      "asr r8, r8, r0\n"
      "asr r9, r9, r1\n"
      "asr r10, r10, r2\n"
      "asr r11, r11, r3\n"
      "ldrd r5, r6, [sp, #20]\n"
      "b 7b\n");
}

/* clang-format on */

#else

/* The same in C, for the tests on the host. */
typedef struct {
  uint32_t both, low;
} pair_sums;

static void add_four_inputs(pair_sums *sums, const uint32_t *x, const int32_t *weights) {
  const uint32_t even = (uint32_t)weights[0];
  const uint32_t odd = (uint32_t)weights[1];
  sums->both = (uint32_t)hil_smlad(odd, x[1], hil_smlad(even, x[0], (int32_t)sums->both));
  sums->low = (uint32_t)hil_smlad(hil_sxtab16(x[1], even), hil_sxtab16(x[0], odd), (int32_t)sums->low);
}

static int8_t rescaled(uint32_t sum, int32_t multiplier, int32_t addend, int32_t shift, int ties) {
  const int32_t value = (int32_t)sum;
  const int32_t result = hil_smmla(value, multiplier, addend - (ties && value < 0 ? 128 : 0)) >> shift;
  return (int8_t)((result < 0 ? 0 : result > 255 ? 255 : result) - 128);
}

static void run_quads(const quads_job *job) {
  const int32_t *next = job->stream;
  int8_t *output = job->output;
  for (int32_t quad = 0; quad < job->quads; ++quad) {
    pair_sums pair[2];
    for (int i = 0; i < 2; ++i) {
      pair[i].both = (uint32_t)next[2 * i];
      pair[i].low = (uint32_t)next[2 * i + 1] - (uint32_t)job->cross;
    }
    next += 4;
    for (const uint32_t *x = job->input; x < job->input_end; x += 4) {
      for (int i = 0; i < 2; ++i) {
        add_four_inputs(&pair[i], x, next);
        add_four_inputs(&pair[i], x + 2, next + 2);
        next += 4;
      }
    }
    for (int i = 0; i < 4; ++i) {
      const pair_sums *const sums = &pair[i / 2];
      const uint32_t sum = i % 2 ? sums->low << 8 : sums->both - sums->low;
      *output++ = job->rescale == HIL_FC_PER_CHANNEL
                      ? rescaled(sum, next[i], next[4 + i], next[8 + i], 1)
                      : rescaled(sum, job->multiplier, job->addend, job->shift, job->rescale);
    }
    next += job->rescale == HIL_FC_PER_CHANNEL ? 12 : 0;
  }
}

#endif

/* Four inputs as pairs (x0, x2) and (x1, x3). */
static int32_t expand_four(uint32_t bytes, uint32_t *pairs, int32_t cross) {
  pairs[0] = hil_sxtb16(bytes);
  pairs[1] = hil_sxtb16_odd(bytes);
  return hil_smlad(pairs[0], pairs[1], cross);
}

/* From the last input to the first, so that `pairs` may begin where the input begins.  Returns "cross". */
static int32_t expand(const int8_t *input, int32_t size, int32_t padded_size, uint32_t *pairs) {
  const int32_t whole = size / 4;
  const int32_t fours = padded_size / 4;
  int32_t cross = 0;
  if (fours > whole) {
    uint32_t last = 0;
    memcpy(&last, input + 4 * whole, (size_t)(size % 4));
    cross = expand_four(last, pairs + 2 * whole, cross);
    if (fours > whole + 1) {
      cross = expand_four(0, pairs + 2 * whole + 2, cross);
    }
  }
  for (int32_t i = whole - 1; i >= 0; --i) {
    cross = expand_four(hil_load_word(input + 4 * i), pairs + 2 * i, cross);
  }
  return cross;
}

void hil_fully_connected_dsp_s8(const int8_t *input, const hil_fully_connected_dsp_params *params,
                                int8_t *output, void *scratch) {
  const int32_t padded_size = (params->input_size + HIL_FC_STEP - 1) / HIL_FC_STEP * HIL_FC_STEP;
  const int32_t quads = params->output_size / 4;
  const int32_t rest = params->output_size % 4;
  const int32_t steps = padded_size / HIL_FC_STEP;
  uint32_t *const pairs = scratch;
  quads_job job = {.input = pairs,
                   .multiplier = params->multiplier,
                   .addend = params->addend,
                   .shift = params->shift,
                   .input_end = pairs + padded_size / 2,
                   .skip = (HIL_FC_UNROLL - steps % HIL_FC_UNROLL) % HIL_FC_UNROLL,
                   .rescale = params->rescale};
  for (int32_t row = 0; row < params->rows; ++row) {
    job.cross = expand(input, params->input_size, padded_size, pairs);
    job.output = output;
    job.stream = params->stream;
    job.quads = quads;
    if (quads > 0) {
      run_quads(&job);
    }
    if (rest > 0) { /* the last one is filled up with outputs that are thrown away */
      int8_t last[4];
      job.output = last;
      job.stream = params->stream + quads * params->quad_words;
      job.quads = 1;
      run_quads(&job);
      memcpy(output + 4 * quads, last, (size_t)rest);
    }
    input += params->input_size;
    output += params->output_size;
  }
}
