#include "hil_dsp.h"
#include "hil_kernels.h"
#include "hil_patch_s8.h"
#include "hil_winograd_dsp_s8.h"

typedef struct {
  int32_t y, x; /* of a tile */
} position;

/* Words of the transformed inputs of three tiles, and of the transformed weights of two channels. */
static int32_t group_words(int32_t depth) { return 16 * depth / 2 * HIL_WINOGRAD_TILES; }
static int32_t weight_words(int32_t depth) { return 16 * depth / 2 * HIL_WINOGRAD_CHANNELS; }

static hil_winograd_place place_of(const hil_conv2d_winograd_dsp_params *params, position at) {
  const int32_t y = 2 * at.y;
  const int32_t x = 2 * at.x;
  const hil_winograd_place place = {
      .offset = (y * params->output_w + x) * params->output_c,
      .half_step_x = (uint16_t)(x + 1 < params->output_w ? params->output_c / 2 : 0),
      .half_step_y = (uint16_t)(y + 1 < params->output_h ? params->output_w * params->output_c / 2 : 0),
  };
  return place;
}

static void transform_tile(const int8_t *input, const hil_conv2d_winograd_dsp_params *params, position at,
                           int8_t *patch, uint32_t *transformed) {
  const hil_window *const tiles = &params->tiles;
  const int32_t channels = tiles->input_c;
  if (hil_window_is_inside(tiles, at.y, at.x)) {
    const int32_t row_bytes = tiles->input_w * channels;
    const int32_t top = 2 * at.y - tiles->pad_top;
    const int32_t left = 2 * at.x - tiles->pad_left;
    hil_winograd_inputs_dsp_s8(input + top * row_bytes + left * channels, row_bytes, channels, params->depth,
                               transformed);
  } else {
    hil_gather_patch_s8(input, tiles, at.y, at.x, patch);
    hil_winograd_inputs_dsp_s8(patch, 4 * channels, channels, params->depth, transformed);
  }
}

/* All output channels of `count` tiles. */
static void multiply(const hil_conv2d_winograd_dsp_params *params, const uint32_t *inputs,
                     const hil_winograd_place *places, int32_t count, int8_t *output, uint32_t *own_weights) {
  const int32_t depth = params->depth;
  const int32_t *stream = params->stream;
  for (int32_t channel = 0; channel < params->output_c; channel += HIL_WINOGRAD_CHANNELS) {
    const int32_t *const scale = stream;
    const uint32_t *weights = own_weights;
    stream += HIL_WINOGRAD_SCALE;
    if (params->transformed) {
      weights = (const uint32_t *)stream;
      stream += weight_words(depth);
    } else {
      for (int32_t i = 0; i < HIL_WINOGRAD_CHANNELS; ++i) {
        hil_winograd_weights_dsp_s8(stream, depth, own_weights + i);
        stream += depth / 4 * 9;
      }
    }
    const uint32_t *group = inputs;
    for (int32_t tile = 0; tile < count; tile += HIL_WINOGRAD_TILES) {
      int32_t sums[HIL_WINOGRAD_SUMS];
      const int32_t left = count - tile;
      hil_winograd_products_dsp_s8(group, weights, sums, depth);
      hil_winograd_outputs_dsp_s8(sums, scale, output + channel, places + tile,
                                  left < HIL_WINOGRAD_TILES ? left : HIL_WINOGRAD_TILES, params->is_signed);
      group += group_words(depth);
    }
  }
}

void hil_conv2d_winograd_dsp_s8(const int8_t *input, const hil_conv2d_winograd_dsp_params *params,
                                int8_t *output, void *scratch) {
  const int32_t depth = params->depth;
  /* The patch is done with before the weights come; 16 bytes a channel. */
  uint32_t *const inputs = (uint32_t *)scratch + (params->transformed ? 4 * depth : weight_words(depth));
  hil_winograd_place *const places =
      (hil_winograd_place *)(inputs + params->band / HIL_WINOGRAD_TILES * group_words(depth));
  position at = {0, 0};
  int32_t count = 0;
  for (int32_t left = params->tiles.output_h * params->tiles.output_w; left > 0; --left) {
    const int32_t group = count / HIL_WINOGRAD_TILES;
    transform_tile(input, params, at, scratch,
                   inputs + group * group_words(depth) + (count - group * HIL_WINOGRAD_TILES));
    places[count++] = place_of(params, at);
    if (count == params->band || left == 1) {
      multiply(params, inputs, places, count, output, scratch);
      count = 0;
    }
    if (++at.x == params->tiles.output_w) {
      at.x = 0;
      ++at.y;
    }
  }
}
