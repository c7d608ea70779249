#include "hil_columns_dsp_s8.h"
#include "hil_kernels.h"
#include "hil_tile_dsp_s8.h"

void hil_conv2d_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params, int8_t *output,
                       void *scratch) {
  const int32_t width = params->window.output_w;
  const int32_t step = params->output_c;
  const hil_tile_layer layer = params->layer;
  hil_tile *const run = params->tile;
  hil_columns job;
  hil_columns_begin_dsp_s8(&job, input, params, scratch);
  hil_position at = {0, 0};
  for (int32_t left = params->window.output_h * width; left > 0;) {
    hil_position tile[HIL_TILE_COLUMNS];
    const int32_t count = left >= HIL_TILE_COLUMNS ? HIL_TILE_COLUMNS : 1; /* else one pixel thrice */
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      tile[column] = at;
      if (column < count && ++at.x == width) {
        at.x = 0;
        ++at.y;
      }
    }
    if (count == 1) {
      tile[1] = tile[2] = tile[0];
    }
    hil_columns_fill_dsp_s8(&job, tile);
    run(job.columns, &layer, output, count == 1 ? 0 : step);
    output += count * step;
    left -= count;
  }
}
