/*
 * A model for tests: output = input + 1, byte by byte, in TINY_OPERATORS operators that work in place.  The
 * first adds 3, the second subtracts 2, further ones do nothing.  An input that begins with TINY_FAULT faults
 * in the first operator.
 */
#include "hil_build.h"
#include "hil_model.h"
#include "host_port.h"

#ifndef TINY_BYTES
#define TINY_BYTES 200
#endif
#ifndef TINY_OPERATORS
#define TINY_OPERATORS 2
#endif
#ifndef TINY_OUTPUT_BYTES
#define TINY_OUTPUT_BYTES TINY_BYTES
#endif
#ifndef TINY_CYCLES
#define TINY_CYCLES 1000u /* of the first operator; the second takes twice as many */
#endif
#define TINY_OFFSET 16
#define TINY_FAULT  0x7F

_Alignas(16) int8_t hil_arena[TINY_OFFSET + TINY_BYTES];

const hil_model_info hil_model = {
    .digest = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
               16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
    .arena_bytes = TINY_OFFSET + TINY_BYTES,
    .input_offset = TINY_OFFSET,
    .input_bytes = TINY_BYTES,
    .output_offset = TINY_OFFSET,
    .output_bytes = TINY_OUTPUT_BYTES,
    .operator_count = TINY_OPERATORS,
    .input_scale = 0.25f,
    .output_scale = 0.00390625f,
    .input_zero_point = 5,
    .output_zero_point = -128,
};

const uint8_t hil_build_digest[HIL_BUILD_DIGEST_BYTES] = {'A', ' ', 'B', 'U', 'I', 'L', 'D', '.'};

static void add(int value) {
  for (int i = 0; i < TINY_BYTES; ++i) {
    hil_arena[TINY_OFFSET + i] = (int8_t)(uint8_t)(hil_arena[TINY_OFFSET + i] + value);
  }
}

void hil_model_run_operator(uint16_t index) {
  host_spend(TINY_CYCLES * (index + 1u));
  host_use_stack(300u + index);
  if (index == 0) {
    if (hil_arena[TINY_OFFSET] == TINY_FAULT) {
      static const uint32_t registers[12] = {0, 1, 2, 3, 12, 0x1235, 0x4242, 0x61000000, 1u << 25, 0, 0, 0};
      host_fault(6, registers);
    }
    add(3);
  } else if (index == 1) {
    add(-2);
  }
}
