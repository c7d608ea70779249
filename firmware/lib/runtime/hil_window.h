/*
 * A window: many inferences back to back while the trigger pin is high, so that an energy meter has something
 * to integrate over.  Nothing else happens in it: no frame is handled, no stack painted.
 *
 * An inference uses its input up.  Where the port has RAM to spare, a copy of the input is kept and put back
 * before each inference; where it has not, later inferences run on what the first has left.
 */
#ifndef HIL_WINDOW_H
#define HIL_WINDOW_H

#include "hil_runner.h"

typedef struct {
  uint32_t inferences;
  uint64_t cycles;        /* of all operators together, as a run counts them */
  uint64_t window_cycles; /* from the trigger's rise to its fall */
  bool input_restored;    /* all inferences ran on the input that was written */
} hil_window_figures;

/* Called behind each operator; `watched` is the caller's. */
typedef void (*hil_window_watch)(void *watched);

/* Run `inferences` of them on the input that was written.  `figures` are set when that was done; the output
 * is that of the last one.
 *
 * watch     NULL, or what is called behind each operator, outside of the cycles that are counted as theirs
 */
hil_runner_status hil_window_run(hil_runner *runner, uint32_t inferences, hil_window_watch watch,
                                 void *watched, hil_window_figures *figures);

#endif
