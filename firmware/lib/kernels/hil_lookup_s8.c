#include "hil_kernels.h"

void hil_lookup_s8(const int8_t *input, const HIL_FLASH hil_lookup_params *params, int8_t *output,
                   void *scratch) {
  const HIL_FLASH int8_t *const table = params->table + 128;
  const int32_t size = params->size;
  (void)scratch;
  for (int32_t i = 0; i < size; ++i) {
    output[i] = table[input[i]];
  }
}
