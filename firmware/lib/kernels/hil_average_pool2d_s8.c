#include "hil_pool2d_s8.h"

void hil_average_pool2d_s8(const int8_t *input, const HIL_FLASH hil_pool2d_params *params, int8_t *output,
                           void *scratch) {
  const HIL_FLASH hil_window *const window = &params->window;
  const int32_t channels = window->input_c;
  const int32_t line = window->input_w * channels;
  (void)scratch;
  for (int32_t y = 0; y < window->output_h; ++y) {
    for (int32_t x = 0; x < window->output_w; ++x) {
      const hil_pool_region region = hil_pool_clip(input, window, y, x);
      const int32_t count = region.rows * region.columns;
      const int32_t half = count / 2;
      for (int32_t channel = 0; channel < channels; ++channel) {
        int32_t sum = 0;
        for (int32_t row = 0; row < region.rows; ++row) {
          const int8_t *value = region.first + row * line + channel;
          for (int32_t column = 0; column < region.columns; ++column) {
            sum += *value;
            value += channels;
          }
        }
        /* Rounded to nearest, ties away from zero. */
        const int32_t average = (sum > 0 ? sum + half : sum - half) / count;
        *output++ = (int8_t)hil_clamp(average, params->activation_min, params->activation_max);
      }
    }
  }
}
