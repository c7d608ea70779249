/*
 * int8 kernels, bit-exact to TensorFlow Lite Micro.
 *
 * Every kernel has the same shape,
 *
 *     void hil_<operator>_s8(<inputs>, const hil_<operator>_params *params, int8_t *output, void *scratch);
 *
 * allocates nothing, keeps no state, and reads its constants through `params`, which the compiler
 * (hil/codegen) writes as `static const` and which stay in flash (hil_flash.h).  Tensors are NHWC without the
 * batch dimension, which is always 1.  `scratch` is work space inside the arena; how many bytes a kernel
 * needs is stated beside its parameters, and the compiler plans it; where that is 0 the pointer is not used
 * and may be NULL.  No kernel checks its parameters: the compiler has.
 *
 * real = scale * (q - zero_point).  A real factor is kept as `multiplier` * 2^(shift - 31) with multiplier 0
 * or in [2^29, 2^31) and shift in [-31, 30]; see hil_arithmetic.h for the rounding.
 */
#ifndef HIL_KERNELS_H
#define HIL_KERNELS_H

#include <stdint.h>

#include "hil_depthwise_sweeps_dsp_s8.h"
#include "hil_depthwise_tiles_dsp_s8.h"
#include "hil_flash.h"
#include "hil_tile_dsp_s8.h"
#include "hil_winograd_dsp_s8.h"

/* ---------------------------------------------------------------- parts that several kernels share */

/* How sums of products become int8 outputs: (sum + bias) * factor + zero_point, clamped. */
typedef struct {
  const HIL_FLASH int32_t *bias;       /* per channel: bias - input_zero_point * (sum of its weights) */
  const HIL_FLASH int32_t *multiplier; /* see above; one value, or one per channel */
  const HIL_FLASH int8_t *shift;       /* as `multiplier` */
  int32_t factor_step;                 /* 0: one factor for all channels, 1: one per channel */
  int32_t zero_point;                  /* of the output */
  int32_t activation_min;              /* -128 <= activation_min <= activation_max <= 127 */
  int32_t activation_max;
} hil_output_stage;

/* Where a kernel window lies in the input.  Output (y, x) sees the input rows y * stride_h - pad_top + ky *
 * dilation_h, ky in [0, kernel_h), and columns likewise.  What lies outside counts as `padding_value`. */
typedef struct {
  int32_t input_h, input_w, input_c;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t dilation_h, dilation_w;
  int32_t pad_top, pad_left; /* >= 0 */
  int32_t output_h, output_w;
  int32_t padding_value; /* the input's zero point: padding is real 0 */
} hil_window;

/* Two operands of up to four dimensions, the last one innermost.  A step of 0 repeats the operand along a
 * dimension. */
typedef struct {
  int32_t size[4];   /* of the output */
  int32_t step_a[4]; /* bytes */
  int32_t step_b[4];
} hil_broadcast;

/* ---------------------------------------------------------------- convolutions and fully connected */

typedef struct {
  hil_window window;
  const HIL_FLASH int8_t *weights; /* [output_c / 2][kernel_h][kernel_w][input_c][2], a last odd channel by
                            itself: two channels at a time are read as one stream, which flash serves best */
  int32_t output_c;
  hil_output_stage stage;
} hil_conv2d_params;

/* Any kernel, stride, dilation and padding.  Scratch: 2 * kernel_h * kernel_w * input_c bytes. */
void hil_conv2d_s8(const int8_t *input, const HIL_FLASH hil_conv2d_params *params, int8_t *output,
                   void *scratch);

/* kernel_h = kernel_w = 1 without padding, any stride.  Scratch: 0. */
void hil_conv2d_1x1_s8(const int8_t *input, const HIL_FLASH hil_conv2d_params *params, int8_t *output,
                       void *scratch);

typedef struct {
  hil_window window;
  const HIL_FLASH int8_t *weights; /* [kernel_h][kernel_w][input_c * multiplier] */
  int32_t multiplier;              /* outputs per input channel */
  hil_output_stage stage;
} hil_depthwise_conv2d_params;

/* Any multiplier.  Scratch: kernel_h * kernel_w * input_c bytes, 0 where no window reaches outside the input.
 */
void hil_depthwise_conv2d_s8(const int8_t *input, const HIL_FLASH hil_depthwise_conv2d_params *params,
                             int8_t *output, void *scratch);

/* multiplier = 1.  Scratch as above. */
void hil_depthwise_conv2d_m1_s8(const int8_t *input, const HIL_FLASH hil_depthwise_conv2d_params *params,
                                int8_t *output, void *scratch);

typedef struct {
  int32_t rows;                    /* inputs that share the weights; 1 for a plain layer */
  int32_t input_size;              /* bytes of one input row */
  int32_t output_size;             /* bytes of one output row */
  const HIL_FLASH int8_t *weights; /* [output_size / 2][input_size][2], a last odd row by itself */
  hil_output_stage stage;
} hil_fully_connected_params;

/* Scratch: 0. */
void hil_fully_connected_s8(const int8_t *input, const HIL_FLASH hil_fully_connected_params *params,
                            int8_t *output, void *scratch);

/* How hil_fully_connected_dsp_s8 makes outputs of sums. */
enum {
  HIL_FC_RECTIFIED,  /* all outputs alike, their zero point is -128 */
  HIL_FC_SIGNED,     /* all outputs alike */
  HIL_FC_PER_CHANNEL /* by numbers in the stream */
};

typedef struct {
  int32_t rows; /* as above */
  int32_t input_size;
  int32_t output_size;
  const int32_t *stream; /* four outputs after the other, see hil/codegen/kernels/fully_connected_dsp.py */
  int32_t quad_words;    /* words of the stream for four outputs */
  int32_t rescale;       /* HIL_FC_... */
  int32_t multiplier;    /* with HIL_FC_RECTIFIED and HIL_FC_SIGNED, see hil/codegen/dsp.py */
  int32_t addend;
  int32_t shift;
} hil_fully_connected_dsp_params;

/* Scratch: 2 bytes per input of a row, their number rounded up to a multiple of 8.  For one row it may start
 * where the input starts. */
void hil_fully_connected_dsp_s8(const int8_t *input, const hil_fully_connected_dsp_params *params,
                                int8_t *output, void *scratch);

/* ---------------------------------------------------------------- convolutions on a core with DSP */

#define HIL_ROWS_OF_WORDS   0 /* dilation_w is 1, and row_bytes a multiple of 4 */
#define HIL_ROWS_OF_BYTES   1 /* dilation_w is 1 */
#define HIL_ROWS_APART      2
#define HIL_ROWS_OF_COLOURS 3 /* dilation_w is 1, kernel_h = kernel_w = input_c = 3, row_bytes 9 */

typedef struct {
  hil_window window;
  int32_t output_c; /* even */
  hil_tile *tile;
  hil_tile_layer layer; /* hil_tile_dsp_s8.h; depth is kernel_h * row_bytes, rounded up to 4 */
  int32_t row_bytes;    /* of a window, in a column: kernel_w * input_c, or that rounded up to 4 */
  /* First and last output row, and column, whose windows lie inside the input, with three bytes to spare
   * behind them where kernel_w * input_c is no multiple of 4. */
  int32_t inside_y[2];
  int32_t inside_x[2];
  int32_t rows; /* one of the four above */
} hil_conv2d_dsp_params;

/* Any kernel, stride, dilation and padding.  Scratch: 6 * depth bytes, and 3 * depth + 12 more unless all
 * windows lie inside and rows are HIL_ROWS_OF_WORDS. */
void hil_conv2d_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params, int8_t *output,
                       void *scratch);

/* kernel_h = kernel_w = 1, stride 1, no padding, input_c a multiple of 4.  Scratch: 6 * input_c bytes. */
void hil_conv2d_1x1_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params, int8_t *output,
                           void *scratch);

typedef struct {
  hil_window tiles; /* 4 x 4 inputs that give 2 x 2 outputs: kernel 4, stride 2, `output_*` counts tiles */
  const int32_t *stream; /* per pair of output channels: scale, weights (hil_winograd_dsp_s8.h) */
  int32_t transformed;   /* 0: the weights of the one, then of the other; 1: of both, transformed */
  int32_t depth;         /* input_c rounded up to a multiple of 8, at least 16 */
  int32_t output_h, output_w;
  int32_t output_c;  /* even; output_w * output_c < 65536 */
  int32_t is_signed; /* 0: the output's zero point is -128 */
  int32_t band;      /* tiles at a time, a multiple of 3 */
} hil_conv2d_winograd_dsp_params;

/* kernel_h = kernel_w = 3, stride 1, dilation 1, input_c a multiple of 4.  Scratch: 64 * depth bytes (16 *
 * depth where the weights are transformed), and 32 * depth + 8 more for each tile of a band. */
void hil_conv2d_winograd_dsp_s8(const int8_t *input, const hil_conv2d_winograd_dsp_params *params,
                                int8_t *output, void *scratch);

/* ---------------------------------------------------------------- depthwise on a core with DSP */

/* Depthwise 3x3, multiplier 1, dilation 1.  A line is a row or a column of the map, as the compiler likes. */
typedef struct {
  int32_t groups;       /* of four channels */
  int32_t stride;       /* along lines and across them: 1 or 2 */
  int32_t input_length; /* pixels of a line */
  int32_t input_lines;
  int32_t input_step;      /* bytes from one pixel of a line to the next */
  int32_t input_line_step; /* bytes from one line to the next */
  int32_t output_length;
  int32_t output_lines;
  int32_t output_step;
  int32_t output_line_step;
  int32_t pad;            /* padding before the pixels of a line, >= 0 */
  int32_t pad_line;       /* and before the first line */
  uint32_t padding;       /* four times the byte of the input's zero point */
  int32_t columns;        /* that a sweep reads: input_length and all padding, see depthwise_conv2d_dsp.py */
  uint16_t turns;         /* of a sweep, see hil_depthwise_block */
  int32_t addend;         /* of all channels, see hil/codegen/dsp.py; each adds 1 << shift */
  const int8_t *channels; /* 18 bytes for each, see hil/codegen/kernels/depthwise_conv2d_dsp.py */
  const hil_depthwise_sweeps *sweeps;
} hil_depthwise_conv2d_dsp_params;

/* Scratch: 32 bytes for each column, 4 for each output of a line that a sweep makes, and four blocks of
 * sweeps->block_bytes, eight with stride 1.  The output may start where the input starts, if lines are
 * rows or output_length = input_length. */
void hil_depthwise_conv2d_dsp_s8(const int8_t *input, const hil_depthwise_conv2d_dsp_params *params,
                                 int8_t *output, void *scratch);

/* 3x3 or 5x5 in bands of rows, of at least `outputs` columns. */
typedef struct {
  hil_window window;
  int32_t groups; /* of four channels */
  hil_depthwise_tile *tile;
  int32_t outputs;   /* of a tile side by side */
  int32_t tiles;     /* that a row takes */
  int32_t row_words; /* see hil_depthwise_tiles_dsp_s8.h */
  int32_t band_rows; /* rows of outputs for which the input is in scratch, > 0 */
  int32_t bands;
  int32_t strip_words; /* row_words for each row that a band reads, padding included */
  int32_t block_bytes; /* HIL_DEPTHWISE_TILE_BYTES_3 or 5 */
  uint32_t padding;    /* four times the byte of the input's zero point */
  uint32_t filling;    /* a pair of two such values in scratch */
  int32_t addend;      /* as above */
  hil_depthwise_expand *expand;
  int32_t channel_bytes;  /* of the stream for one channel */
  const int8_t *channels; /* the stream, see hil/codegen/depthwise_stream.py */
} hil_depthwise_conv2d_tiles_dsp_params;

/* Scratch: 16 * tiles * strip_words + 4 * block_bytes.  The output may start where the input starts, if it is
 * no longer and no row of it reaches a row of the input that a later band reads first. */
void hil_depthwise_conv2d_tiles_dsp_s8(const int8_t *input,
                                       const hil_depthwise_conv2d_tiles_dsp_params *params, int8_t *output,
                                       void *scratch);

/* ---------------------------------------------------------------- depthwise of any kernel, with DSP */

typedef struct {
  hil_window window;
  const int32_t
      *stream;  /* for each four channels bias[4], which holds no zero point, multiplier[4], addend[4], four
                   shifts as bytes, and weights[kernel_h][kernel_w], four to a word */
  int32_t ties; /* 128 where ties of negative sums count (output zero point not -128), else 0 */
} hil_depthwise_conv2d_taps_params;

/* Any kernel, stride, dilation and padding; multiplier 1, input_c a multiple of 4.  Scratch: 0. */
void hil_depthwise_conv2d_taps_dsp_s8(const int8_t *input, const hil_depthwise_conv2d_taps_params *params,
                                      int8_t *output, void *scratch);

/* ---------------------------------------------------------------- pools and means */

typedef struct {
  hil_window window; /* dilation 1; padding is left out of the pool, padding_value is not used */
  int32_t activation_min;
  int32_t activation_max;
} hil_pool2d_params;

/* Input and output share scale and zero point.  Scratch: 0. */
void hil_average_pool2d_s8(const int8_t *input, const HIL_FLASH hil_pool2d_params *params, int8_t *output,
                           void *scratch);
void hil_max_pool2d_s8(const int8_t *input, const HIL_FLASH hil_pool2d_params *params, int8_t *output,
                       void *scratch);

/* A multiple of four channels. */
void hil_average_pool2d_dsp_s8(const int8_t *input, const HIL_FLASH hil_pool2d_params *params, int8_t *output,
                               void *scratch);
void hil_max_pool2d_dsp_s8(const int8_t *input, const HIL_FLASH hil_pool2d_params *params, int8_t *output,
                           void *scratch);

typedef struct {
  int32_t kept_size[2]; /* output is [kept_size[0]][kept_size[1]] */
  int32_t kept_step[2]; /* bytes in the input */
  int32_t reduced_size[2];
  int32_t reduced_step[2];
  int32_t offset;     /* added to each sum: -input_zero_point * reduced_size[0] * reduced_size[1] */
  int32_t multiplier; /* input_scale / output_scale / number of summands */
  int32_t shift;
  int32_t zero_point; /* of the output */
} hil_mean_params;

/* Scratch: 0. */
void hil_mean_s8(const int8_t *input, const HIL_FLASH hil_mean_params *params, int8_t *output, void *scratch);

/* Of all pixels, reduced_size[1] of them with kept_size[1] channels, a multiple of four. */
void hil_mean_dsp_s8(const int8_t *input, const HIL_FLASH hil_mean_params *params, int8_t *output,
                     void *scratch);

/* ---------------------------------------------------------------- elementwise; all may run in place */

typedef struct {
  hil_broadcast shape;
  int32_t zero_point_a, zero_point_b;
  int32_t multiplier_a, shift_a; /* scale_a / (2 * max(scale_a, scale_b)); shift <= 0 */
  int32_t multiplier_b, shift_b;
  int32_t multiplier, shift; /* 2 * max(scale_a, scale_b) / (2^20 * output_scale); shift <= 0 */
  int32_t zero_point;        /* of the output */
  int32_t activation_min;
  int32_t activation_max;
} hil_add_params;

/* In place over an operand that has the output's shape.  Scratch: 0. */
void hil_add_s8(const int8_t *a, const int8_t *b, const HIL_FLASH hil_add_params *params, int8_t *output,
                void *scratch);

/* a - b; the same otherwise. */
void hil_sub_s8(const int8_t *a, const int8_t *b, const HIL_FLASH hil_add_params *params, int8_t *output,
                void *scratch);

/* "Fine" is the operand of the smaller scale, "coarse" the other one; each times its scale plus its offset is
 * (q - zero_point) times 2^20 for coarse, with its sign, and 2^21 for fine, or 2^22 where both scales are
 * the same. */
typedef struct {
  hil_broadcast shape; /* a: fine, b: coarse */
  int32_t scale_fine, offset_fine;
  int32_t multiplier_fine;
  int32_t shift_fine; /* to the right, > 0 */
  int32_t sign_fine;  /* 2, or -2 where it is subtracted */
  int32_t scale_coarse, offset_coarse;
  int32_t multiplier, shift; /* of the sum; to the right, > 0 */
  int32_t addend;            /* 2^(shift - 1) + (zero point of the output << shift) */
} hil_add_rows_dsp_params;

/* fine + coarse, or one minus the other, with broadcasting and all of int8 as the output's range.  In place
 * as hil_add_s8.  Scratch: 0. */
void hil_add_rows_dsp_s8(const int8_t *fine, const int8_t *coarse, const hil_add_rows_dsp_params *params,
                         int8_t *output, void *scratch);

typedef struct {
  int32_t size; /* elements; both operands have the output's shape */
  int32_t factor_a, factor_b, offset, shift;
} hil_add_dsp_params;

/* (a * factor_a + b * factor_b + offset) >> shift, clamped.  In place over an operand.  Scratch: 0. */
void hil_add_dsp_s8(const int8_t *a, const int8_t *b, const hil_add_dsp_params *params, int8_t *output,
                    void *scratch);

typedef struct {
  hil_broadcast shape;
  int32_t zero_point_a, zero_point_b;
  int32_t multiplier, shift; /* scale_a * scale_b / output_scale */
  int32_t zero_point;        /* of the output */
  int32_t activation_min;
  int32_t activation_max;
} hil_mul_params;

/* In place over an operand that has the output's shape.  Scratch: 0. */
void hil_mul_s8(const int8_t *a, const int8_t *b, const HIL_FLASH hil_mul_params *params, int8_t *output,
                void *scratch);

typedef struct {
  hil_broadcast shape;
  int32_t zero_point_a, zero_point_b;
  int32_t multiplier, addend, shift; /* see hil/codegen/dsp.py; the product is shifted left by 8 */
} hil_mul_dsp_params;

/* As above, with all of int8 as the output's range. */
void hil_mul_dsp_s8(const int8_t *a, const int8_t *b, const hil_mul_dsp_params *params, int8_t *output,
                    void *scratch);

typedef struct {
  int32_t size; /* elements */
  int32_t input_zero_point;
  int32_t multiplier, shift; /* input_scale / output_scale */
  int32_t zero_point;        /* of the output */
  int32_t activation_min;
  int32_t activation_max;
} hil_requantize_params;

/* Another scale and zero point, then a clamp: QUANTIZE, RELU, RELU6.  Scratch: 0. */
void hil_requantize_s8(const int8_t *input, const HIL_FLASH hil_requantize_params *params, int8_t *output,
                       void *scratch);

typedef struct {
  int32_t size;                  /* elements */
  const HIL_FLASH int8_t *table; /* [256], indexed by q + 128 */
} hil_lookup_params;

/* Any function of one int8 value, e.g. LOGISTIC.  Scratch: 0. */
void hil_lookup_s8(const int8_t *input, const HIL_FLASH hil_lookup_params *params, int8_t *output,
                   void *scratch);

typedef struct {
  int32_t rows;
  int32_t depth;             /* elements of a row, over which the softmax runs */
  int32_t multiplier, shift; /* beta * input_scale * 2^26; shift >= 0 */
  int32_t diff_min;          /* <= 0; what lies further below the row's maximum counts as 0 */
} hil_softmax_params;

/* Output scale 1/256, zero point -128.  Scratch: 0. */
void hil_softmax_s8(const int8_t *input, const HIL_FLASH hil_softmax_params *params, int8_t *output,
                    void *scratch);

/* ---------------------------------------------------------------- moving bytes */

typedef struct {
  int32_t count;                        /* of inputs */
  int32_t outer;                        /* product of the dimensions before the axis */
  const HIL_FLASH int32_t *chunk_bytes; /* per input: bytes from the axis on */
} hil_concatenation_params;

/* All inputs and the output share scale and zero point.  Scratch: 0. */
void hil_concatenation_s8(const int8_t *const HIL_FLASH *inputs,
                          const HIL_FLASH hil_concatenation_params *params, int8_t *output, void *scratch);

typedef struct {
  int32_t size[4];   /* of the input, the last one innermost */
  int32_t before[4]; /* elements added in front, >= 0 */
  int32_t after[4];
  int32_t value; /* the int8 value that is filled in */
} hil_pad_params;

/* Scratch: 0. */
void hil_pad_s8(const int8_t *input, const HIL_FLASH hil_pad_params *params, int8_t *output, void *scratch);

#endif
