#include "hil_kernels.h"
#include "hil_output_stage.h"
#include "hil_patch_s8.h"

/* Outputs `channel` .. `channel` + 3, which share one input channel at `taps`. */
static void four_outputs(const int8_t *taps, int32_t row_step, int32_t tap_step, int32_t channel,
                         const HIL_FLASH hil_depthwise_conv2d_params *params, int8_t *output) {
  const int32_t output_c = params->window.input_c * params->multiplier;
  const HIL_FLASH int8_t *weights = params->weights + channel;
  int32_t sum_0 = 0;
  int32_t sum_1 = 0;
  int32_t sum_2 = 0;
  int32_t sum_3 = 0;
  for (int32_t ky = 0; ky < params->window.kernel_h; ++ky) {
    const int8_t *x = taps;
    for (int32_t kx = 0; kx < params->window.kernel_w; ++kx) {
      const int value = *x; /* products fit 16 bits */
      sum_0 += value * weights[0];
      sum_1 += value * weights[1];
      sum_2 += value * weights[2];
      sum_3 += value * weights[3];
      x += tap_step;
      weights += output_c;
    }
    taps += row_step;
  }
  output[channel] = hil_output(&params->stage, channel, sum_0);
  output[channel + 1] = hil_output(&params->stage, channel + 1, sum_1);
  output[channel + 2] = hil_output(&params->stage, channel + 2, sum_2);
  output[channel + 3] = hil_output(&params->stage, channel + 3, sum_3);
}

static void one_output(const int8_t *taps, int32_t row_step, int32_t tap_step, int32_t channel,
                       const HIL_FLASH hil_depthwise_conv2d_params *params, int8_t *output) {
  const int32_t output_c = params->window.input_c * params->multiplier;
  const HIL_FLASH int8_t *weights = params->weights + channel;
  int32_t sum = 0;
  for (int32_t ky = 0; ky < params->window.kernel_h; ++ky) {
    const int8_t *x = taps;
    for (int32_t kx = 0; kx < params->window.kernel_w; ++kx) {
      sum += *x * *weights;
      x += tap_step;
      weights += output_c;
    }
    taps += row_step;
  }
  output[channel] = hil_output(&params->stage, channel, sum);
}

/* Taps of a window: `row_step` and `tap_step` bytes from one row and one tap to the next. */
static void one_pixel(const int8_t *taps, int32_t row_step, int32_t tap_step,
                      const HIL_FLASH hil_depthwise_conv2d_params *params, int8_t *output) {
  int32_t channel = 0;
  for (int32_t source = 0; source < params->window.input_c; ++source) {
    const int32_t end = channel + params->multiplier;
    for (; channel + 4 <= end; channel += 4) {
      four_outputs(taps + source, row_step, tap_step, channel, params, output);
    }
    for (; channel < end; ++channel) {
      one_output(taps + source, row_step, tap_step, channel, params, output);
    }
  }
}

/* Windows inside the input are read where they lie; those at the border are copied first, padding included.
 */
void hil_depthwise_conv2d_s8(const int8_t *input, const HIL_FLASH hil_depthwise_conv2d_params *params,
                             int8_t *output, void *scratch) {
  const HIL_FLASH hil_window *const window = &params->window;
  const int32_t channels = window->input_c;
  const int32_t line = window->input_w * channels;
  for (int32_t y = 0; y < window->output_h; ++y) {
    const int32_t top = y * window->stride_h - window->pad_top;
    for (int32_t x = 0; x < window->output_w; ++x) {
      if (hil_window_is_inside(window, y, x)) {
        const int32_t left = x * window->stride_w - window->pad_left;
        one_pixel(input + top * line + left * channels, window->dilation_h * line,
                  window->dilation_w * channels, params, output);
      } else {
        hil_gather_patch_s8(input, window, y, x, scratch);
        one_pixel(scratch, window->kernel_w * channels, channels, params, output);
      }
      output += channels * params->multiplier;
    }
  }
}
