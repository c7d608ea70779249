/* Size before speed: what a window measures is the operators. */
#pragma GCC optimize("Os")

#include "hil_mlperf_task.h"

#include <stddef.h>
#include <string.h>

#include "hil_model.h"

#define BEYOND 1000.0f /* of any int8 by more than any zero point */

const hil_mlperf_task *hil_mlperf_task_of_model(void) {
  static const hil_mlperf_task tasks[] = {
      {"kws01", 490, 12, 0, false}, {"ic01", 3072, 10, 0x80, false}, {"vww01", 27648, 2, 0x80, false},
      {"ad01", 640, 640, 0, true},  {NULL, 0, 0, 0, false},
  };
  const hil_mlperf_task *task = tasks;
  while (task->name != NULL &&
         (task->input_bytes != hil_model.input_bytes || task->output_bytes != hil_model.output_bytes)) {
    ++task;
  }
  return task;
}

static float float_at(const uint8_t *floats, uint32_t index) {
  float value;
  memcpy(&value, floats + 4u * index, sizeof value);
  return value;
}

static int8_t quantize(float value) {
  float steps = value / hil_model.input_scale;
  if (!(steps > -BEYOND)) { /* true of NaN too */
    steps = -BEYOND;
  } else if (steps > BEYOND) {
    steps = BEYOND;
  }
  int32_t q = (int32_t)steps;
  const float rest = steps - (float)q;
  q += (rest >= 0.5f) - (rest <= -0.5f) + hil_model.input_zero_point;
  return (int8_t)(q < INT8_MIN ? INT8_MIN : q > INT8_MAX ? INT8_MAX : q);
}

void hil_mlperf_quantize(const uint8_t *floats, int8_t *quantized, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    quantized[i] = quantize(float_at(floats, i));
  }
}

float hil_mlperf_mean_square(const uint8_t *floats, const int8_t *output, uint32_t count) {
  float sum = 0.0f;
  for (uint32_t i = 0; i < count; ++i) {
    const float difference = hil_mlperf_real(output[i]) - float_at(floats, i);
    sum += difference * difference;
  }
  return sum / (float)count;
}

float hil_mlperf_real(int8_t output) {
  return (float)(output - hil_model.output_zero_point) * hil_model.output_scale;
}
