/*
 * The inner product of depthwise 3x3 and 5x5 convolutions on a DSP core: a tile of some outputs side by side,
 * down some rows of the map, for four channels.
 *
 * These rows of four channels lie in scratch as pairs of neighbours, one strip for each tile and channel:
 *
 *     strip[rows][row_words]   words; the first one begins with the leftmost value that the tile reads
 *
 * With stride 1 two outputs take words A, B of a row: A . (w0, w1) + B.low w2 and A.high w0 + B . (w1, w2).
 * With stride 2 each output begins with a word of its own.  5x5 takes words A, B, C likewise.
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

/* What a tile needs of one channel; its weights follow: for each row of 3x3 (w0, w1), (w1, w2), of 5x5 (w0,
 * w1), (w2, w3), (w1, w2), (w3, w4).  The assembly knows this order. */
typedef struct {
  int32_t bias;
  int32_t multiplier;
  int32_t addend;
  int32_t correction; /* what the addend loses for a negative sum, see hil/codegen/dsp.py */
  uint32_t output;    /* where the next row of outputs begins, see HIL_DEPTHWISE_PLACE */
  int32_t step;       /* bytes from one output to the next */
  int32_t row_step;   /* from the last even one of a row to the first one of the next row */
  int32_t rows;       /* of outputs, > 0 */
  uint32_t strip;     /* where the channel's strip of this tile begins, likewise */
} hil_depthwise_tile_block;

#define HIL_DEPTHWISE_TILE_BYTES_3 60 /* of a block with its weights */
#define HIL_DEPTHWISE_TILE_BYTES_5 116

/* All rows of a tile for four channels.  `strips` and `output` are what places are offsets from. */
typedef void hil_depthwise_tile(void *blocks, const uint32_t *strips, int8_t *output);

/* hil_depthwise_<kernel>_<stride>x<outputs>_...: row_words is what a row of these outputs reads, in pairs. */
/* Output zero point -128. */
hil_depthwise_tile hil_depthwise_3x3_1x6_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_1x4_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_1x3_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_2x6_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_2x3_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_5x5_1x4_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_5x5_1x3_rectified_dsp_s8;
hil_depthwise_tile hil_depthwise_5x5_2x3_rectified_dsp_s8;

/* Any output zero point. */
hil_depthwise_tile hil_depthwise_3x3_1x6_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_1x4_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_1x3_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_2x6_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_3x3_2x3_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_5x5_1x4_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_5x5_1x3_signed_dsp_s8;
hil_depthwise_tile hil_depthwise_5x5_2x3_signed_dsp_s8;

/* The stream's numbers of one channel into its block, all but output, steps and rows. */
typedef void hil_depthwise_expand(const int8_t *stream, int32_t shared_addend,
                                  hil_depthwise_tile_block *block);

hil_depthwise_expand hil_depthwise_expand_3x3_dsp_s8; /* 18 bytes of the stream */
hil_depthwise_expand hil_depthwise_expand_5x5_dsp_s8; /* 34 */

#endif
