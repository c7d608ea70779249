/*
 * Depthwise convolution of any kernel, stride, dilation and padding: pixel by pixel, four channels at a time.
 *
 * A word holds one tap of four channels.  SXTAB16 widens two of them and takes off the zero point at once, so
 * that taps outside the input, which count as the zero point, are just left out.
 */
#include "hil_dsp.h"
#include "hil_kernels.h"

enum { GROUP = 4 };

/* What lies before the weights of a group, one value per channel; shifts are bytes. */
typedef struct {
  int32_t bias[GROUP];
  int32_t multiplier[GROUP];
  int32_t addend[GROUP];
  uint8_t shift[GROUP];
} group_scale;

/* The taps of a window that lie inside. */
typedef struct {
  int32_t rows, columns;
  int32_t row_step, column_step; /* bytes of the input */
  int32_t skip;                  /* weights between two rows, in words */
  uint32_t minus_zero_point;     /* twice */
} window_taps;

static inline int8_t rescaled(int32_t sum, const group_scale *scale, int32_t channel, int32_t ties) {
  const int32_t shifted = (int32_t)((uint32_t)sum << 8);
  const int32_t addend = scale->addend[channel] - ((shifted >> 31) & ties);
  return (int8_t)hil_saturate_s8(hil_smmla(shifted, scale->multiplier[channel], addend) >>
                                 scale->shift[channel]);
}

static void do_group(const int8_t *input, const int32_t *weights, const window_taps *taps,
                     const group_scale *scale, int32_t ties, int8_t *output) {
  const uint32_t minus_zero_point = taps->minus_zero_point;
  const int32_t column_step = taps->column_step;
  int32_t sum0 = scale->bias[0];
  int32_t sum1 = scale->bias[1];
  int32_t sum2 = scale->bias[2];
  int32_t sum3 = scale->bias[3];
  for (int32_t row = taps->rows; row > 0; --row) {
    const int8_t *source = input;
    for (int32_t column = taps->columns; column > 0; --column) {
      const uint32_t values = hil_load_word(source);
      const uint32_t factors = (uint32_t)*weights++;
      const uint32_t even = hil_sxtab16(minus_zero_point, values);
      const uint32_t odd = hil_sxtab16_odd(minus_zero_point, values);
      const uint32_t even_factors = hil_sxtb16(factors);
      const uint32_t odd_factors = hil_sxtb16_odd(factors);
      sum0 = hil_smlabb(even, even_factors, sum0);
      sum1 = hil_smlabb(odd, odd_factors, sum1);
      sum2 = hil_smlatt(even, even_factors, sum2);
      sum3 = hil_smlatt(odd, odd_factors, sum3);
      source += column_step;
    }
    input += taps->row_step;
    weights += taps->skip;
  }
  output[0] = rescaled(sum0, scale, 0, ties);
  output[1] = rescaled(sum1, scale, 1, ties);
  output[2] = rescaled(sum2, scale, 2, ties);
  output[3] = rescaled(sum3, scale, 3, ties);
}

/* Taps along one axis that lie inside: the first one, and the one behind the last. */
static inline void inside(int32_t start, int32_t dilation, int32_t kernel, int32_t size, int32_t *first,
                          int32_t *end) {
  int32_t tap = 0;
  while (tap < kernel && start + tap * dilation < 0) {
    ++tap;
  }
  *first = tap;
  while (tap < kernel && start + tap * dilation < size) {
    ++tap;
  }
  *end = tap;
}

void hil_depthwise_conv2d_taps_dsp_s8(const int8_t *input, const hil_depthwise_conv2d_taps_params *params,
                                      int8_t *output, void *scratch) {
  const hil_window window = params->window;
  const int32_t channels = window.input_c;
  const int32_t line = window.input_w * channels;
  const int32_t tap_count = window.kernel_h * window.kernel_w;
  const int32_t ties = params->ties;
  window_taps taps;
  (void)scratch;
  taps.row_step = window.dilation_h * line;
  taps.column_step = window.dilation_w * channels;
  taps.minus_zero_point = ((uint32_t)-window.padding_value & 0xffffu) * 0x10001u;
  for (int32_t y = 0; y < window.output_h; ++y) {
    const int32_t top = y * window.stride_h - window.pad_top;
    int32_t first_row;
    int32_t end_row;
    inside(top, window.dilation_h, window.kernel_h, window.input_h, &first_row, &end_row);
    taps.rows = end_row - first_row;
    for (int32_t x = 0; x < window.output_w; ++x) {
      const int32_t left = x * window.stride_w - window.pad_left;
      int32_t first_column;
      int32_t end_column;
      inside(left, window.dilation_w, window.kernel_w, window.input_w, &first_column, &end_column);
      taps.columns = end_column - first_column;
      taps.skip = window.kernel_w - taps.columns;
      const int8_t *source = input + (top + first_row * window.dilation_h) * line +
                             (left + first_column * window.dilation_w) * channels;
      const int32_t *stream = params->stream;
      const int32_t first_tap = first_row * window.kernel_w + first_column;
      for (int32_t channel = 0; channel < channels; channel += GROUP) {
        const group_scale *const scale = (const group_scale *)stream;
        stream += sizeof(group_scale) / sizeof *stream;
        do_group(source + channel, stream + first_tap, &taps, scale, ties, output);
        stream += tap_count;
        output += GROUP;
      }
    }
  }
}
