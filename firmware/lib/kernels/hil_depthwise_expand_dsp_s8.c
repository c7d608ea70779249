/* Weights of the stream as the tiles want them, see hil_depthwise_tiles_dsp_s8.h. */
#include "hil_depthwise_tiles_dsp_s8.h"
#include "hil_depthwise_weights_dsp_s8.h"

void hil_depthwise_expand_3x3_dsp_s8(const int8_t *stream, int32_t shared_addend,
                                     hil_depthwise_tile_block *block) {
  const hil_depthwise_channel channel = hil_depthwise_read(stream);
  uint32_t *const weights = (uint32_t *)(block + 1);
  for (int32_t row = 0; row < 3; ++row) {
    weights[2 * row] = channel.ab[row];
    weights[2 * row + 1] = channel.bc[row];
  }
  block->bias = channel.bias;
  block->multiplier = channel.multiplier;
  block->addend = shared_addend + channel.addend;
  block->correction = channel.correction;
}

void hil_depthwise_expand_5x5_dsp_s8(const int8_t *stream, int32_t shared_addend,
                                     hil_depthwise_tile_block *block) {
  const int8_t *weight = stream + 8;
  const int32_t shift = stream[33] & 15;
  uint32_t *weights = (uint32_t *)(block + 1);
  for (int32_t row = 0; row < 5; ++row) {
    const uint32_t a = (uint32_t)weight[0] << shift;
    const uint32_t b = (uint32_t)weight[1] << shift;
    const uint32_t c = (uint32_t)weight[2] << shift;
    const uint32_t d = (uint32_t)weight[3] << shift;
    const uint32_t e = (uint32_t)weight[4] << shift;
    weights[0] = hil_pack_low(a, b);
    weights[1] = hil_pack_low(c, d);
    weights[2] = hil_pack_low(b, c);
    weights[3] = hil_pack_low(d, e);
    weight += 5;
    weights += 4;
  }
  block->bias = (int32_t)hil_load_word(stream);
  block->multiplier = (int32_t)hil_load_word(stream + 4);
  block->addend = shared_addend + (1 << shift);
  block->correction = stream[33] < 0 ? 0 : 2 << shift;
}
