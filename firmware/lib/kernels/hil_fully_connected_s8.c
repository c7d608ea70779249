#include "hil_kernels.h"
#include "hil_matmul_s8.h"

void hil_fully_connected_s8(const int8_t *input, const HIL_FLASH hil_fully_connected_params *params,
                            int8_t *output, void *scratch) {
  int32_t rows = params->rows;
  (void)scratch;
  for (; rows >= 2; rows -= 2) {
    hil_matmul_row_pair_s8(input, input + params->input_size, params->weights, params->input_size,
                           params->output_size, &params->stage, output);
    input += 2 * params->input_size;
    output += 2 * params->output_size;
  }
  if (rows > 0) {
    hil_matmul_row_s8(input, params->weights, params->input_size, params->output_size, &params->stage,
                      output);
  }
}
