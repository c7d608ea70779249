/*
 * The command loop: takes requests from hil_port.h, runs the model of hil_model.h, and answers
 * (docs/PROTOCOL.md).
 *
 *     static hil_runtime runtime;
 *     hil_port_init();
 *     hil_runtime_init(&runtime);
 *     for (;;) hil_runtime_poll(&runtime);
 */
#ifndef HIL_RUNTIME_H
#define HIL_RUNTIME_H

#include <stdint.h>

#include "hil_frame.h"
#include "hil_messages.h"
#ifdef HIL_MLPERF
#include "hil_mlperf.h"
#endif
#include "hil_runner.h"

/* 1 where the build wants the driver of a power sensor (lib/energy/): boards with I2C and RAM to spare. */
#ifndef HIL_POWER_SENSOR
#define HIL_POWER_SENSOR 0
#endif
#if HIL_POWER_SENSOR
#include "hil_power_sensor.h"
#endif

typedef struct {
  hil_decoder decoder;
  hil_runner runner;
#if HIL_POWER_SENSOR
  hil_power_sensor sensor;
#endif
#ifdef HIL_MLPERF
  hil_mlperf mlperf; /* text commands beside the frames */
#endif
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
