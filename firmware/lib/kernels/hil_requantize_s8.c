#include "hil_arithmetic.h"
#include "hil_kernels.h"

void hil_requantize_s8(const int8_t *input, const HIL_FLASH hil_requantize_params *params, int8_t *output,
                       void *scratch) {
  (void)scratch;
  for (int32_t i = 0; i < params->size; ++i) {
    const int32_t scaled =
        hil_multiply_by_factor(input[i] - params->input_zero_point, params->multiplier, params->shift);
    output[i] = (int8_t)hil_clamp(hil_wrapping_add(scaled, params->zero_point), params->activation_min,
                                  params->activation_max);
  }
}
