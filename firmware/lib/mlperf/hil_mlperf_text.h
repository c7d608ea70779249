/* Text on the line, without stdio: words, numbers, and what `%0.3f` would print. */
#ifndef HIL_MLPERF_TEXT_H
#define HIL_MLPERF_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* strcmp(a, b) == 0; the C library's is made for speed, and ten times as large. */
bool hil_mlperf_equal(const char *a, const char *b);

void hil_mlperf_put(const char *text);
void hil_mlperf_put_unsigned(uint32_t value);

/* `text`, or both texts with the number between them, and the end of the line. */
void hil_mlperf_say(const char *text);
void hil_mlperf_say_number(const char *before, uint32_t number, const char *after);

/* Two hex digits. */
void hil_mlperf_put_hex(uint8_t value);

/* As printf's "%0.3f": the exact value of the float, rounded half to even.
 * What is not below 2^32, or no number, becomes 4294967295.000. */
void hil_mlperf_put_thousandths(float value);

/* As atoi, but a number that is too large gives INT32_MAX. */
int32_t hil_mlperf_number(const char *text);

/* The value of one hex digit of either case, -1 for any other character. */
int hil_mlperf_hex_digit(char digit);

#endif
