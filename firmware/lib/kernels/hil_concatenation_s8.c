#include <string.h>

#include "hil_kernels.h"

void hil_concatenation_s8(const int8_t *const HIL_FLASH *inputs,
                          const HIL_FLASH hil_concatenation_params *params, int8_t *output, void *scratch) {
  (void)scratch;
  for (int32_t outer = 0; outer < params->outer; ++outer) {
    for (int32_t i = 0; i < params->count; ++i) {
      const int32_t bytes = params->chunk_bytes[i];
      memcpy(output, inputs[i] + outer * bytes, (size_t)bytes);
      output += bytes;
    }
  }
}
