#include "hil_window.h"

#include <string.h>

#include "hil_model.h"
#include "hil_port.h"

/* Two loops, as in hil_runner.c: what is not watched is not interrupted. */
static uint32_t run_operators(void) {
  const uint16_t count = hil_model.operator_count;
  const uint32_t start = hil_port_cycles();
  for (uint16_t i = 0; i < count; ++i) {
    hil_model_run_operator(i);
  }
  return hil_port_cycles() - start;
}

static uint32_t run_watched_operators(hil_window_watch watch, void *watched) {
  const uint16_t count = hil_model.operator_count;
  uint32_t spent = 0;
  for (uint16_t i = 0; i < count; ++i) {
    const uint32_t start = hil_port_cycles();
    hil_model_run_operator(i);
    spent += hil_port_cycles() - start;
    watch(watched);
  }
  return spent;
}

/* Where a copy of the input is kept; NULL where there is no room for one. */
static uint8_t *copy_of_input(const int8_t *input) {
  size_t size;
  uint8_t *copy = hil_port_spare_ram(&size);
  if (copy == NULL || size < hil_model.input_bytes) {
    return NULL;
  }
  memcpy(copy, input, hil_model.input_bytes);
  return copy;
}

hil_runner_status hil_window_run(hil_runner *runner, uint32_t inferences, hil_window_watch watch,
                                 void *watched, hil_window_figures *figures) {
  if (runner->input_written != hil_model.input_bytes) {
    return HIL_RUNNER_NO_INPUT;
  }
  runner->input_written = 0;
  runner->has_output = false;
  runner->has_profile = false;

  int8_t *input = hil_arena + hil_model.input_offset;
  const uint8_t *copy = copy_of_input(input);
  uint64_t cycles = 0;
  uint64_t window_cycles = 0;
  uint32_t before = hil_port_cycles();
  hil_port_trigger(1);
  for (uint32_t i = 0; i < inferences; ++i) {
    if (i > 0 && copy != NULL) {
      memcpy(input, copy, hil_model.input_bytes);
    }
    cycles += watch == NULL ? run_operators() : run_watched_operators(watch, watched);
    const uint32_t now = hil_port_cycles(); /* the counter wraps within minutes: added up piece by piece */
    window_cycles += now - before;
    before = now;
  }
  hil_port_trigger(0);

  runner->has_output = true;
  figures->inferences = inferences;
  figures->cycles = cycles;
  figures->window_cycles = window_cycles;
  figures->input_restored = copy != NULL || inferences == 1;
  return HIL_RUNNER_DONE;
}
