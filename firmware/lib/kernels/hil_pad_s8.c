#include <string.h>

#include "hil_kernels.h"

/* Is output position `i` of a dimension one of the input's? */
static int is_inside(const HIL_FLASH hil_pad_params *params, int dimension, int32_t i) {
  return i >= params->before[dimension] && i < params->before[dimension] + params->size[dimension];
}

/* The output is written once, front to back, in innermost rows. */
void hil_pad_s8(const int8_t *input, const HIL_FLASH hil_pad_params *params, int8_t *output, void *scratch) {
  int32_t total[4];
  (void)scratch;
  for (int d = 0; d < 4; ++d) {
    total[d] = params->before[d] + params->size[d] + params->after[d];
  }
  for (int32_t i = 0; i < total[0]; ++i) {
    for (int32_t j = 0; j < total[1]; ++j) {
      for (int32_t k = 0; k < total[2]; ++k) {
        if (is_inside(params, 0, i) && is_inside(params, 1, j) && is_inside(params, 2, k)) {
          memset(output, (int)params->value, (size_t)params->before[3]);
          memcpy(output + params->before[3], input, (size_t)params->size[3]);
          memset(output + params->before[3] + params->size[3], (int)params->value, (size_t)params->after[3]);
          input += params->size[3];
        } else {
          memset(output, (int)params->value, (size_t)total[3]);
        }
        output += total[3];
      }
    }
  }
}
