#include "hil_depthwise_tile_dsp_s8.h"

HIL_TILE(hil_depthwise_5x5_1x4_signed_dsp_s8, 5, 1, 4, 1)
HIL_TILE(hil_depthwise_5x5_1x3_signed_dsp_s8, 5, 1, 3, 1)
HIL_TILE(hil_depthwise_5x5_2x3_signed_dsp_s8, 5, 2, 3, 1)
