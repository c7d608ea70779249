#include "hil_depthwise_sweep_dsp_s8.h"

HIL_SWEEP(before_first, 2, FIRST, SECOND, LOW, 0)
HIL_SWEEP(before_second, 2, SECOND, FIRST, LOW, 0)

const hil_depthwise_sweeps hil_depthwise_rectified_by_2_dsp_s8 = {40,
                                                                  {{before_first, before_second}, {0, 0}}};
