#include "hil_add_s8.h"

void hil_sub_s8(const int8_t *a, const int8_t *b, const HIL_FLASH hil_add_params *params, int8_t *output,
                void *scratch) {
  (void)scratch;
  hil_add_maps(a, b, params, -1, output);
}
