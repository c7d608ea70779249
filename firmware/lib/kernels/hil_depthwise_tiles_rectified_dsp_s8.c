#include "hil_depthwise_tile_dsp_s8.h"

HIL_TILE(hil_depthwise_3x3_1x6_rectified_dsp_s8, 3, 1, 6, 0)
HIL_TILE(hil_depthwise_3x3_1x4_rectified_dsp_s8, 3, 1, 4, 0)
HIL_TILE(hil_depthwise_3x3_1x3_rectified_dsp_s8, 3, 1, 3, 0)
HIL_TILE(hil_depthwise_3x3_2x6_rectified_dsp_s8, 3, 2, 6, 0)
HIL_TILE(hil_depthwise_3x3_2x3_rectified_dsp_s8, 3, 2, 3, 0)
