#include "hil_columns_dsp_s8.h"

#include <string.h>

#include "hil_dsp.h"
#include "hil_patch_s8.h"
#include "hil_tile_dsp_s8.h"

static int is_inside(const hil_conv2d_dsp_params *params, hil_position at) {
  return at.y >= params->inside_y[0] && at.y <= params->inside_y[1] && at.x >= params->inside_x[0] &&
         at.x <= params->inside_x[1];
}

static int32_t row_step(const hil_window *window) {
  return window->dilation_h * window->input_w * window->input_c;
}

static const int8_t *window_start(const int8_t *input, const hil_window *window, hil_position at) {
  const int32_t top = at.y * window->stride_h - window->pad_top;
  const int32_t left = at.x * window->stride_w - window->pad_left;
  return input + (top * window->input_w + left) * window->input_c;
}

/* Rows that are whole words: expanded from where they lie. */
static void expand_rows(const int8_t *input, const hil_conv2d_dsp_params *params, const hil_position *tile,
                        uint32_t *columns) {
  const hil_window *const window = &params->window;
  const int32_t words = params->row_bytes / 4;
  const int32_t step = row_step(window);
  const int8_t *a = window_start(input, window, tile[0]);
  const int8_t *b = window_start(input, window, tile[1]);
  const int8_t *c = window_start(input, window, tile[2]);
  for (int32_t row = window->kernel_h; row > 0; --row) {
    columns = hil_expand_columns_dsp_s8(a, b, c, columns, words);
    a += step;
    b += step;
    c += step;
  }
}

static inline void store_word(int8_t *address, uint32_t word) { memcpy(address, &word, sizeof word); }

/* The next three write whole words, up to three bytes too many: the next row overwrites them, or they meet
 * weights of 0.  The first one reads too many too; the compiler has seen to it that the input goes on. */
static inline void copy_words(const int8_t *source, int32_t bytes, int8_t *patch) {
  const int8_t *const end = patch + bytes;
  do {
    store_word(patch, hil_load_word(source));
    source += 4;
    patch += 4;
  } while (patch < end);
}

static inline void fill_words(uint32_t word, int32_t bytes, int8_t *patch) {
  for (const int8_t *const end = patch + bytes; patch < end; patch += 4) {
    store_word(patch, word);
  }
}

static inline void copy_bytes(const int8_t *source, int32_t bytes, int8_t *patch) {
  for (; bytes >= 4; bytes -= 4) {
    store_word(patch, hil_load_word(source));
    source += 4;
    patch += 4;
  }
  for (; bytes > 0; --bytes) {
    *patch++ = *source++;
  }
}

static void copy_inside(const int8_t *input, const hil_conv2d_dsp_params *params, hil_position at,
                        int8_t *patch) {
  const hil_window *const window = &params->window;
  const int32_t row_bytes = params->row_bytes;
  const int32_t step = row_step(window);
  const int8_t *source = window_start(input, window, at);
  for (int32_t row = window->kernel_h; row > 0; --row) {
    copy_words(source, row_bytes, patch);
    source += step;
    patch += row_bytes;
  }
}

/* dilation_w = 1 */
static void copy_border(const int8_t *input, const hil_conv2d_dsp_params *params, hil_position at,
                        int8_t *patch) {
  const hil_window *const window = &params->window;
  const uint32_t padding = ((uint32_t)window->padding_value & 0xffu) * 0x01010101u;
  const int32_t channels = window->input_c;
  const int32_t row_bytes = params->row_bytes;
  const int32_t step = row_step(window);
  const int32_t left = at.x * window->stride_w - window->pad_left;
  const int32_t first = left < 0 ? -left : 0; /* taps that lie in the input, if any do */
  const int32_t end = window->input_w - left < window->kernel_w ? window->input_w - left : window->kernel_w;
  const int8_t *source = window_start(input, window, at);
  int32_t y = at.y * window->stride_h - window->pad_top;
  for (int32_t row = window->kernel_h; row > 0; --row) {
    fill_words(padding, row_bytes, patch);
    if (y >= 0 && y < window->input_h && first < end) {
      copy_bytes(source + first * channels, (end - first) * channels, patch + first * channels);
    }
    source += step;
    patch += row_bytes;
    y += window->dilation_h;
  }
}

void hil_fill_columns_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params,
                             const hil_position *tile, uint32_t *columns, int8_t *patches) {
  const hil_window *const window = &params->window;
  const int32_t depth = params->layer.depth;
  if (params->rows == HIL_ROWS_OF_WORDS && is_inside(params, tile[0]) && is_inside(params, tile[1]) &&
      is_inside(params, tile[2])) {
    expand_rows(input, params, tile, columns);
    return;
  }
  for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
    int8_t *const patch = patches + column * depth;
    const hil_position at = tile[column];
    if (params->rows == HIL_ROWS_APART) {
      hil_gather_patch_s8(input, window, at.y, at.x, patch);
    } else if (is_inside(params, at)) {
      copy_inside(input, params, at, patch);
    } else {
      copy_border(input, params, at, patch);
    }
  }
  hil_expand_columns_dsp_s8(patches, patches + depth, patches + 2 * depth, columns, depth / 4);
}
