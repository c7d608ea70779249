/*
 * ADD and SUB with the interpreter's own roundings, each in as few instructions as it takes; for
 * broadcasting, and where no plane gives all outputs (hil_add_dsp_s8).
 *
 * "Fine" is the operand of the smaller scale.  The other one's factor is exactly 1/2, so that it is shifted
 * only.
 */
#include "hil_dsp.h"
#include "hil_kernels.h"

/* One innermost row.  Sums are kept twice as large as the interpreter's: the high word of a product is half
 * of its doubling high multiply. */
static void add_row(const int8_t *fine, int32_t step_fine, const int8_t *coarse, int32_t step_coarse,
                    const hil_add_rows_dsp_params *params, int32_t size, int8_t *output) {
  const int32_t scale_fine = params->scale_fine;
  const int32_t offset_fine = params->offset_fine;
  const int32_t multiplier_fine = params->multiplier_fine;
  const int32_t shift_fine = params->shift_fine;
  const int32_t half_fine = (int32_t)1 << (shift_fine - 1);
  const int32_t sign_fine = params->sign_fine;
  const int32_t scale_coarse = params->scale_coarse;
  const int32_t offset_coarse = params->offset_coarse;
  const int32_t multiplier = params->multiplier;
  const int32_t shift = params->shift;
  const int32_t addend = params->addend;
  const int8_t *const end = output + size;
  while (output != end) {
    const int32_t scaled = hil_smmulr(*fine * scale_fine + offset_fine, multiplier_fine);
    const int32_t term = (scaled + half_fine + (scaled >> 31)) >> shift_fine;
    const int32_t sum = term * sign_fine + (*coarse * scale_coarse + offset_coarse);
    *output++ = (int8_t)hil_saturate_s8(hil_smmlar(sum, multiplier, addend + (sum >> 31)) >> shift);
    fine += step_fine;
    coarse += step_coarse;
  }
}

void hil_add_rows_dsp_s8(const int8_t *fine, const int8_t *coarse, const hil_add_rows_dsp_params *params,
                         int8_t *output, void *scratch) {
  const hil_broadcast *const shape = &params->shape;
  const int32_t *const step_a = shape->step_a;
  const int32_t *const step_b = shape->step_b;
  (void)scratch;
  for (int32_t i = 0; i < shape->size[0]; ++i) {
    for (int32_t j = 0; j < shape->size[1]; ++j) {
      for (int32_t k = 0; k < shape->size[2]; ++k) {
        add_row(fine + i * step_a[0] + j * step_a[1] + k * step_a[2], step_a[3],
                coarse + i * step_b[0] + j * step_b[1] + k * step_b[2], step_b[3], params, shape->size[3],
                output);
        output += shape->size[3];
      }
    }
  }
}
