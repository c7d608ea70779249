/* Windows of a convolution as the columns of hil_tile_dsp_s8.h. */
#ifndef HIL_COLUMNS_DSP_S8_H
#define HIL_COLUMNS_DSP_S8_H

#include "hil_kernels.h"

/* An output pixel. */
typedef struct {
  int32_t y, x;
} hil_position;

/* What is the same for all windows of a layer; kept in RAM, which answers faster than flash. */
typedef struct {
  const hil_conv2d_dsp_params *params;
  const int8_t *input;
  const int8_t *origin; /* where the window of output (0, 0) begins, maybe outside */
  uint32_t *columns;
  int8_t *patches; /* room for three windows of int8 and a word: windows that reach outside, or whose rows are
                      no words, are copied there first */
  int32_t y_step, x_step; /* bytes from one window to the next */
  int32_t row_step;       /* bytes from one row of a window to the next */
  int32_t row_bytes, row_count;
  int32_t depth;
  int32_t pitch; /* from one patch to the next */
  int32_t way;
  int32_t first_y, count_y, first_x, count_x; /* of the windows that lie inside */
} hil_columns;

void hil_columns_begin_dsp_s8(hil_columns *job, const int8_t *input, const hil_conv2d_dsp_params *params,
                              void *scratch);

/* Fill the columns of three windows. */
void hil_columns_fill_dsp_s8(const hil_columns *job, const hil_position *tile);

#endif
