/* Sums over pixels, four channels to a word: 1.5 instructions per value. */
#ifndef HIL_SUM_DSP_S8_H
#define HIL_SUM_DSP_S8_H

#include "hil_dsp.h"

/* Pixels whose sum surely fits into int16. */
enum { HIL_SUM_PIXELS = 255 };

/* Adds four channels of `count` pixels, `step` bytes apart, to `sums`. */
static inline void hil_sum_four_channels(const int8_t *first, int32_t count, int32_t step, int32_t *sums) {
  while (count > 0) {
    const int32_t some = count < HIL_SUM_PIXELS ? count : HIL_SUM_PIXELS;
    const int8_t *const end = first + some * step;
    uint32_t even = 0;
    uint32_t odd = 0;
    do {
      const uint32_t word = hil_load_word(first);
      first += step;
      even = hil_sxtab16(even, word);
      odd = hil_sxtab16_odd(odd, word);
    } while (first != end);
    sums[0] += (int16_t)(even & 0xffffu);
    sums[1] += (int16_t)(odd & 0xffffu);
    sums[2] += (int16_t)(even >> 16);
    sums[3] += (int16_t)(odd >> 16);
    count -= some;
  }
}

#endif
