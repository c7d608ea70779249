#include "hil_depthwise_tile_dsp_s8.h"

HIL_TILE(hil_depthwise_5x5_1x4_rectified_dsp_s8, 5, 1, 4, 0)
HIL_TILE(hil_depthwise_5x5_1x3_rectified_dsp_s8, 5, 1, 3, 0)
HIL_TILE(hil_depthwise_5x5_2x3_rectified_dsp_s8, 5, 2, 3, 0)
