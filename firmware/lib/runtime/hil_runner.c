#include "hil_runner.h"

#include <string.h>

#include "hil_model.h"
#include "hil_port.h"

hil_runner_status hil_runner_write(hil_runner *runner, uint32_t offset, const uint8_t *data, uint32_t count) {
  if (offset > hil_model.input_bytes || count > hil_model.input_bytes - offset) {
    return HIL_RUNNER_BEYOND;
  }
  if (offset > runner->input_written) {
    return HIL_RUNNER_GAP;
  }
  runner->has_output = false; /* the input may lie where the output was */
  memcpy(hil_arena + hil_model.input_offset + offset, data, count);
  runner->input_written = offset + count;
  return HIL_RUNNER_DONE;
}

/* Two loops rather than one with a test in it: what is not asked for costs nothing. */
static uint32_t run_operators(void) {
  const uint16_t count = hil_model.operator_count;
  const uint32_t start = hil_port_cycles();
  for (uint16_t i = 0; i < count; ++i) {
    hil_model_run_operator(i);
  }
  return hil_port_cycles() - start;
}

static uint32_t run_operators_profiled(uint32_t *profile) {
  const uint16_t count = hil_model.operator_count;
  const uint32_t start = hil_port_cycles();
  uint32_t before = start;
  for (uint16_t i = 0; i < count; ++i) {
    hil_model_run_operator(i);
    const uint32_t now = hil_port_cycles();
    profile[i] = now - before;
    before = now;
  }
  return before - start;
}

hil_runner_status hil_runner_run(hil_runner *runner, bool profile, hil_runner_figures *figures) {
  if (runner->input_written != hil_model.input_bytes) {
    return HIL_RUNNER_NO_INPUT;
  }
  if (profile && hil_model.operator_count > HIL_PROFILE_MAX) {
    return HIL_RUNNER_NO_PROFILE;
  }
  runner->input_written = 0; /* operators work in place */
  runner->has_output = false;
  runner->has_profile = false;

  hil_port_stack_paint();
  figures->cycles = profile ? run_operators_profiled(runner->profile) : run_operators();
  figures->stack_used = hil_port_stack_used();

  runner->has_output = true;
  runner->has_profile = profile;
  return HIL_RUNNER_DONE;
}

hil_runner_status hil_runner_infer(hil_runner *runner) {
  if (runner->input_written != hil_model.input_bytes) {
    return HIL_RUNNER_NO_INPUT;
  }
  runner->input_written = 0;
  runner->has_profile = false;
  const uint16_t count = hil_model.operator_count;
  for (uint16_t i = 0; i < count; ++i) {
    hil_model_run_operator(i);
  }
  runner->has_output = true;
  return HIL_RUNNER_DONE;
}

hil_runner_status hil_runner_output(const hil_runner *runner, uint32_t offset, uint32_t count,
                                    const uint8_t **data) {
  if (!runner->has_output) {
    return HIL_RUNNER_NO_OUTPUT;
  }
  if (offset > hil_model.output_bytes || count > hil_model.output_bytes - offset) {
    return HIL_RUNNER_BEYOND;
  }
  *data = (const uint8_t *)hil_arena + hil_model.output_offset + offset;
  return HIL_RUNNER_DONE;
}
