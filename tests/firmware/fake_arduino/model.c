/* output = input + 1, and 500 bytes of stack on the way. */
#include "hil_build.h"
#include "hil_model.h"

#define BYTES 40

_Alignas(16) int8_t hil_arena[BYTES];
const hil_model_info hil_model = {
    .arena_bytes = BYTES, .input_bytes = BYTES, .output_bytes = BYTES, .operator_count = 1};
const uint8_t hil_build_digest[HIL_BUILD_DIGEST_BYTES] = {1};

void hil_model_run_operator(uint16_t index) {
  volatile int8_t deep[500];
  for (int i = 0; i < 500; ++i) {
    deep[i] = 1;
  }
  for (int i = 0; i < BYTES; ++i) {
    hil_arena[i] = (int8_t)(hil_arena[i] + deep[index + (unsigned)i]);
  }
}
