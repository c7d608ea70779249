#include "hil_depthwise_tile_dsp_s8.h"

HIL_TILE(hil_depthwise_3x3_1x6_signed_dsp_s8, 3, 1, 6, 1)
HIL_TILE(hil_depthwise_3x3_1x4_signed_dsp_s8, 3, 1, 4, 1)
HIL_TILE(hil_depthwise_3x3_1x3_signed_dsp_s8, 3, 1, 3, 1)
HIL_TILE(hil_depthwise_3x3_2x6_signed_dsp_s8, 3, 2, 6, 1)
HIL_TILE(hil_depthwise_3x3_2x3_signed_dsp_s8, 3, 2, 3, 1)
