/*
 * Softmax in fixed point, step by step as gemmlowp does it.  "Qm" is a signed 32-bit number with m integer
 * bits: the raw value r stands for r * 2^(m - 31).  A product of Qm and Qn is Q(m+n), one rounding doubling
 * high multiply.
 *
 *   d      Q5    (x - max) * beta * scale, <= 0
 *   exp    Q0    e^d: e^(d mod 1/4 - 1/4) by a Taylor polynomial around -1/8, times e^(2^k) for the other
 * bits of d sum    Q12   sum of exp over the row 1/sum  Q0    Newton's method on the mantissa of sum, three
 * steps
 */
#include "hil_arithmetic.h"
#include "hil_kernels.h"

enum { DIFF_INTEGER_BITS = 5, SUM_INTEGER_BITS = 12 };

/* value * 2^exponent, saturated. */
static int32_t saturating_shift_left(int32_t value, int32_t exponent) {
  const int32_t limit = (int32_t)(INT32_MAX >> exponent);
  if (value > limit) {
    return INT32_MAX;
  }
  if (value < -limit - 1) {
    return INT32_MIN;
  }
  return value * ((int32_t)1 << exponent);
}

/* e^a for a in [-1/4, 0), Q0 to Q0. */
static int32_t exp_on_quarter(int32_t a) {
  const int32_t exp_of_minus_eighth = 1895147668;
  const int32_t third = 715827883;
  const int32_t x = a + ((int32_t)1 << 28); /* a + 1/8 */
  const int32_t x2 = hil_doubling_high_multiply(x, x);
  const int32_t x3 = hil_doubling_high_multiply(x2, x);
  const int32_t x4 = hil_doubling_high_multiply(x2, x2);
  const int32_t x4_quarter = hil_rounding_divide_by_power(x4, 2);
  /* (x^4 / 4 + x^3) / 3 + x^2, halved: x^4/24 + x^3/6 + x^2/2 */
  const int32_t tail =
      hil_rounding_divide_by_power(hil_doubling_high_multiply(x4_quarter + x3, third) + x2, 1);
  return exp_of_minus_eighth + hil_doubling_high_multiply(exp_of_minus_eighth, x + tail);
}

/* e^d for d <= 0, Q5 to Q0. */
static int32_t exp_on_negative(int32_t d) {
  /* e^-(1/4), e^-(1/2), e^-1, ... e^-16 in Q0 */
  static const HIL_FLASH int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
                                               39332535,   720401,     242};
  const int32_t quarter = (int32_t)1 << (31 - DIFF_INTEGER_BITS - 2);
  const int32_t modulo = (d & (quarter - 1)) - quarter;
  const int32_t remainder = modulo - d; /* a multiple of 1/4 */
  int32_t result = exp_on_quarter(modulo * (1 << DIFF_INTEGER_BITS));
  if (d == 0) {
    return INT32_MAX;
  }
  for (int bit = 0; bit < 7; ++bit) {
    if (remainder & (int32_t)((uint32_t)quarter << bit)) {
      result = hil_doubling_high_multiply(result, factors[bit]);
    }
  }
  return result;
}

/* 1 / (1 + a) for a in [0, 1), Q0 to Q0. */
static int32_t reciprocal_of_one_plus(int32_t a) {
  const int32_t q2_one = (int32_t)1 << 29;
  const int32_t half_denominator = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
  /* 48/17 - 32/17 * denominator / 2 in Q2 is the best linear start */
  int32_t x = 1515870810 + hil_doubling_high_multiply(half_denominator, -1010580540);
  for (int step = 0; step < 3; ++step) {
    const int32_t error = q2_one - hil_doubling_high_multiply(half_denominator, x);
    x += saturating_shift_left(hil_doubling_high_multiply(x, error), 2);
  }
  return saturating_shift_left(x, 1); /* half of Q2 is Q1; to Q0 */
}

static int32_t leading_zeros(uint32_t value) {
  int32_t count = 0;
  while (!(value & 0x80000000u)) {
    value <<= 1;
    ++count;
  }
  return count;
}

static void softmax_row(const int8_t *input, const HIL_FLASH hil_softmax_params *params, int8_t *output) {
  const int32_t depth = params->depth;
  int32_t maximum = -128;
  int32_t sum = 0;
  for (int32_t i = 0; i < depth; ++i) {
    maximum = input[i] > maximum ? input[i] : maximum;
  }
  for (int32_t i = 0; i < depth; ++i) {
    const int32_t diff = input[i] - maximum;
    if (diff >= params->diff_min) {
      const int32_t scaled = hil_multiply_by_factor(diff, params->multiplier, params->shift);
      sum += hil_rounding_divide_by_power(exp_on_negative(scaled), SUM_INTEGER_BITS);
    }
  }
  const int32_t zeros = leading_zeros((uint32_t)sum); /* sum >= e^0 > 0 */
  const int32_t reciprocal = reciprocal_of_one_plus((int32_t)(((uint32_t)sum << zeros) - 0x80000000u));
  const int32_t exponent = SUM_INTEGER_BITS - zeros + 31 - 8;
  for (int32_t i = 0; i < depth; ++i) {
    const int32_t diff = input[i] - maximum;
    int32_t share = 0; /* in 1/256 */
    if (diff >= params->diff_min && exponent <= 31) {
      const int32_t scaled = hil_multiply_by_factor(diff, params->multiplier, params->shift);
      share = hil_rounding_divide_by_power(hil_doubling_high_multiply(reciprocal, exp_on_negative(scaled)),
                                           exponent);
    }
    output[i] = (int8_t)hil_clamp(share - 128, -128, 127);
  }
}

void hil_softmax_s8(const int8_t *input, const HIL_FLASH hil_softmax_params *params, int8_t *output,
                    void *scratch) {
  (void)scratch;
  for (int32_t row = 0; row < params->rows; ++row) {
    softmax_row(input, params, output);
    input += params->depth;
    output += params->depth;
  }
}
