#include "hil_arithmetic.h"
#include "hil_kernels.h"

/* One innermost row of `size` elements. */
static void mul_row(const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                    const HIL_FLASH hil_mul_params *params, int32_t size, int8_t *output) {
  for (int32_t i = 0; i < size; ++i) {
    const int32_t product = (*a - params->zero_point_a) * (*b - params->zero_point_b);
    const int32_t scaled = hil_multiply_by_factor(product, params->multiplier, params->shift);
    output[i] = (int8_t)hil_clamp(hil_wrapping_add(scaled, params->zero_point), params->activation_min,
                                  params->activation_max);
    a += step_a;
    b += step_b;
  }
}

void hil_mul_s8(const int8_t *a, const int8_t *b, const HIL_FLASH hil_mul_params *params, int8_t *output,
                void *scratch) {
  const HIL_FLASH hil_broadcast *const shape = &params->shape;
  const HIL_FLASH int32_t *const step_a = shape->step_a;
  const HIL_FLASH int32_t *const step_b = shape->step_b;
  (void)scratch;
  for (int32_t i = 0; i < shape->size[0]; ++i) {
    for (int32_t j = 0; j < shape->size[1]; ++j) {
      for (int32_t k = 0; k < shape->size[2]; ++k) {
        mul_row(a + i * step_a[0] + j * step_a[1] + k * step_a[2], step_a[3],
                b + i * step_b[0] + j * step_b[1] + k * step_b[2], step_b[3], params, shape->size[3], output);
        output += shape->size[3];
      }
    }
  }
}
