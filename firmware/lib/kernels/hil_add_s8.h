/* What ADD and SUB share. */
#ifndef HIL_ADD_S8_H
#define HIL_ADD_S8_H

#include "hil_arithmetic.h"
#include "hil_kernels.h"

/* Both operands are brought to one scale with 20 bits of head room, added (sign 1) or subtracted (sign -1),
 * and scaled to the output. */
static const int32_t HIL_ADD_HEADROOM = (int32_t)1 << 20;

static inline int32_t hil_add_scale_down(int32_t value, int32_t multiplier, int32_t right_shift) {
  return hil_rounding_divide_by_power(hil_doubling_high_multiply(value, multiplier), right_shift);
}

/* One innermost row of `size` elements; `sign` is a constant of each caller. */
static inline void hil_add_row(const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                               const HIL_FLASH hil_add_params *params, int32_t sign, int32_t size,
                               int8_t *output) {
  const int32_t zero_point_a = params->zero_point_a;
  const int32_t zero_point_b = params->zero_point_b;
  for (int32_t i = 0; i < size; ++i) {
    const int32_t term_a =
        hil_add_scale_down((*a - zero_point_a) * HIL_ADD_HEADROOM, params->multiplier_a, -params->shift_a);
    const int32_t term_b =
        hil_add_scale_down((*b - zero_point_b) * HIL_ADD_HEADROOM, params->multiplier_b, -params->shift_b);
    const int32_t sum =
        hil_add_scale_down(term_a + sign * term_b, params->multiplier, -params->shift) + params->zero_point;
    output[i] = (int8_t)hil_clamp(sum, params->activation_min, params->activation_max);
    a += step_a;
    b += step_b;
  }
}

static inline void hil_add_maps(const int8_t *a, const int8_t *b, const HIL_FLASH hil_add_params *params,
                                int32_t sign, int8_t *output) {
  const HIL_FLASH hil_broadcast *const shape = &params->shape;
  const HIL_FLASH int32_t *const step_a = shape->step_a;
  const HIL_FLASH int32_t *const step_b = shape->step_b;
  for (int32_t i = 0; i < shape->size[0]; ++i) {
    for (int32_t j = 0; j < shape->size[1]; ++j) {
      for (int32_t k = 0; k < shape->size[2]; ++k) {
        hil_add_row(a + i * step_a[0] + j * step_a[1] + k * step_a[2], step_a[3],
                    b + i * step_b[0] + j * step_b[1] + k * step_b[2], step_b[3], params, sign,
                    shape->size[3], output);
        output += shape->size[3];
      }
    }
  }
}

#endif
