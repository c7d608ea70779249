/*
 * The text commands of the MLPerf Tiny benchmark, so that its public runners drive the very firmware that is
 * measured by frames (docs/mlperf.md).  Compiled in where HIL_MLPERF is defined.
 *
 *     name%  profile%  help%  timestamp%  results%  db load N%  db HH..%  db print%  infer N W%
 *
 * Words and order of the answers are those of benchmark/api/internally_implemented.cpp of
 * github.com/mlcommons/tiny; every command is answered, in the end with "m-ready".
 *
 * Text and frames share one line.  What the frame decoder skips comes here (hil_frame.h), so what is part of
 * a frame is never taken for text.  Noise could be: so a conversation begins with a command that changes
 * nothing (name, profile, help, timestamp, results) and ends with the first byte that is no text; outside of
 * one, everything else is ignored and nothing is answered.
 */
#ifndef HIL_MLPERF_H
#define HIL_MLPERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_mlperf_db.h"
#include "hil_runner.h"

/* Longest command, without its '%'. */
#define HIL_MLPERF_LINE 80

typedef struct {
  hil_runner *runner;
  bool talking;   /* inside a conversation */
  uint8_t length; /* of `line`; HIL_MLPERF_LINE + 1: too long */
  hil_mlperf_db db;
  uint32_t time_us; /* of the clock, up to ... */
  uint32_t cycles;  /* ... this reading of the counter */
  char line[HIL_MLPERF_LINE + 1];
} hil_mlperf;

/* Must be called before the first byte. */
void hil_mlperf_init(hil_mlperf *mlperf, hil_runner *runner);

/* Take bytes that belong to no frame, and answer the commands that they complete.  `mlperf` is a hil_mlperf:
 * this is the decoder's listener. */
void hil_mlperf_feed(void *mlperf, const uint8_t *data, size_t size);

/* A frame has changed the model's input or the spare RAM: what `db` loaded is gone. */
void hil_mlperf_forget(hil_mlperf *mlperf);

#endif
