/*
 * Depthwise 3x3 or 5x5 with multiplier 1, four channels at a time, in bands of rows: what a band of outputs
 * reads is laid into scratch as pairs of neighbours, then tiles of outputs (hil_depthwise_tiles_dsp_s8.h) run
 * down its rows. The output may start where the input starts as long as no band writes what a later one has
 * to read; rows that two bands read stay in scratch.
 *
 * The last tile of a row ends with the row and may overlap the one before it; what both make is the same.
 */
#include "hil_depthwise_weights_dsp_s8.h"
#include "hil_kernels.h"

/* Column of the first output of a tile. */
static int32_t tile_begin(const hil_depthwise_conv2d_tiles_dsp_params *params, int32_t tile) {
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
                                               const hil_depthwise_conv2d_tiles_dsp_params *params, int32_t x,
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

/* The rows of the input that a band needs beyond those of the band before it, for one tile.
 *
 * Args: `row` of the strip and of the input is the first of `rows` new ones. */
static void lay_band(const int8_t *input, const hil_depthwise_conv2d_tiles_dsp_params *params, int32_t x,
                     uint32_t *strips, int32_t strip_row, int32_t row, int32_t rows) {
  const int32_t before = row < 0 ? -row : 0;
  const int32_t end = params->window.input_h - row;
  const int32_t inside = (end < rows ? end : rows) - before;
  if (params->bands > 1) { /* the same strip row is padding in some bands and not in others */
    uint32_t *strip = strips;
    for (int32_t channel = 0; channel < HIL_DEPTHWISE_GROUP; ++channel) {
      for (int32_t y = 0; y < rows; ++y) {
        if (y < before || y >= end) {
          for (int32_t i = 0; i < params->row_words; ++i) {
            strip[(strip_row + y) * params->row_words + i] = params->filling;
          }
        }
      }
      strip += params->strip_words;
    }
  }
  if (inside > 0) {
    lay_rows(input + (row + before) * params->window.input_w * params->window.input_c, params, x,
             strips + (strip_row + before) * params->row_words, inside);
  }
}

void hil_depthwise_conv2d_tiles_dsp_s8(const int8_t *input,
                                       const hil_depthwise_conv2d_tiles_dsp_params *params, int8_t *output,
                                       void *scratch) {
  const hil_window *const window = &params->window;
  const int32_t channels = window->input_c;
  const int32_t kept = window->kernel_h - window->stride_h; /* rows that two bands read */
  const int32_t tile_words = HIL_DEPTHWISE_GROUP * params->strip_words;
  int8_t *const blocks = scratch;
  int8_t *const blocks_end = blocks + HIL_DEPTHWISE_GROUP * params->block_bytes;
  uint32_t *const strips = (void *)blocks_end;
  uint32_t *const end = strips + params->tiles * tile_words;

  for (uint32_t *word = strips; word != end; ++word) {
    *word = params->filling;
  }
  for (int8_t *place = blocks; place != blocks_end; place += params->block_bytes) {
    hil_depthwise_tile_block *const block = (void *)place;
    block->step = channels;
    block->row_step = (window->output_w - (params->outputs - 1) / 2 * 2) * channels;
  }
  const int8_t *stream = params->channels;
  for (int32_t group = 0; group < params->groups; ++group) {
    for (int8_t *place = blocks; place != blocks_end; place += params->block_bytes) {
      params->expand(stream, params->addend, (void *)place);
      stream += params->channel_bytes;
    }
    int8_t *to = output;
    int32_t row = -window->pad_top; /* of the input, in the first row of the strips */
    for (int32_t left = window->output_h; left > 0; left -= params->band_rows) {
      const int32_t rows = left < params->band_rows ? left : params->band_rows;
      const int32_t first = left == window->output_h ? 0 : kept;
      const int32_t added = (rows - 1) * window->stride_h + window->kernel_h - first;
      uint32_t *strip = strips;
      for (int32_t tile = 0; tile < params->tiles; ++tile) {
        lay_band(input, params, tile_begin(params, tile) * window->stride_w - window->pad_left, strip, first,
                 row + first, added);
        strip += tile_words;
      }
      strip = strips;
      for (int32_t tile = 0; tile < params->tiles; ++tile) {
        uint32_t place = HIL_DEPTHWISE_PLACE(to, tile_begin(params, tile) * channels);
        uint32_t at = HIL_DEPTHWISE_PLACE((int8_t *)strip, 0);
        for (int8_t *own = blocks; own != blocks_end; own += params->block_bytes) {
          hil_depthwise_tile_block *const block = (void *)own;
          block->output = place++;
          block->strip = at;
          at += 4 * (uint32_t)params->strip_words;
          block->rows = rows;
        }
        params->tile(blocks, strip, to);
        strip += tile_words;
      }
      if (left > rows) {
        for (uint32_t *one = strips; one != end; one += params->strip_words) {
          const uint32_t *from = one + rows * window->stride_h * params->row_words;
          for (int32_t i = 0; i < kept * params->row_words; ++i) {
            one[i] = from[i];
          }
        }
      }
      row += rows * window->stride_h;
      to += rows * window->output_w * channels;
    }
    input += HIL_DEPTHWISE_GROUP;
    output += HIL_DEPTHWISE_GROUP;
  }
}
