/*
 * The inner product of the depthwise 3x3 convolution on a DSP core for small maps: a tile of some outputs
 * side by side, down all rows of the map, for four channels.
 *
 * The whole map of four channels lies in scratch as pairs of neighbours, one strip for each tile and channel:
 *
 *     strip[rows][row_words]   words; the first one begins with the leftmost value that the tile reads
 *
 * With stride 1 two outputs take words A, B of a row: A . (w0, w1) + B.low w2 and A.high w0 + B . (w1, w2).
 * With stride 2 each output takes two words.
 */
#ifndef HIL_DEPTHWISE_TILES_DSP_S8_H
#define HIL_DEPTHWISE_TILES_DSP_S8_H

#include <stdint.h>

/* An address, or the offset where addresses are longer than a word. */
#if defined(__ARM_FEATURE_DSP)
#define HIL_DEPTHWISE_PLACE(pointer, offset) ((uint32_t)(uintptr_t)((pointer) + (offset)))
#else
#define HIL_DEPTHWISE_PLACE(pointer, offset) ((void)(pointer), (uint32_t)(offset))
#endif

/* What a tile needs of one channel.  The assembly knows this order. */
typedef struct {
  uint32_t weights[3][2]; /* of each row (w0, w1), (w1, w2) */
  int32_t bias;
  int32_t multiplier;
  int32_t addend;
  int32_t correction; /* what the addend loses for a negative sum, see hil/codegen/dsp.py */
  uint32_t output;    /* where the next row of outputs begins, see HIL_DEPTHWISE_PLACE */
  int32_t step;       /* bytes from one output to the next */
  int32_t row_step;   /* from the last even one of a row to the first one of the next row */
  int32_t rows;       /* of outputs, > 0 */
} hil_depthwise_tile_block;

/* All rows of a tile for four channels, whose strips follow each other.  `output` is what places are
 * offsets from. */
typedef void hil_depthwise_tile(hil_depthwise_tile_block *blocks, const uint32_t *strips, int8_t *output);

/* hil_depthwise_tile_<stride>x<outputs>: row_words is outputs / 2 + 1 with stride 1 (3: 3), outputs + 1 with
 * stride 2.  Output zero point -128. */
hil_depthwise_tile hil_depthwise_tile_1x6_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_1x4_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_1x3_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_2x6_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_2x3_rectified_dsp_s8;

/* Any output zero point. */
hil_depthwise_tile hil_depthwise_tile_1x6_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_1x4_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_1x3_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_2x6_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_tile_2x3_signed_dsp_s8;

#endif
