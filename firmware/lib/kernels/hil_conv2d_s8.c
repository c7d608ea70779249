#include "hil_kernels.h"
#include "hil_matmul_s8.h"
#include "hil_patch_s8.h"

/* Each window is copied once, padding included, and then multiplied with all output channels; two windows at
 * a time. */
void hil_conv2d_s8(const int8_t *input, const HIL_FLASH hil_conv2d_params *params, int8_t *output,
                   void *scratch) {
  const HIL_FLASH hil_window *const window = &params->window;
  const int32_t depth = window->kernel_h * window->kernel_w * window->input_c;
  int8_t *const patch_0 = scratch;
  int8_t *const patch_1 = patch_0 + depth;
  int waiting = 0;
  for (int32_t y = 0; y < window->output_h; ++y) {
    for (int32_t x = 0; x < window->output_w; ++x) {
      hil_gather_patch_s8(input, window, y, x, waiting ? patch_1 : patch_0);
      if (waiting) {
        hil_matmul_row_pair_s8(patch_0, patch_1, params->weights, depth, params->output_c, &params->stage,
                               output);
        output += 2 * params->output_c;
      }
      waiting = !waiting;
    }
  }
  if (waiting) {
    hil_matmul_row_s8(patch_0, params->weights, depth, params->output_c, &params->stage, output);
  }
}
