#include "hil_pool2d_s8.h"
#include "hil_sum_dsp_s8.h"

void hil_average_pool2d_dsp_s8(const int8_t *input, const hil_pool2d_params *params, int8_t *output,
                               void *scratch) {
  const hil_window *const window = &params->window;
  const int32_t channels = window->input_c;
  const int32_t line = window->input_w * channels;
  (void)scratch;
  for (int32_t y = 0; y < window->output_h; ++y) {
    for (int32_t x = 0; x < window->output_w; ++x) {
      hil_pool_region region = hil_pool_clip(input, window, y, x);
      const int32_t count = region.rows * region.columns;
      const int32_t half = count / 2;
      if (region.columns == window->input_w) { /* whole rows follow each other */
        region.columns = count;
        region.rows = 1;
      }
      for (int32_t channel = 0; channel < channels; channel += 4) {
        int32_t sums[4] = {0, 0, 0, 0};
        const int8_t *row = region.first + channel;
        for (int32_t i = 0; i < region.rows; ++i) {
          hil_sum_four_channels(row, region.columns, channels, sums);
          row += line;
        }
        for (int i = 0; i < 4; ++i) { /* rounded to nearest, ties away from zero */
          const int32_t average = (sums[i] > 0 ? sums[i] + half : sums[i] - half) / count;
          *output++ = (int8_t)hil_clamp(average, params->activation_min, params->activation_max);
        }
      }
    }
  }
}
