/*
 * The model: what the generated model.c offers to the runtime.
 *
 * The runtime writes the input to `hil_arena + hil_model.input_offset`, runs operators 0 .. operator_count -
 * 1 in order, and reads the output from `hil_arena + hil_model.output_offset`.  The input is overwritten by a
 * run: it has to be written again before the next one.
 */
#ifndef HIL_MODEL_H
#define HIL_MODEL_H

#include <stdint.h>

#include "hil_flash.h"

typedef struct {
  uint8_t digest[32];    /* SHA-256 of the .tflite file */
  uint32_t arena_bytes;  /* size of hil_arena */
  uint32_t input_offset; /* bytes from the start of the arena */
  uint32_t input_bytes;
  uint32_t output_offset;
  uint32_t output_bytes;
  uint16_t operator_count;         /* those without code (RESHAPE) included */
  float input_scale, output_scale; /* real = scale * (int8 - zero point) */
  int8_t input_zero_point, output_zero_point;
} hil_model_info;

extern const HIL_FLASH hil_model_info hil_model;

/* All activations and scratch; 16-byte aligned; in section ".hil_arena". */
extern int8_t hil_arena[];

/* Run one operator: one call of one kernel, all parameters constant. */
void hil_model_run_operator(uint16_t index);

#endif
