#include "hil_arithmetic.h"
#include "hil_kernels.h"

static int32_t sum_of_one(const int8_t *input, const HIL_FLASH hil_mean_params *params) {
  int32_t sum = 0;
  for (int32_t i = 0; i < params->reduced_size[0]; ++i) {
    const int8_t *value = input;
    for (int32_t j = 0; j < params->reduced_size[1]; ++j) {
      sum += *value;
      value += params->reduced_step[1];
    }
    input += params->reduced_step[0];
  }
  return sum;
}

void hil_mean_s8(const int8_t *input, const HIL_FLASH hil_mean_params *params, int8_t *output,
                 void *scratch) {
  (void)scratch;
  for (int32_t i = 0; i < params->kept_size[0]; ++i) {
    const int8_t *first = input;
    for (int32_t j = 0; j < params->kept_size[1]; ++j) {
      const int32_t sum = sum_of_one(first, params) + params->offset;
      const int32_t mean =
          hil_multiply_by_factor(sum, params->multiplier, params->shift) + params->zero_point;
      *output++ = (int8_t)hil_clamp(mean, -128, 127);
      first += params->kept_step[1];
    }
    input += params->kept_step[0];
  }
}
