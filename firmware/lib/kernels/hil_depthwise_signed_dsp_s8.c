#include "hil_depthwise_sweep_dsp_s8.h"

HIL_SWEEP(before_first, 1, FIRST, SECOND, LOW, 1)
HIL_SWEEP(before_second, 1, SECOND, FIRST, LOW, 1)
HIL_SWEEP(behind_first, 1, SECOND, FIRST, HIGH, 1)
HIL_SWEEP(behind_second, 1, FIRST, SECOND, HIGH, 1)

const hil_depthwise_sweeps hil_depthwise_signed_dsp_s8 = {
    44, {{before_first, before_second}, {behind_first, behind_second}}};
