/* Windows of a convolution as the columns of hil_tile_dsp_s8.h. */
#ifndef HIL_COLUMNS_DSP_S8_H
#define HIL_COLUMNS_DSP_S8_H

#include "hil_kernels.h"

/* An output pixel. */
typedef struct {
  int32_t y, x;
} hil_position;

/* Fill the columns of three windows.  `patches` is room for three windows of int8 and a word: windows that
 * reach outside, or whose rows are no words, are copied there first. */
void hil_fill_columns_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params,
                             const hil_position *tile, uint32_t *columns, int8_t *patches);

#endif
