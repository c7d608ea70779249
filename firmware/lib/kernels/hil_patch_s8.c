#include "hil_patch_s8.h"

#include <string.h>

#include "hil_arithmetic.h"

/* One row of adjacent taps: padding, a run of the input, padding. */
static void gather_adjacent_row(const int8_t *input_row, const HIL_FLASH hil_window *window, int32_t left,
                                int8_t *patch) {
  const int32_t channels = window->input_c;
  const int32_t first = hil_clamp(-left, 0, window->kernel_w);
  const int32_t last = hil_clamp(window->input_w - left, first, window->kernel_w);
  if (first > 0) {
    memset(patch, (int)window->padding_value, (size_t)(first * channels));
  }
  if (last > first) {
    memcpy(patch + first * channels, input_row + (left + first) * channels,
           (size_t)((last - first) * channels));
  }
  if (last < window->kernel_w) {
    memset(patch + last * channels, (int)window->padding_value,
           (size_t)((window->kernel_w - last) * channels));
  }
}

/* One row of taps that are `dilation_w` apart. */
static void gather_dilated_row(const int8_t *input_row, const HIL_FLASH hil_window *window, int32_t left,
                               int8_t *patch) {
  const int32_t channels = window->input_c;
  for (int32_t tap = 0; tap < window->kernel_w; ++tap) {
    const int32_t column = left + tap * window->dilation_w;
    if (column >= 0 && column < window->input_w) {
      memcpy(patch, input_row + column * channels, (size_t)channels);
    } else {
      memset(patch, (int)window->padding_value, (size_t)channels);
    }
    patch += channels;
  }
}

void hil_gather_patch_s8(const int8_t *input, const HIL_FLASH hil_window *window, int32_t y, int32_t x,
                         int8_t *patch) {
  const int32_t row_bytes = window->kernel_w * window->input_c;
  const int32_t left = x * window->stride_w - window->pad_left;
  int32_t row = y * window->stride_h - window->pad_top;
  for (int32_t tap = 0; tap < window->kernel_h; ++tap) {
    if (row < 0 || row >= window->input_h) {
      memset(patch, (int)window->padding_value, (size_t)row_bytes);
    } else {
      const int8_t *const input_row = input + row * window->input_w * window->input_c;
      if (window->dilation_w == 1) {
        gather_adjacent_row(input_row, window, left, patch);
      } else {
        gather_dilated_row(input_row, window, left, patch);
      }
    }
    patch += row_bytes;
    row += window->dilation_h;
  }
}
