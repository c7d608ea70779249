#include "hil_depthwise_sweep_dsp_s8.h"

HIL_SWEEP(before_first, 2, FIRST, SECOND, LOW, 1)
HIL_SWEEP(before_second, 2, SECOND, FIRST, LOW, 1)

const hil_depthwise_sweeps hil_depthwise_signed_by_2_dsp_s8 = {44, {{before_first, before_second}, {0, 0}}};
