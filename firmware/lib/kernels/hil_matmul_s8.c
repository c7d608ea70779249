#include "hil_matmul_s8.h"

#include "hil_output_stage.h"

/* A product of two int8 fits an `int` of 16 bits, and is multiplied as one where that is cheaper. */

void hil_matmul_row_s8(const int8_t *row, const HIL_FLASH int8_t *weights, int32_t depth, int32_t channels,
                       const HIL_FLASH hil_output_stage *stage, int8_t *output) {
  const int8_t *const row_end = row + depth;
  int32_t channel = 0;
  for (; channel + 2 <= channels; channel += 2) {
    int32_t sum_0 = 0;
    int32_t sum_1 = 0;
    for (const int8_t *x = row; x != row_end;) {
      const int value = *x++;
      sum_0 += value * *weights++;
      sum_1 += value * *weights++;
    }
    output[channel] = hil_output(stage, channel, sum_0);
    output[channel + 1] = hil_output(stage, channel + 1, sum_1);
  }
  if (channel < channels) {
    int32_t sum = 0;
    for (const int8_t *x = row; x != row_end;) {
      sum += *x++ * *weights++;
    }
    output[channel] = hil_output(stage, channel, sum);
  }
}

void hil_matmul_row_pair_s8(const int8_t *row_0, const int8_t *row_1, const HIL_FLASH int8_t *weights,
                            int32_t depth, int32_t channels, const HIL_FLASH hil_output_stage *stage,
                            int8_t *output) {
  const int8_t *const row_end = row_0 + depth;
  int8_t *const output_0 = output;
  int8_t *const output_1 = output + channels;
  int32_t channel = 0;
  for (; channel + 2 <= channels; channel += 2) {
    const int8_t *x_1 = row_1;
    int32_t sum_00 = 0;
    int32_t sum_01 = 0;
    int32_t sum_10 = 0;
    int32_t sum_11 = 0;
    for (const int8_t *x_0 = row_0; x_0 != row_end;) {
      const int value_0 = *x_0++;
      const int value_1 = *x_1++;
      const int weight_0 = *weights++;
      const int weight_1 = *weights++;
      sum_00 += value_0 * weight_0;
      sum_01 += value_0 * weight_1;
      sum_10 += value_1 * weight_0;
      sum_11 += value_1 * weight_1;
    }
    output_0[channel] = hil_output(stage, channel, sum_00);
    output_0[channel + 1] = hil_output(stage, channel + 1, sum_01);
    output_1[channel] = hil_output(stage, channel, sum_10);
    output_1[channel + 1] = hil_output(stage, channel + 1, sum_11);
  }
  if (channel < channels) {
    const int8_t *x_1 = row_1;
    int32_t sum_0 = 0;
    int32_t sum_1 = 0;
    for (const int8_t *x_0 = row_0; x_0 != row_end;) {
      const int weight = *weights++;
      sum_0 += *x_0++ * weight;
      sum_1 += *x_1++ * weight;
    }
    output_0[channel] = hil_output(stage, channel, sum_0);
    output_1[channel] = hil_output(stage, channel, sum_1);
  }
}
