/* Windows over an input: which of them reach outside, and their copies with the padding filled in. */
#ifndef HIL_PATCH_S8_H
#define HIL_PATCH_S8_H

#include "hil_kernels.h"

/* 1 where the window of output (y, x) lies inside the input, else 0. */
static inline int hil_window_is_inside(const HIL_FLASH hil_window *window, int32_t y, int32_t x) {
  const int32_t top = y * window->stride_h - window->pad_top;
  const int32_t left = x * window->stride_w - window->pad_left;
  return top >= 0 && top + (window->kernel_h - 1) * window->dilation_h < window->input_h && left >= 0 &&
         left + (window->kernel_w - 1) * window->dilation_w < window->input_w;
}

/* Copy the window of output (y, x) to patch[kernel_h][kernel_w][input_c], padding included. */
void hil_gather_patch_s8(const int8_t *input, const HIL_FLASH hil_window *window, int32_t y, int32_t x,
                         int8_t *patch);

#endif
