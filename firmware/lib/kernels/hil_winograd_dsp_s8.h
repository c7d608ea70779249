/*
 * The three steps of a 3x3 convolution by Winograd's F(2x2, 3x3), in exact integers, on a DSP core.
 *
 * A tile is 2 x 2 outputs, which 4 x 4 inputs d and a 3 x 3 kernel g give with 16 multiplications a channel
 * instead of 36:
 *
 *     4 Y = A' [(G' g G'^T) * (B^T d B)] A'^T      ( * element by element, summed over the input channels)
 *
 *           | 1  0  0 |          | 1  0 -1  0 |
 *     G' =  | 1  1  1 |   B^T =  | 0  1  1  0 |    A' = | 2  1  1  0 |
 *           | 1 -1  1 |          | 0 -1  1  0 |         | 0  1 -1 -2 |
 *           | 0  0  1 |          | 0  1  0 -1 |
 *
 * G' is G without its halves: each row of it is G's, times 1 or 2, and A' makes all of them twice.  So
 * nothing is rounded, |B^T d B| <= 512 and |G' g G'^T| <= 1152 fit int16, and what comes out is 4 times the
 * sum. 32-bit sums may wrap on the way: only 4 Y has to fit.
 *
 * A "pair" is a word of two channels as int16.  `depth` is the number of channels rounded up to a multiple of
 * 8 and at least 16; the weights of the channels that are not there are 0, and their inputs do not matter.
 * Four channels make the pairs (4 i, 4 i + 2) and (4 i + 1, 4 i + 3), as SXTB16 expands them.
 */
#ifndef HIL_WINOGRAD_DSP_S8_H
#define HIL_WINOGRAD_DSP_S8_H

#include <stdint.h>

#define HIL_WINOGRAD_TILES    3 /* that share one walk over the weights */
#define HIL_WINOGRAD_CHANNELS 2
/* Words of a scale: 4 * bias of both channels, then multiplier, addend and shift of the one and of the other
 * (hil/codegen/dsp.py; the preshift of 2 is done). */
#define HIL_WINOGRAD_SCALE 8
#define HIL_WINOGRAD_SUMS  (16 * HIL_WINOGRAD_TILES * HIL_WINOGRAD_CHANNELS)

/* B^T d B of one tile: 4 x 4 pixels of `channels` bytes, rows `row_bytes` apart, to
 * transformed[16][depth / 2][3], a word each.  `channels` is a multiple of 4. */
void hil_winograd_inputs_dsp_s8(const int8_t *pixels, int32_t row_bytes, int32_t channels, int32_t depth,
                                uint32_t *transformed);

/* G' g G'^T of one output channel: weights[depth / 4][9] words of four input channels, the rows of the kernel
 * in the order 0, 2, 1, to transformed[16][depth / 2][2]. */
void hil_winograd_weights_dsp_s8(const int32_t *weights, int32_t depth, uint32_t *transformed);

/* The products of three tiles and two output channels, summed: sums[16][3][2]. */
void hil_winograd_products_dsp_s8(const uint32_t *inputs, const uint32_t *weights, int32_t *sums,
                                  int32_t depth);

/* Where the four outputs of a tile go.  What lies outside the output has its step set to 0: it is written
 * first, and then written over. */
typedef struct {
  int32_t offset;       /* bytes, of the upper left one */
  uint16_t half_step_x; /* half as many bytes */
  uint16_t half_step_y;
} hil_winograd_place;

/* A' M A'^T and the outputs of one to three tiles and two channels; `sums` and `scale` as above.  An output
 * zero point of -128 needs no `is_signed`. */
void hil_winograd_outputs_dsp_s8(const int32_t *sums, const int32_t *scale, int8_t *output,
                                 const hil_winograd_place *places, int32_t count, int32_t is_signed);

#endif
