/*
 * Depthwise 3x3 with multiplier 1 on a small map, four channels at a time: first the whole map of these
 * channels is laid into scratch as pairs of neighbours, then tiles of outputs (hil_depthwise_tiles_dsp_s8.h)
 * run down its rows.  So the output may start where the input starts.
 *
 * The last tile of a row ends with the row and may overlap the one before it; what both make is the same.
 */
#include "hil_depthwise_weights_dsp_s8.h"
#include "hil_kernels.h"

/* Column of the first output of a tile. */
static int32_t tile_begin(const hil_depthwise_conv2d_small_dsp_params *params, int32_t tile) {
  const int32_t last = params->window.output_w - params->outputs;
  const int32_t begin = tile * params->outputs;
  return begin < last ? begin : last;
}

/* Pairs of four channels into their strips. */
#define LAY(first, second)                     \
  do {                                         \
    uint32_t pairs[HIL_DEPTHWISE_GROUP];       \
    hil_depthwise_pairs(first, second, pairs); \
    *strip_0++ = pairs[0];                     \
    *strip_1++ = pairs[1];                     \
    *strip_2++ = pairs[2];                     \
    *strip_3++ = pairs[3];                     \
  } while (0)

/* Rows of the input for one tile, which begins in column `x`.  Words that lie outside as a whole are left as
 * they are. */
__attribute__((noinline)) static void lay_rows(const int8_t *pixel,
                                               const hil_depthwise_conv2d_small_dsp_params *params, int32_t x,
                                               uint32_t *strip_0, int32_t rows) {
  const int32_t channels = params->window.input_c;
  const int32_t width = params->window.input_w;
  const int32_t outside = x < 0 ? -x / 2 : 0;
  const int32_t left = x < 0 ? -x % 2 : 0;
  const int32_t inside = width - (x < 0 ? left : x); /* columns from the first whole word on */
  const int32_t words = params->row_words - outside - left;
  const int32_t whole = inside / 2 < words ? inside / 2 : words;
  const int32_t right = inside % 2 != 0 && whole < words;
  const int32_t gap = params->row_words - left - whole - right;
  const int32_t next = (width - 2 * whole) * channels;
  uint32_t *strip_1;
  uint32_t *strip_2;
  uint32_t *strip_3;
  strip_0 += outside;
  strip_1 = strip_0 + params->strip_words;
  strip_2 = strip_1 + params->strip_words;
  strip_3 = strip_2 + params->strip_words;
  pixel += (width - inside) * channels;
  for (;;) {
    if (left) {
      LAY(params->padding, hil_load_word(pixel - channels));
    }
    for (const uint32_t *const end = strip_0 + whole; strip_0 != end;) {
      LAY(hil_load_word(pixel), hil_load_word(pixel + channels));
      pixel += 2 * channels;
    }
    if (right) {
      LAY(hil_load_word(pixel), params->padding);
    }
    if (--rows == 0) {
      return;
    }
    pixel += next;
    strip_0 += gap;
    strip_1 += gap;
    strip_2 += gap;
    strip_3 += gap;
  }
}

void hil_depthwise_conv2d_small_dsp_s8(const int8_t *input,
                                       const hil_depthwise_conv2d_small_dsp_params *params, int8_t *output,
                                       void *scratch) {
  const hil_window *const window = &params->window;
  const int32_t rows = (window->output_h - 1) * window->stride_h + 3 - window->pad_top;
  const int32_t laid = rows < window->input_h ? rows : window->input_h;
  hil_depthwise_tile_block *const blocks = scratch;
  uint32_t *const strips = (void *)(blocks + HIL_DEPTHWISE_GROUP);
  uint32_t *const end = strips + params->tiles * HIL_DEPTHWISE_GROUP * params->strip_words;

  for (uint32_t *word = strips; word != end; ++word) { /* rows outside of the input stay as they are now */
    *word = ((params->padding ^ HIL_DEPTHWISE_SIGNS) << 2) & HIL_DEPTHWISE_FOURFOLD;
  }
  for (int32_t i = 0; i < HIL_DEPTHWISE_GROUP; ++i) {
    blocks[i].step = window->input_c;
    blocks[i].row_step = (window->output_w - (params->outputs - 1) / 2 * 2) * window->input_c;
    blocks[i].rows = window->output_h;
  }
  const int8_t *stream = params->channels;
  for (int32_t group = 0; group < params->groups; ++group) {
    for (int32_t i = 0; i < HIL_DEPTHWISE_GROUP; ++i) {
      const hil_depthwise_channel channel = hil_depthwise_read(stream);
      for (int32_t row = 0; row < 3; ++row) {
        blocks[i].weights[row][0] = channel.ab[row];
        blocks[i].weights[row][1] = channel.bc[row];
      }
      blocks[i].bias = channel.bias;
      blocks[i].multiplier = channel.multiplier;
      blocks[i].addend = params->addend + channel.addend;
      blocks[i].correction = channel.correction;
      stream += HIL_DEPTHWISE_CHANNEL_BYTES;
    }
    uint32_t *strip = strips;
    for (int32_t tile = 0; tile < params->tiles; ++tile) {
      const int32_t x = tile_begin(params, tile) * window->stride_w - window->pad_left;
      if (laid > 0) {
        lay_rows(input, params, x, strip + window->pad_top * params->row_words, laid);
      }
      strip += HIL_DEPTHWISE_GROUP * params->strip_words;
    }
    strip = strips;
    for (int32_t tile = 0; tile < params->tiles; ++tile) {
      for (int32_t i = 0; i < HIL_DEPTHWISE_GROUP; ++i) {
        blocks[i].output = HIL_DEPTHWISE_PLACE(output, tile_begin(params, tile) * window->input_c + i);
      }
      params->tile(blocks, strip, output);
      strip += HIL_DEPTHWISE_GROUP * params->strip_words;
    }
    input += HIL_DEPTHWISE_GROUP;
    output += HIL_DEPTHWISE_GROUP;
  }
}
