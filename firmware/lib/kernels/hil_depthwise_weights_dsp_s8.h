/* What the depthwise kernels for DSP cores have in common: the stream of weights, and pixels as pairs. */
#ifndef HIL_DEPTHWISE_WEIGHTS_DSP_S8_H
#define HIL_DEPTHWISE_WEIGHTS_DSP_S8_H

#include "hil_dsp.h"

enum {
  HIL_DEPTHWISE_GROUP = 4,          /* channels at a time */
  HIL_DEPTHWISE_CHANNEL_BYTES = 18, /* of the stream */
};

#define HIL_DEPTHWISE_SIGNS    0x80808080u
#define HIL_DEPTHWISE_FOURFOLD 0x03fc03fcu /* bytes 0 and 2 of a word that was shifted left by 2 */

/* One channel's numbers, of 3 x 3 weights a, b, c in each of three rows. */
typedef struct {
  uint32_t ab[3], bc[3], c_01; /* pairs */
  int32_t c_2;
  int32_t bias;
  int32_t multiplier;
  int32_t addend;     /* without what all channels share */
  int32_t correction; /* what the addend loses for a negative sum */
} hil_depthwise_channel;

/* Reads the stream: int32 bias and multiplier, int8 weights a0 a1 b0 b1 a2 c0 b2 c1 c2, and their shift. */
static inline hil_depthwise_channel hil_depthwise_read(const int8_t *stream) {
  const int32_t shift = stream[17] & 15;
  const uint32_t one = 1u << shift;
  const uint32_t mask = ~((one - 1u) << 16); /* what the low half of a shifted pair loses to the high half */
  const uint32_t upper = hil_load_word(stream + 8);
  const uint32_t lower = hil_load_word(stream + 12);
  hil_depthwise_channel it;
  it.ab[0] = (hil_sxtb16(upper) << shift) & mask;
  it.ab[1] = (hil_sxtb16_odd(upper) << shift) & mask;
  it.ab[2] = (hil_sxtb16(lower) << shift) & mask;
  it.c_01 = (hil_sxtb16_odd(lower) << shift) & mask;
  it.c_2 = (int32_t)((uint32_t)stream[16] << shift);
  it.bc[0] = hil_pack_low(it.ab[0] >> 16, it.c_01);
  it.bc[1] = hil_pack_high(it.ab[1], it.c_01);
  it.bc[2] = hil_pack_low(it.ab[2] >> 16, (uint32_t)it.c_2);
  it.bias = (int32_t)hil_load_word(stream);
  it.multiplier = (int32_t)hil_load_word(stream + 4);
  it.addend = (int32_t)one;
  it.correction = stream[17] < 0 ? 0 : (int32_t)(2 * one);
  return it;
}

/* Four channels of two pixels as pairs, each value x as 4 (x + 128): one AND, where x itself takes an SXTB16.
 * The 4 is part of the pre-shift; what 128 adds to a sum is taken off the bias. */
static inline void hil_depthwise_pairs(uint32_t first, uint32_t second, uint32_t pairs[4]) {
  const uint32_t a = first ^ HIL_DEPTHWISE_SIGNS;
  const uint32_t b = second ^ HIL_DEPTHWISE_SIGNS;
  const uint32_t front = hil_pack_low(a, b);
  const uint32_t back = hil_pack_high(a, b);
  pairs[0] = (front << 2) & HIL_DEPTHWISE_FOURFOLD;
  pairs[1] = (front >> 6) & HIL_DEPTHWISE_FOURFOLD;
  pairs[2] = (back << 2) & HIL_DEPTHWISE_FOURFOLD;
  pairs[3] = (back >> 6) & HIL_DEPTHWISE_FOURFOLD;
}

#endif
