/*
 * Fixed-point arithmetic with TensorFlow Lite Micro's "double rounding": a rounding doubling high multiply,
 * then a rounding division by a power of two.
 *
 * Two properties of the compilers in use are relied upon (gcc and clang have both): `>>` of a negative value
 * shifts in the sign, and a conversion to int32_t wraps.
 */
#ifndef HIL_ARITHMETIC_H
#define HIL_ARITHMETIC_H

#include <stdint.h>

/* A 64-bit product takes an AVR a hundred instructions, of which its flash holds one copy to a file. */
#if defined(__AVR__)
#define HIL_INLINE_IF_SMALL static __attribute__((noinline, unused))
#else
#define HIL_INLINE_IF_SMALL static inline
#endif

static inline int32_t hil_clamp(int32_t value, int32_t low, int32_t high) {
  if (value < low) {
    return low;
  }
  return value > high ? high : value;
}

/* a + b modulo 2^32; the sum of a large bias may leave int32_t for a moment and come back. */
static inline int32_t hil_wrapping_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

/* round(a * b / 2^31), ties upwards.  Not for a = b = -2^31, which no caller has: multipliers are >= 0. */
HIL_INLINE_IF_SMALL int32_t hil_doubling_high_multiply(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* round(value / 2^exponent), ties away from zero; exponent in [0, 31]. */
static inline int32_t hil_rounding_divide_by_power(int32_t value, int32_t exponent) {
  const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
  const int32_t remainder = value & mask;
  const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/* value * multiplier * 2^(shift - 31). */
HIL_INLINE_IF_SMALL int32_t hil_multiply_by_factor(int32_t value, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  const int32_t shifted = (int32_t)((uint32_t)value << left);
  return hil_rounding_divide_by_power(hil_doubling_high_multiply(shifted, multiplier), right);
}

#endif
