#include "hil_columns_dsp_s8.h"
#include "hil_kernels.h"
#include "hil_tile_dsp_s8.h"

static void advance(hil_position *at, const hil_window *window) {
  if (++at->x == window->output_w) {
    at->x = 0;
    ++at->y;
  }
}

void hil_conv2d_dsp_s8(const int8_t *input, const hil_conv2d_dsp_params *params, int8_t *output,
                       void *scratch) {
  const hil_window *const window = &params->window;
  const int32_t step = params->output_c;
  uint32_t *const columns = scratch;
  int8_t *const patches = (int8_t *)(columns + HIL_TILE_COLUMNS * params->layer.depth / 2);
  hil_position at = {0, 0};
  int32_t left = window->output_h * window->output_w;
  for (; left >= HIL_TILE_COLUMNS; left -= HIL_TILE_COLUMNS) {
    hil_position tile[HIL_TILE_COLUMNS];
    for (int32_t column = 0; column < HIL_TILE_COLUMNS; ++column) {
      tile[column] = at;
      advance(&at, window);
    }
    hil_fill_columns_dsp_s8(input, params, tile, columns, patches);
    params->tile(columns, &params->layer, output, step);
    output += HIL_TILE_COLUMNS * step;
  }
  for (; left > 0; --left) { /* one pixel thrice */
    const hil_position tile[HIL_TILE_COLUMNS] = {at, at, at};
    hil_fill_columns_dsp_s8(input, params, tile, columns, patches);
    params->tile(columns, &params->layer, output, 0);
    advance(&at, window);
    output += step;
  }
}
