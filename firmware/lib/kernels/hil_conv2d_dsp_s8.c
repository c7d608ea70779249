#include "hil_dsp.h"
#include "hil_kernels.h"
#include "hil_patch_s8.h"
#include "hil_tile_dsp_s8.h"

typedef struct {
  int32_t y, x; /* of the output */
} position;

static void advance(position *at, const hil_window *window) {
  if (++at->x == window->output_w) {
    at->x = 0;
    ++at->y;
  }
}

static const int8_t *window_start(const int8_t *input, const hil_window *window, position at) {
  const int32_t top = at.y * window->stride_h - window->pad_top;
  const int32_t left = at.x * window->stride_w - window->pad_left;
  return input + (top * window->input_w + left) * window->input_c;
}

/* Rows that are whole words: expanded from where they lie. */
static void expand_rows(const int8_t *input, const hil_conv2d_dsp_params *params, const position *tile,
                        uint32_t *columns) {
  const hil_window *const window = &params->window;
  const int32_t words = window->kernel_w * window->input_c / 4;
  const int32_t step = window->dilation_h * window->input_w * window->input_c;
  const int8_t *a = window_start(input, window, tile[0]);
  const int8_t *b = window_start(input, window, tile[1]);
  const int8_t *c = window_start(input, window, tile[2]);
  for (int32_t row = 0; row < window->kernel_h; ++row) {
    columns = hil_expand_columns_dsp_s8(a, b, c, columns, words);
    a += step;
    b += step;
    c += step;
  }
}

/* A window inside the input, in whole words: what is copied too much of a row is overwritten by the next one,
 * or meets weights of 0.  Reads up to 3 bytes and writes up to 3 bytes beyond. */
static void copy_window(const int8_t *source, const hil_window *window, int8_t *patch) {
  const int32_t row_bytes = window->kernel_w * window->input_c;
  const int32_t step = window->dilation_h * window->input_w * window->input_c;
  for (int32_t row = 0; row < window->kernel_h; ++row) {
    for (int32_t byte = 0; byte < row_bytes; byte += 4) {
      const uint32_t word = hil_load_word(source + byte);
      memcpy(patch + byte, &word, sizeof word);
    }
    source += step;
    patch += row_bytes;
  }
}

static void gather(const int8_t *input, const hil_conv2d_dsp_params *params, position at, int8_t *patch) {
  const hil_window *const window = &params->window;
  if (params->rows_are_adjacent && hil_window_is_inside(window, at.y, at.x)) {
    const int8_t *const source = window_start(input, window, at);
    const int8_t *const end = input + window->input_h * window->input_w * window->input_c;
    const int32_t span = (window->kernel_h - 1) * window->dilation_h * window->input_w + window->kernel_w;
    if (source + span * window->input_c + 3 <= end) {
      copy_window(source, window, patch);
      return;
    }
  }
  hil_gather_patch_s8(input, window, at.y, at.x, patch);
}

/* The windows of one tile as columns; `patches` is room for three windows of int8, and a word. */
static void fill(const int8_t *input, const hil_conv2d_dsp_params *params, const position *tile,
                 uint32_t *columns, int8_t *patches) {
  const hil_window *const window = &params->window;
  const int32_t depth = params->layer.depth;
  int direct = params->rows_are_words;
  for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
    direct = direct && hil_window_is_inside(window, tile[column].y, tile[column].x);
  }
  if (direct) {
    expand_rows(input, params, tile, columns);
    return;
  }
  for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
    gather(input, params, tile[column], patches + column * depth);
  }
  hil_expand_columns_dsp_s8(patches, patches + depth, patches + 2 * depth, columns, depth / 4);
}

void hil_conv2d_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params, int8_t *output,
                       void *scratch) {
  const hil_window *const window = &params->window;
  const int32_t step = params->output_c;
  uint32_t *const columns = scratch;
  int8_t *const patches = (int8_t *)(columns + HIL_TILE_COLUMNS * params->layer.depth / 2);
  position at = {0, 0};
  int32_t left = window->output_h * window->output_w;
  for (; left >= HIL_TILE_COLUMNS; left -= HIL_TILE_COLUMNS) {
    position tile[HIL_TILE_COLUMNS];
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      tile[column] = at;
      advance(&at, window);
    }
    fill(input, params, tile, columns, patches);
    params->tile(columns, &params->layer, output, step);
    output += HIL_TILE_COLUMNS * step;
  }
  for (; left > 0; --left) { /* one pixel thrice */
    const position tile[HIL_TILE_COLUMNS] = {at, at, at};
    fill(input, params, tile, columns, patches);
    params->tile(columns, &params->layer, output, 0);
    advance(&at, window);
    output += step;
  }
}
