/*
 * The inner product of the depthwise 3x3 convolution on a DSP core: one line of outputs of four channels.
 *
 * A line of the output needs three lines of the input.  Two of them lie as pairs: a word holds the values of
 * both lines at one place (high half: the second line).  The third is one half of the neighbouring word,
 * which holds the next or the last two lines.  So of each place (column) and channel a sweep loads two words,
 *
 *     ring[columns][4 channels][2 slots]   words; the slots hold pairs of lines in turns
 *
 * and multiplies them with the weights of that column by one SMLAD ("both") and one SMLAxy ("single").  A
 * column counts for three outputs, so with stride 1 two sums are in flight while a third one is finished.
 *
 * hil/codegen/dsp.py has the mathematics of multiplier, addend and correction.
 */
#ifndef HIL_DEPTHWISE_SWEEPS_DSP_S8_H
#define HIL_DEPTHWISE_SWEEPS_DSP_S8_H

#include <stdint.h>

/* All that a sweep needs of one channel, loaded by one LDM. */
typedef struct {
  uint32_t both[3];   /* weights of the pair of lines, for the three columns */
  uint32_t single_01; /* weights of the single line, as a pair */
  uint16_t single_2;
  uint16_t turns; /* of the loop, less one, times two; bit 0: it begins in the middle of a turn */
  int32_t multiplier;
  int32_t addend;
  int32_t bias;        /* rectified: bias; signed: the correction, what the addend loses for a negative sum */
  uint32_t columns;    /* where the channel's first column lies, see HIL_SWEEP_PLACE */
  uint32_t outputs;    /* where its first output goes; they are 4 bytes apart */
  int32_t signed_bias; /* signed: bias; blocks of rectified sweeps are shorter and have none */
} hil_depthwise_block;

/* An address, or an offset from the first block where addresses are longer than a word. */
#if defined(__ARM_FEATURE_DSP)
#define HIL_SWEEP_PLACE(blocks, pointer) ((void)(blocks), (uint32_t)(uintptr_t)(pointer))
#else
#define HIL_SWEEP_PLACE(blocks, pointer) ((uint32_t)((const int8_t *)(pointer) - (const int8_t *)(blocks)))
#endif

/* One line of four channels, whose blocks begin at `blocks` and end at `end`. */
typedef void hil_depthwise_sweep(const void *blocks, const void *end);

/* The sweeps of one kind of layer. */
typedef struct {
  int32_t block_bytes;
  /* [0]: the pair is followed by the single line, the low half of its word; [1]: it follows the single line,
   * the high half.  [slot of the earlier one of both].  Stride 2 has no [1]. */
  hil_depthwise_sweep *sweep[2][2];
} hil_depthwise_sweeps;

/* Output zero point -128. */
extern const hil_depthwise_sweeps hil_depthwise_rectified_dsp_s8;
extern const hil_depthwise_sweeps hil_depthwise_rectified_by_2_dsp_s8; /* stride 2 */

/* Any output zero point. */
extern const hil_depthwise_sweeps hil_depthwise_signed_dsp_s8;
extern const hil_depthwise_sweeps hil_depthwise_signed_by_2_dsp_s8;

#endif
