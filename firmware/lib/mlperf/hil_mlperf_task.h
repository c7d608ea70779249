/*
 * What the benchmark sends to each of its tasks, and what it wants back.  The task is told from the sizes of
 * the model's input and output; any other model takes its int8 input as it is.
 *
 *   task   input file                                  to the model         results
 *   kws01  490 int8: 49 frames of 10 MFCC              as it is             12 classes
 *   ic01   3072 uint8: 32 x 32 RGB                     minus 128            10 classes
 *   vww01  27648 uint8: 96 x 96 RGB                    minus 128            2 classes
 *   ad01   640 float32: 5 frames of 128 mel bands      quantized            mean square of output - input
 *
 * Source: benchmark/reference_submissions/.../submitter_implemented.cpp of github.com/mlcommons/tiny, and
 * datasets/README.md of github.com/eembc/energyrunner.
 */
#ifndef HIL_MLPERF_TASK_H
#define HIL_MLPERF_TASK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const char *name; /* as `profile%` gives it; NULL for a model of no task */
  uint32_t input_bytes, output_bytes;
  uint8_t flip; /* what turns a byte of the file into one of the model's, by exclusive or */
  bool floats;  /* the file holds float32 */
} hil_mlperf_task;

/* The task of the one model. */
const hil_mlperf_task *hil_mlperf_task_of_model(void);

/* Quantize the floats of a file for the model: nearest, ties away from zero, saturated. */
void hil_mlperf_quantize(const uint8_t *floats, int8_t *quantized, uint32_t count);

/* Mean square of the difference between the dequantized output and the floats of the file. */
float hil_mlperf_mean_square(const uint8_t *floats, const int8_t *output, uint32_t count);

/* Dequantized. */
float hil_mlperf_real(int8_t output);

#endif
