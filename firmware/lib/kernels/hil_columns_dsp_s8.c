#include "hil_columns_dsp_s8.h"

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
  job->pitch = params->layer.depth + 4;
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

/* What follows writes whole words, up to three bytes too many: the next row overwrites them, or they meet
 * weights of 0, or they fall into the gap behind a patch. */

/* Twelve bytes, or four. */
static inline void copy_12(const int8_t *source, int8_t *patch) {
  const uint32_t a = hil_load_word(source);
  const uint32_t b = hil_load_word(source + 4);
  const uint32_t c = hil_load_word(source + 8);
  hil_store_word(patch, a);
  hil_store_word(patch + 4, b);
  hil_store_word(patch + 8, c);
}

static inline void copy_4(const int8_t *source, int8_t *patch) {
  hil_store_word(patch, hil_load_word(source));
}

static inline void fill_words(uint32_t word, int32_t bytes, int8_t *patch) {
  for (const int8_t *const end = patch + bytes; patch < end; patch += 4) {
    hil_store_word(patch, word);
  }
}

static inline void copy_bytes(const int8_t *source, int32_t bytes, int8_t *patch) {
  for (; bytes >= 4; bytes -= 4) {
    hil_store_word(patch, hil_load_word(source));
    source += 4;
    patch += 4;
  }
  for (; bytes > 0; --bytes) {
    *patch++ = *source++;
  }
}

/* Three windows at once, row by row.  Reads too many bytes too; the compiler has seen to it that the input
 * goes on. */
static void copy_rows(const hil_columns *job, const hil_position *tile) {
  const int32_t row_bytes = job->row_bytes;
  const int32_t pitch = job->pitch;
  const int8_t *const a = window_start(job, tile[0]);
  const int8_t *const b = window_start(job, tile[1]);
  const int8_t *const c = window_start(job, tile[2]);
  int8_t *patch = job->patches;
  int32_t row = 0;
  for (int32_t count = job->row_count; count > 0; --count) {
    int32_t byte = 0;
    for (; row_bytes - byte > 8; byte += 12) {
      copy_12(a + row + byte, patch + byte);
      copy_12(b + row + byte, patch + byte + pitch);
      copy_12(c + row + byte, patch + byte + 2 * pitch);
    }
    for (; byte < row_bytes; byte += 4) {
      copy_4(a + row + byte, patch + byte);
      copy_4(b + row + byte, patch + byte + pitch);
      copy_4(c + row + byte, patch + byte + 2 * pitch);
    }
    row += job->row_step;
    patch += row_bytes;
  }
}

/* A window that may reach outside, with dilation_w = 1. */
static void copy_window(const hil_columns *job, hil_position at, int8_t *patch) {
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

/* Three rows of nine bytes, 3x3 of three colours, become seven words; columns of the other two windows lie
 * between them. */
static inline void put_words(uint32_t word, uint32_t *columns) {
  columns[0] = hil_sxtb16(word);
  columns[HIL_TILE_COLUMNS] = hil_sxtb16_odd(word);
}

static void expand_colours(const int8_t *top, int32_t step, uint32_t *columns) {
  const int8_t *const middle = top + step;
  const int8_t *const bottom = middle + step;
  put_words(hil_load_word(top), columns);
  put_words(hil_load_word(top + 4), columns + 6);
  put_words((uint8_t)top[8] | hil_load_word(middle) << 8, columns + 12);
  put_words(hil_load_word(middle + 3), columns + 18);
  put_words((uint8_t)middle[7] | (uint32_t)(uint8_t)middle[8] << 8 | hil_load_word(bottom) << 16,
            columns + 24);
  put_words(hil_load_word(bottom + 2), columns + 30);
  put_words(hil_load_word(bottom + 5) >> 8, columns + 36);
}

void hil_columns_fill_dsp_s8(const hil_columns *job, const hil_position *tile) {
  int8_t *patch = job->patches;
  const int32_t pitch = job->pitch;
  const int inside = is_inside(job, tile[0]) && is_inside(job, tile[1]) && is_inside(job, tile[2]);
  if (inside && job->way == HIL_ROWS_OF_WORDS) {
    expand_rows(job, tile);
    return;
  }
  if (inside && job->way == HIL_ROWS_OF_COLOURS) {
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      expand_colours(window_start(job, tile[column]), job->row_step, job->columns + column);
    }
    return;
  }
  if (inside && job->way == HIL_ROWS_OF_BYTES) {
    copy_rows(job, tile);
  } else {
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      if (job->way == HIL_ROWS_APART) {
        hil_gather_patch_s8(job->input, &job->params->window, tile[column].y, tile[column].x,
                            patch + column * pitch);
      } else {
        copy_window(job, tile[column], patch + column * pitch);
      }
    }
  }
  hil_expand_columns_dsp_s8(patch, patch + pitch, patch + 2 * pitch, job->columns, job->depth / 4);
}
