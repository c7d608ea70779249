/* Size before speed: what a window measures is the operators. */
#pragma GCC optimize("Os")

#include "hil_mlperf_text.h"

#include <string.h>

#include "hil_port.h"

#define DIGITS_MAX 10u /* of 2^32 - 1 */

bool hil_mlperf_equal(const char *a, const char *b) {
  while (*a == *b && *a != '\0') {
    ++a;
    ++b;
  }
  return *a == *b;
}

void hil_mlperf_put(const char *text) { hil_port_write((const uint8_t *)text, strlen(text)); }

void hil_mlperf_put_unsigned(uint32_t value) {
  char digits[DIGITS_MAX + 1u];
  char *first = digits + DIGITS_MAX;
  *first = '\0';
  do {
    *--first = (char)('0' + value % 10u);
    value /= 10u;
  } while (value > 0);
  hil_mlperf_put(first);
}

void hil_mlperf_say(const char *text) {
  hil_mlperf_put(text);
  hil_mlperf_put("\r\n");
}

void hil_mlperf_say_number(const char *before, uint32_t number, const char *after) {
  hil_mlperf_put(before);
  hil_mlperf_put_unsigned(number);
  hil_mlperf_say(after);
}

void hil_mlperf_put_hex(uint8_t value) {
  static const char digits[] = "0123456789abcdef";
  const char text[3] = {digits[value >> 4], digits[value & 15u], '\0'};
  hil_mlperf_put(text);
}

/* A float is mantissa * 2^-shift; the whole part and the thousandths of the rest are cut out of it, so that
 * 64 bits are enough and the rounding is exact. */
void hil_mlperf_put_thousandths(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t exponent = (bits >> 23) & 0xFFu;
  const uint32_t mantissa = (bits & 0x7FFFFFu) | (exponent > 0 ? 0x800000u : 0u);
  uint32_t whole = 0;
  uint32_t thousandths = 0;
  if (exponent >= 159u) {
    whole = UINT32_MAX;
  } else if (exponent >= 150u) {
    whole = mantissa << (exponent - 150u);
  } else if (exponent > 110u) { /* at 110 and below it is less than 2^-16 */
    const uint32_t shift = 150u - exponent;
    whole = shift < 32u ? mantissa >> shift : 0;
    const uint64_t scaled = (mantissa - ((uint64_t)whole << shift)) * 1000u;
    const uint64_t half = (uint64_t)1 << (shift - 1u);
    const uint64_t rest = scaled & ((half << 1) - 1u);
    thousandths = (uint32_t)(scaled >> shift);
    if (rest > half || (rest == half && (thousandths & 1u) != 0)) {
      ++thousandths;
    }
    if (thousandths == 1000u) {
      thousandths = 0;
      ++whole;
    }
  }
  if (bits >> 31 != 0) {
    hil_mlperf_put("-");
  }
  hil_mlperf_put_unsigned(whole);
  const char fraction[5] = {'.', (char)('0' + thousandths / 100u), (char)('0' + thousandths / 10u % 10u),
                            (char)('0' + thousandths % 10u), '\0'};
  hil_mlperf_put(fraction);
}

int32_t hil_mlperf_number(const char *text) {
  const bool negative = *text == '-';
  int32_t value = 0;
  for (text += negative; *text >= '0' && *text <= '9'; ++text) {
    const int32_t digit = *text - '0';
    value = value > (INT32_MAX - digit) / 10 ? INT32_MAX : value * 10 + digit;
  }
  return negative ? -value : value;
}

int hil_mlperf_hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = (char)(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
