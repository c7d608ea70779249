#include "hil_depthwise_tile_dsp_s8.h"

HIL_TILE(hil_depthwise_tile_1x6_rectified_dsp_s8, 1, 6, 0)
HIL_TILE(hil_depthwise_tile_1x4_rectified_dsp_s8, 1, 4, 0)
HIL_TILE(hil_depthwise_tile_1x3_rectified_dsp_s8, 1, 3, 0)
HIL_TILE(hil_depthwise_tile_2x6_rectified_dsp_s8, 2, 6, 0)
HIL_TILE(hil_depthwise_tile_2x3_rectified_dsp_s8, 2, 3, 0)
