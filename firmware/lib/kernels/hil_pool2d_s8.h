/* The part of a pool's window that lies inside the input. */
#ifndef HIL_POOL2D_S8_H
#define HIL_POOL2D_S8_H

#include "hil_arithmetic.h"
#include "hil_kernels.h"

typedef struct {
  const int8_t *first; /* first element of channel 0 */
  int32_t rows;
  int32_t columns;
} hil_pool_region;

static inline hil_pool_region hil_pool_clip(const int8_t *input, const HIL_FLASH hil_window *window,
                                            int32_t y, int32_t x) {
  const int32_t top = y * window->stride_h - window->pad_top;
  const int32_t left = x * window->stride_w - window->pad_left;
  const int32_t first_row = hil_clamp(top, 0, window->input_h);
  const int32_t first_column = hil_clamp(left, 0, window->input_w);
  hil_pool_region region;
  region.first = input + (first_row * window->input_w + first_column) * window->input_c;
  region.rows = hil_clamp(top + window->kernel_h, 0, window->input_h) - first_row;
  region.columns = hil_clamp(left + window->kernel_w, 0, window->input_w) - first_column;
  return region;
}

#endif
