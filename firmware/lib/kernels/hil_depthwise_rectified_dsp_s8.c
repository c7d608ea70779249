#include "hil_depthwise_sweep_dsp_s8.h"

HIL_SWEEP(before_first, 1, FIRST, SECOND, LOW, 0)
HIL_SWEEP(before_second, 1, SECOND, FIRST, LOW, 0)
HIL_SWEEP(behind_first, 1, SECOND, FIRST, HIGH, 0)
HIL_SWEEP(behind_second, 1, FIRST, SECOND, HIGH, 0)

const hil_depthwise_sweeps hil_depthwise_rectified_dsp_s8 = {
    40, {{before_first, before_second}, {behind_first, behind_second}}};
