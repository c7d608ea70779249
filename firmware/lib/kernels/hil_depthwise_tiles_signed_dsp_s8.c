#include "hil_depthwise_tile_dsp_s8.h"

HIL_TILE(hil_depthwise_tile_1x6_signed_dsp_s8, 1, 6, 1)
HIL_TILE(hil_depthwise_tile_1x4_signed_dsp_s8, 1, 4, 1)
HIL_TILE(hil_depthwise_tile_1x3_signed_dsp_s8, 1, 3, 1)
HIL_TILE(hil_depthwise_tile_2x6_signed_dsp_s8, 2, 6, 1)
HIL_TILE(hil_depthwise_tile_2x3_signed_dsp_s8, 2, 3, 1)
