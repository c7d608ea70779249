#include "hil_dsp.h"
#include "hil_pool2d_s8.h"

static uint32_t four_times(int32_t value) { return ((uint32_t)value & 0xffu) * 0x01010101u; }

void hil_max_pool2d_dsp_s8(const int8_t *input, const hil_pool2d_params *params, int8_t *output,
                           void *scratch) {
  const hil_window *const window = &params->window;
  const int32_t channels = window->input_c;
  const int32_t line = window->input_w * channels;
  const uint32_t low = four_times(params->activation_min);
  const uint32_t high = four_times(params->activation_max);
  (void)scratch;
  for (int32_t y = 0; y < window->output_h; ++y) {
    for (int32_t x = 0; x < window->output_w; ++x) {
      const hil_pool_region region = hil_pool_clip(input, window, y, x);
      const int32_t row_bytes = region.columns * channels;
      for (int32_t channel = 0; channel < channels; channel += 4) {
        const int8_t *row = region.first + channel;
        uint32_t maximum = low;
        for (int32_t i = 0; i < region.rows; ++i) {
          const int8_t *const end = row + row_bytes;
          for (const int8_t *pixel = row; pixel < end; pixel += channels) {
            maximum = hil_max_bytes(maximum, hil_load_word(pixel));
          }
          row += line;
        }
        hil_store_word(output, hil_min_bytes(maximum, high));
        output += 4;
      }
    }
  }
}
