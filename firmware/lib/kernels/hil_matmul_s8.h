/*
 * Rows times weights: what convolutions and fully connected layers have in common.  An input row (a gathered
 * patch, a pixel, a vector) is multiplied with every row of the weights, and each sum passes the output
 * stage.
 */
#ifndef HIL_MATMUL_S8_H
#define HIL_MATMUL_S8_H

#include "hil_kernels.h"

/* One row of `depth` bytes -> `channels` outputs.  weights: [channels / 2][depth][2], a last odd channel by
 * itself. */
void hil_matmul_row_s8(const int8_t *row, const HIL_FLASH int8_t *weights, int32_t depth, int32_t channels,
                       const HIL_FLASH hil_output_stage *stage, int8_t *output);

/* Two rows at once: half the weight loads.  Their outputs lie one after the other. */
void hil_matmul_row_pair_s8(const int8_t *row_0, const int8_t *row_1, const HIL_FLASH int8_t *weights,
                            int32_t depth, int32_t channels, const HIL_FLASH hil_output_stage *stage,
                            int8_t *output);

#endif
