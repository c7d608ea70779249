/*
 * The command loop: takes requests from hil_port.h, runs the model of hil_model.h, and answers
 * (docs/PROTOCOL.md).
 *
 *     static hil_runtime runtime;
 *     hil_port_init();
 *     hil_runtime_init(&runtime);
 *     for (;;) hil_runtime_poll(&runtime);
 *
 * Input, run and output follow each other strictly, because they share the arena: the input is written from
 * its first byte on, a RUN uses it up, and the first byte of the next input makes the output unreadable.
 */
#ifndef HIL_RUNTIME_H
#define HIL_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_frame.h"
#include "hil_messages.h"

/* Operators whose cycles can be counted one by one, 4 bytes of RAM each.  A profiled RUN of a model with more
 * operators is refused with HIL_ERROR_NO_PROFILE; a plain one is not. */
#ifndef HIL_PROFILE_MAX
#define HIL_PROFILE_MAX 128
#endif

typedef struct {
  hil_decoder decoder;
  uint32_t input_written;            /* bytes of the input tensor, from its first, that are valid */
  bool has_output;                   /* a RUN was made and no input written since */
  bool has_profile;                  /* the last RUN was profiled */
  uint32_t profile[HIL_PROFILE_MAX]; /* cycles of each operator */
} hil_runtime;

/* Must be called before the first poll. */
void hil_runtime_init(hil_runtime *runtime);

/* Take what the port has received, and answer the requests that it completes.  Does not wait, unless
 * hil_port_read does. */
void hil_runtime_poll(hil_runtime *runtime);

/* Tell the host that the processor faulted.  For fault handlers: uses no state of the runtime and about 250
 * bytes of stack, so it works in the middle of anything.  A frame that was being sent is left broken; the
 * host finds this one behind it. kind       number of the exception: 3 hard fault, 4 memory management, 5
 * bus, 6 usage registers  r0 r1 r2 r3 r12 lr pc psr cfsr hfsr mmfar bfar */
void hil_runtime_report_fault(uint8_t kind, const uint32_t registers[HIL_FAULT_REGISTERS]);

#endif
