#include "hil_kernels.h"
#include "hil_tile_dsp_s8.h"

void hil_conv2d_1x1_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params, int8_t *output,
                           void *scratch) {
  const int32_t depth = params->layer.depth;
  const int32_t step = params->output_c;
  uint32_t *const columns = scratch;
  int32_t left = params->window.output_h * params->window.output_w;
  for (; left >= HIL_TILE_COLUMNS; left -= HIL_TILE_COLUMNS) {
    hil_expand_columns_dsp_s8(input, input + depth, input + 2 * depth, columns, depth / 4);
    params->tile(columns, &params->layer, output, step);
    input += HIL_TILE_COLUMNS * depth;
    output += HIL_TILE_COLUMNS * step;
  }
  for (; left > 0; --left) { /* one pixel thrice */
    hil_expand_columns_dsp_s8(input, input, input, columns, depth / 4);
    params->tile(columns, &params->layer, output, 0);
    input += depth;
    output += step;
  }
}
