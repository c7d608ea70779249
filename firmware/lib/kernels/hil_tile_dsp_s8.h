/*
 * The inner product of all convolutions on a DSP core: three columns times all output channels.
 *
 * A column is one window (or pixel) as int16, `depth` values, a multiple of four.  Three columns lie
 * interleaved in scratch, a pair of values of each in turn, so that one LDM fetches what one weight word is
 * multiplied with:
 *
 *     columns[depth / 4][2][3]   words: values (4 i, 4 i + 2) of the three columns, then (4 i + 1, 4 i + 3)
 *
 * That order is what SXTB16 makes of four bytes.  The weights follow it.  They are packed two output channels
 * A and B to a halfword, 256 A + B, one byte a weight still: SMLAD with the word as it is sums 256 SA + SB,
 * SXTB16 makes the word of B alone, and SMLAD with that sums SB.
 *
 * The stream holds, for each pair of output channels in order of use:
 *
 *     256 bias_a + bias_b, bias_b, weights[depth / 2], multiplier_a, addend_a, multiplier_b, addend_b, shifts
 *
 * The last pair has bit 31 set in its shifts.  hil/codegen/dsp.py has the mathematics of the last five, and
 * the bounds that make it exact.
 */
#ifndef HIL_TILE_DSP_S8_H
#define HIL_TILE_DSP_S8_H

#include <stdint.h>

#define HIL_TILE_COLUMNS 3

/* What the tiles of one layer share. */
typedef struct {
  const int32_t *stream;
  int32_t depth; /* > 0, a multiple of 4 */
} hil_tile_layer;

/* Writes all channels of three pixels, two at a time; the pixels are `step` bytes apart.  Three equal columns
 * may share one output: step 0. */
typedef void hil_tile(const uint32_t *columns, const hil_tile_layer *layer, int8_t *output, int32_t step);

/* Output zero point -128: shifts = shift_a | preshift_b << 8, channel B is shifted by 14 in the end. */
hil_tile hil_tile_rectified_dsp_s8;

/* The same for a depth that is a multiple of 16. */
hil_tile hil_tile_rectified_by_16_dsp_s8;

/* Any output zero point: shifts = shift_a | shift_b << 8. */
hil_tile hil_tile_signed_dsp_s8;

/* Any output zero point, for sums of up to 2^27 and weights that cannot be packed: the stream holds bias_a,
 * bias_b, and of every four weights those of A, then those of B, in their own order; shifts as for signed.
 * 19 instructions
 * where the others take 17. */
hil_tile hil_tile_wide_dsp_s8;

/* Four bytes of each of three sources at a time, as columns; reads and expands 4 * words bytes of each.
 * Returns the end of what it wrote. */
uint32_t *hil_expand_columns_dsp_s8(const int8_t *a, const int8_t *b, const int8_t *c, uint32_t *columns,
                                    int32_t words);

#endif
