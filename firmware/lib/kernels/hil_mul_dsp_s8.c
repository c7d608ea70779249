#include "hil_dsp.h"
#include "hil_kernels.h"

/* One innermost row of `size` elements.  Both differences are negated, so that one instruction makes each. */
static void mul_row(const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                    const hil_mul_dsp_params *params, int32_t size, int8_t *output) {
  const int32_t zero_point_a = params->zero_point_a;
  const int32_t zero_point_b = params->zero_point_b * 256;
  const int32_t multiplier = params->multiplier;
  const int32_t addend = params->addend;
  const int32_t shift = params->shift;
  const int8_t *const end = output + size;
  while (output != end) {
    const int32_t product = (zero_point_a - *a) * (zero_point_b - *b * 256);
    const int32_t ties = (product >> 31) * 128; /* those of negative products go downwards */
    *output++ = (int8_t)hil_saturate_s8(hil_smmla(product, multiplier, addend + ties) >> shift);
    a += step_a;
    b += step_b;
  }
}

void hil_mul_dsp_s8(const int8_t *a, const int8_t *b, const hil_mul_dsp_params *params, int8_t *output,
                    void *scratch) {
  const hil_broadcast *const shape = &params->shape;
  const int32_t *const step_a = shape->step_a;
  const int32_t *const step_b = shape->step_b;
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
