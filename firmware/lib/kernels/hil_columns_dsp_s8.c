#include "hil_columns_dsp_s8.h"

#include <string.h>

#include "hil_dsp.h"
#include "hil_patch_s8.h"
#include "hil_tile_dsp_s8.h"

void hil_columns_begin_dsp_s8(hil_columns *job, const int8_t *input, const hil_conv2d_dsp_params *params,
                              void *scratch) {
  const hil_window *const window = &params->window;
  const int32_t line = window->input_w * window->input_c;
  job->params = params;
  job->input = input;
  job->origin = input - window->pad_top * line - window->pad_left * window->input_c;
  job->columns = scratch;
  job->patches = (int8_t *)(job->columns + HIL_TILE_COLUMNS * params->layer.depth / 2);
  job->y_step = window->stride_h * line;
  job->x_step = window->stride_w * window->input_c;
  job->row_step = window->dilation_h * line;
  job->row_bytes = params->row_bytes;
  job->row_count = window->kernel_h;
  job->depth = params->layer.depth;
  job->way = params->rows;
  job->first_y = params->inside_y[0];
  job->count_y = params->inside_y[1] - params->inside_y[0];
  job->first_x = params->inside_x[0];
  job->count_x = params->inside_x[1] - params->inside_x[0];
}

static inline int is_inside(const hil_columns *job, hil_position at) {
  return at.y >= job->first_y && at.y - job->first_y <= job->count_y && at.x >= job->first_x &&
         at.x - job->first_x <= job->count_x;
}

static inline const int8_t *window_start(const hil_columns *job, hil_position at) {
  return job->origin + at.y * job->y_step + at.x * job->x_step;
}

/* Rows that are whole words: expanded from where they lie. */
static void expand_rows(const hil_columns *job, const hil_position *tile) {
  const int32_t words = job->row_bytes / 4;
  const int32_t step = job->row_step;
  const int8_t *a = window_start(job, tile[0]);
  const int8_t *b = window_start(job, tile[1]);
  const int8_t *c = window_start(job, tile[2]);
  uint32_t *columns = job->columns;
  for (int32_t row = job->row_count; row > 0; --row) {
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
  for (; bytes > 8; bytes -= 12) {
    const uint32_t a = hil_load_word(source);
    const uint32_t b = hil_load_word(source + 4);
    const uint32_t c = hil_load_word(source + 8);
    store_word(patch, a);
    store_word(patch + 4, b);
    store_word(patch + 8, c);
    source += 12;
    patch += 12;
  }
  for (; bytes > 0; bytes -= 4) {
    store_word(patch, hil_load_word(source));
    source += 4;
    patch += 4;
  }
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

static void copy_inside(const hil_columns *job, hil_position at, int8_t *patch) {
  const int32_t row_bytes = job->row_bytes;
  const int32_t step = job->row_step;
  const int8_t *source = window_start(job, at);
  for (int32_t row = job->row_count; row > 0; --row) {
    copy_words(source, row_bytes, patch);
    source += step;
    patch += row_bytes;
  }
}

/* dilation_w = 1 */
static void copy_border(const hil_columns *job, hil_position at, int8_t *patch) {
  const hil_window *const window = &job->params->window;
  const uint32_t padding = ((uint32_t)window->padding_value & 0xffu) * 0x01010101u;
  const int32_t left = at.x * window->stride_w - window->pad_left;
  const int32_t first = left < 0 ? -left : 0; /* taps that lie in the input, if any do */
  const int32_t end = window->input_w - left < window->kernel_w ? window->input_w - left : window->kernel_w;
  const int32_t before = first * window->input_c;
  const int32_t bytes = first < end ? end * window->input_c - before : 0;
  const int32_t height = window->input_h;
  const int32_t dilation = window->dilation_h;
  const int8_t *source = window_start(job, at) + before;
  int32_t y = at.y * window->stride_h - window->pad_top;
  for (int32_t row = job->row_count; row > 0; --row) {
    fill_words(padding, job->row_bytes, patch);
    if (y >= 0 && y < height) {
      copy_bytes(source, bytes, patch + before);
    }
    source += job->row_step;
    patch += job->row_bytes;
    y += dilation;
  }
}

void hil_columns_fill_dsp_s8(const hil_columns *job, const hil_position *tile) {
  if (job->way == HIL_ROWS_OF_WORDS && is_inside(job, tile[0]) && is_inside(job, tile[1]) &&
      is_inside(job, tile[2])) {
    expand_rows(job, tile);
    return;
  }
  int8_t *patch = job->patches;
  for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
    const hil_position at = tile[column];
    if (job->way == HIL_ROWS_APART) {
      hil_gather_patch_s8(job->input, &job->params->window, at.y, at.x, patch);
    } else if (is_inside(job, at)) {
      copy_inside(job, at, patch);
    } else {
      copy_border(job, at, patch);
    }
    patch += job->depth;
  }
  patch = job->patches;
  hil_expand_columns_dsp_s8(patch, patch + job->depth, patch + 2 * job->depth, job->columns, job->depth / 4);
}
