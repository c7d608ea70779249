/* The last step of every sum of products; see hil_output_stage in hil_kernels.h. */
#ifndef HIL_OUTPUT_STAGE_H
#define HIL_OUTPUT_STAGE_H

#include "hil_arithmetic.h"
#include "hil_kernels.h"

HIL_INLINE_IF_SMALL int8_t hil_output(const HIL_FLASH hil_output_stage *stage, int32_t channel, int32_t sum) {
  const int32_t factor = channel * stage->factor_step;
  const int32_t scaled = hil_multiply_by_factor(hil_wrapping_add(sum, stage->bias[channel]),
                                                stage->multiplier[factor], stage->shift[factor]);
  return (int8_t)hil_clamp(hil_wrapping_add(scaled, stage->zero_point), stage->activation_min,
                           stage->activation_max);
}

#endif
