#include "hil_kernels.h"
#include "hil_matmul_s8.h"

/* Each pixel is a row of its own; two at a time.  The second pixel of a pair may be the first of the next
 * line. */
void hil_conv2d_1x1_s8(const int8_t *input, const HIL_FLASH hil_conv2d_params *params, int8_t *output,
                       void *scratch) {
  const HIL_FLASH hil_window *const window = &params->window;
  const int32_t depth = window->input_c;
  const int8_t *waiting = 0;
  (void)scratch;
  for (int32_t y = 0; y < window->output_h; ++y) {
    const int8_t *pixel = input + y * window->stride_h * window->input_w * depth;
    for (int32_t x = 0; x < window->output_w; ++x) {
      if (waiting) {
        hil_matmul_row_pair_s8(waiting, pixel, params->weights, depth, params->output_c, &params->stage,
                               output);
        output += 2 * params->output_c;
        waiting = 0;
      } else {
        waiting = pixel;
      }
      pixel += window->stride_w * depth;
    }
  }
  if (waiting) {
    hil_matmul_row_s8(waiting, params->weights, depth, params->output_c, &params->stage, output);
  }
}
