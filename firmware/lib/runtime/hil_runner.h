/*
 * The runner: input, run, output of the one model (hil_model.h), whoever asks for them.  The frames of
 * hil_runtime.c and the text commands of lib/mlperf/ share it, so they share its state as well.
 *
 * Input, run and output follow each other strictly, because they share the arena: the input is written from
 * its first byte on, a run uses it up, and the first byte of the next input makes the output unreadable.
 */
#ifndef HIL_RUNNER_H
#define HIL_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

/* Operators whose cycles can be counted one by one, 4 bytes of RAM each.  A profiled run of a model with more
 * operators is refused; a plain one is not. */
#ifndef HIL_PROFILE_MAX
#define HIL_PROFILE_MAX 128
#endif

/* All zeros is a runner that has done nothing yet. */
typedef struct {
  uint32_t input_written;            /* bytes of the input tensor, from its first, that are valid */
  bool has_output;                   /* a run was made and no input written since */
  bool has_profile;                  /* the last run was profiled */
  uint32_t profile[HIL_PROFILE_MAX]; /* cycles of each operator */
} hil_runner;

typedef enum {
  HIL_RUNNER_DONE,
  HIL_RUNNER_BEYOND,     /* bytes beyond the end of the tensor */
  HIL_RUNNER_GAP,        /* bytes before this offset were not written */
  HIL_RUNNER_NO_INPUT,   /* no complete input was written since the last run */
  HIL_RUNNER_NO_OUTPUT,  /* no run since the last input was begun */
  HIL_RUNNER_NO_PROFILE, /* the model has more operators than HIL_PROFILE_MAX */
} hil_runner_status;

typedef struct {
  uint32_t cycles;     /* of all operators together, in units of hil_port_cycles */
  uint32_t stack_used; /* bytes */
} hil_runner_figures;

/* Copy `count` bytes to the input from `offset` on, which is at or before the end of what has been written.
 */
hil_runner_status hil_runner_write(hil_runner *runner, uint32_t offset, const uint8_t *data, uint32_t count);

/* One inference.  `figures` are set when it was made. */
hil_runner_status hil_runner_run(hil_runner *runner, bool profile, hil_runner_figures *figures);

/* One inference of which nothing is measured: the operators, and not a cycle more than they need. */
hil_runner_status hil_runner_infer(hil_runner *runner);

/* Where `count` bytes of the output lie, from `offset` on; valid until the next write or run. */
hil_runner_status hil_runner_output(const hil_runner *runner, uint32_t offset, uint32_t count,
                                    const uint8_t **data);

#endif
