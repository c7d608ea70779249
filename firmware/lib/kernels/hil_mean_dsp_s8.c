#include "hil_arithmetic.h"
#include "hil_kernels.h"
#include "hil_sum_dsp_s8.h"

void hil_mean_dsp_s8(const int8_t *input, const hil_mean_params *params, int8_t *output, void *scratch) {
  const int32_t channels = params->kept_size[1];
  (void)scratch;
  for (int32_t channel = 0; channel < channels; channel += 4) {
    int32_t sums[4] = {params->offset, params->offset, params->offset, params->offset};
    hil_sum_four_channels(input + channel, params->reduced_size[1], channels, sums);
    for (int i = 0; i < 4; ++i) {
      const int32_t mean =
          hil_multiply_by_factor(sums[i], params->multiplier, params->shift) + params->zero_point;
      *output++ = (int8_t)hil_clamp(mean, -128, 127);
    }
  }
}
