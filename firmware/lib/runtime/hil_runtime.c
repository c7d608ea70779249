#include "hil_runtime.h"

#include <string.h>

#include "hil_build.h"
#include "hil_model.h"
#include "hil_port.h"
#include "hil_version.h"
#include "hil_window.h"

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

#define INFO_FIXED_BYTES (68u + HIL_BUILD_DIGEST_BYTES) /* without the texts of the two str8 at its end */
#define STR8_MAX         0xFFu
#define OFFSET_BYTES     4u /* in front of the data in WRITE_INPUT and OUTPUT */
#define FIRST_BYTES      2u /* in front of the cycles in PROFILE */
#ifndef HIL_READ_BYTES
#define HIL_READ_BYTES 32u /* taken from the line at a time, on the stack */
#endif

static void begin(hil_frame_writer *writer, uint8_t type, uint16_t sequence, size_t length) {
  hil_frame_begin(writer, hil_port_write, type, sequence, (uint16_t)length);
}

static void refuse(const hil_frame *request, hil_error code, const HIL_FLASH char *text) {
  hil_frame_writer writer;
  const size_t size = hil_flash_length(text);
  begin(&writer, HIL_ERROR, request->sequence, 1 + size);
  hil_frame_put_u8(&writer, (uint8_t)code);
  hil_frame_put_flash(&writer, text, size);
  hil_frame_end(&writer);
}

static void refuse_version(const hil_frame *request) {
  refuse(request, HIL_ERROR_VERSION,
         HIL_FLASH_TEXT("this firmware speaks protocol version " TEXT(HIL_PROTOCOL_VERSION)));
}

static void refuse_length(const hil_frame *request) {
  refuse(request, HIL_ERROR_BAD_PAYLOAD, HIL_FLASH_TEXT("wrong payload length"));
}

static size_t str8_size(const HIL_FLASH char *text) {
  const size_t size = hil_flash_length(text);
  return size < STR8_MAX ? size : STR8_MAX;
}

static void put_str8(hil_frame_writer *writer, const HIL_FLASH char *text) {
  const size_t size = str8_size(text);
  hil_frame_put_u8(writer, (uint8_t)size);
  hil_frame_put_flash(writer, text, size);
}

static void answer_hello(const hil_frame *request) {
  if (request->length < 2) { /* later versions may say more */
    refuse_length(request);
    return;
  }
  const uint8_t oldest = request->payload[0];
  const uint8_t newest = request->payload[1];
  if (oldest > HIL_PROTOCOL_VERSION || newest < HIL_PROTOCOL_VERSION) {
    refuse_version(request);
    return;
  }
  const HIL_FLASH char *board = hil_port_board();
  const HIL_FLASH char *version = HIL_FLASH_TEXT(HIL_FIRMWARE_VERSION);
  uint8_t unit_id[8];
  hil_port_unit_id(unit_id);

  hil_frame_writer writer;
  begin(&writer, HIL_INFO, request->sequence, INFO_FIXED_BYTES + str8_size(version) + str8_size(board));
  hil_frame_put_u8(&writer, HIL_PROTOCOL_VERSION);
  hil_frame_put_u8(&writer, (uint8_t)(hil_port_instruction_cache() & 0xFF));
  hil_frame_put_u16(&writer, HIL_MAX_PAYLOAD);
  hil_frame_put_u32(&writer, hil_port_clock_hz());
  hil_frame_put_u32(&writer, hil_model.arena_bytes);
  hil_frame_put_u32(&writer, hil_model.input_bytes);
  hil_frame_put_u32(&writer, hil_model.output_bytes);
  hil_frame_put_u32(&writer, hil_port_stack_size());
  hil_frame_put_u16(&writer, hil_model.operator_count);
  hil_frame_put_flash(&writer, hil_model.digest, sizeof hil_model.digest);
  hil_frame_put_flash(&writer, hil_build_digest, sizeof hil_build_digest);
  hil_frame_put(&writer, unit_id, sizeof unit_id);
  put_str8(&writer, version);
  put_str8(&writer, board);
  hil_frame_end(&writer);
}

/* What of the runner's refusals a request can meet besides its own. */
static void refuse_status(const hil_frame *request, hil_runner_status status) {
  switch (status) {
    case HIL_RUNNER_GAP:
      refuse(request, HIL_ERROR_INPUT_GAP, HIL_FLASH_TEXT("bytes before this offset were not written"));
      break;
    case HIL_RUNNER_NO_INPUT:
      refuse(request, HIL_ERROR_NO_INPUT, HIL_FLASH_TEXT("no complete input was written since the last run"));
      break;
    case HIL_RUNNER_NO_OUTPUT:
      refuse(request, HIL_ERROR_NO_OUTPUT, HIL_FLASH_TEXT("no run since the last input was begun"));
      break;
    case HIL_RUNNER_NO_PROFILE:
      refuse(request, HIL_ERROR_NO_PROFILE,
             HIL_FLASH_TEXT("the model has more operators than HIL_PROFILE_MAX = " TEXT(HIL_PROFILE_MAX)));
      break;
    case HIL_RUNNER_BEYOND:
    case HIL_RUNNER_DONE:
      refuse(request, HIL_ERROR_BAD_PAYLOAD,
             HIL_FLASH_TEXT("beyond the end of the tensor, or more than a frame takes"));
      break;
  }
}

static void answer_write_input(hil_runner *runner, const hil_frame *request) {
  if (request->length < OFFSET_BYTES) {
    refuse_length(request);
    return;
  }
  const uint32_t offset = hil_get_u32(request->payload);
  const uint16_t count = (uint16_t)(request->length - OFFSET_BYTES);
  const hil_runner_status status = hil_runner_write(runner, offset, request->payload + OFFSET_BYTES, count);
  if (status != HIL_RUNNER_DONE) {
    refuse_status(request, status);
    return;
  }
  hil_frame_writer writer;
  begin(&writer, HIL_WRITTEN, request->sequence, 6);
  hil_frame_put_u32(&writer, offset);
  hil_frame_put_u16(&writer, count);
  hil_frame_end(&writer);
}

static void answer_run(hil_runner *runner, const hil_frame *request) {
  if (request->length != 1) {
    refuse_length(request);
    return;
  }
  const uint8_t flags = request->payload[0];
  if ((flags & ~HIL_RUN_PROFILE) != 0) {
    refuse(request, HIL_ERROR_BAD_PAYLOAD, HIL_FLASH_TEXT("unknown flag"));
    return;
  }
  hil_runner_figures figures;
  const hil_runner_status status = hil_runner_run(runner, (flags & HIL_RUN_PROFILE) != 0, &figures);
  if (status != HIL_RUNNER_DONE) {
    refuse_status(request, status);
    return;
  }
  hil_frame_writer writer;
  begin(&writer, HIL_RAN, request->sequence, 8);
  hil_frame_put_u32(&writer, figures.cycles);
  hil_frame_put_u32(&writer, figures.stack_used);
  hil_frame_end(&writer);
}

static void answer_read_output(const hil_runner *runner, const hil_frame *request) {
  if (request->length != 6) {
    refuse_length(request);
    return;
  }
  const uint32_t offset = hil_get_u32(request->payload);
  const uint16_t count = hil_get_u16(request->payload + 4);
  const uint8_t *data;
  hil_runner_status status = hil_runner_output(runner, offset, count, &data);
  if (status == HIL_RUNNER_DONE && count > HIL_MAX_PAYLOAD - OFFSET_BYTES) {
    status = HIL_RUNNER_BEYOND;
  }
  if (status != HIL_RUNNER_DONE) {
    refuse_status(request, status);
    return;
  }
  hil_frame_writer writer;
  begin(&writer, HIL_OUTPUT, request->sequence, OFFSET_BYTES + count);
  hil_frame_put_u32(&writer, offset);
  hil_frame_put(&writer, data, count);
  hil_frame_end(&writer);
}

static void answer_read_profile(const hil_runner *runner, const hil_frame *request) {
  if (request->length != 4) {
    refuse_length(request);
    return;
  }
  const uint16_t first = hil_get_u16(request->payload);
  const uint16_t count = hil_get_u16(request->payload + 2);
  if (!runner->has_profile) {
    refuse(request, HIL_ERROR_NO_PROFILE, HIL_FLASH_TEXT("the last run was not profiled"));
    return;
  }
  if (first > hil_model.operator_count || count > hil_model.operator_count - first ||
      count > (HIL_MAX_PAYLOAD - FIRST_BYTES) / 4u) {
    refuse(request, HIL_ERROR_BAD_PAYLOAD,
           HIL_FLASH_TEXT("beyond the last operator, or more than a frame takes"));
    return;
  }
  hil_frame_writer writer;
  begin(&writer, HIL_PROFILE, request->sequence, FIRST_BYTES + 4u * count);
  hil_frame_put_u16(&writer, first);
  for (uint16_t i = 0; i < count; ++i) {
    hil_frame_put_u32(&writer, runner->profile[first + i]);
  }
  hil_frame_end(&writer);
}

static void put_u64(hil_frame_writer *writer, uint64_t value) {
  hil_frame_put_u32(writer, (uint32_t)value);
  hil_frame_put_u32(writer, (uint32_t)(value >> 32));
}

#if HIL_POWER_SENSOR
static void watch_sensor(void *sensor) { hil_power_sensor_poll(sensor); }
#endif

static void answer_run_window(hil_runtime *runtime, const hil_frame *request) {
  if (request->length != 4) {
    refuse_length(request);
    return;
  }
  const uint32_t inferences = hil_get_u32(request->payload);
  if (inferences == 0) {
    refuse(request, HIL_ERROR_BAD_PAYLOAD, HIL_FLASH_TEXT("a window of no inferences"));
    return;
  }
  hil_window_watch watch = NULL;
  void *watched = NULL;
#if HIL_POWER_SENSOR
  if (runtime->sensor.kind != 0) {
    hil_power_sensor_restart(&runtime->sensor);
    watch = watch_sensor;
    watched = &runtime->sensor;
  }
#endif
  hil_window_figures figures;
  const hil_runner_status status = hil_window_run(&runtime->runner, inferences, watch, watched, &figures);
  if (status != HIL_RUNNER_DONE) {
    refuse_status(request, status);
    return;
  }
  hil_frame_writer writer;
  begin(&writer, HIL_RAN_WINDOW, request->sequence, 21);
  hil_frame_put_u32(&writer, figures.inferences);
  put_u64(&writer, figures.cycles);
  put_u64(&writer, figures.window_cycles);
  hil_frame_put_u8(&writer, figures.input_restored);
  hil_frame_end(&writer);
}

#if HIL_POWER_SENSOR
static void answer_sensor(const hil_power_sensor *sensor, const hil_frame *request, bool answers) {
  if (!answers) {
    refuse(request, HIL_ERROR_NO_SENSOR,
           HIL_FLASH_TEXT("the power sensor was not started, or does not answer"));
    return;
  }
  hil_frame_writer writer;
  begin(&writer, HIL_SENSOR, request->sequence, 14);
  hil_frame_put_u32(&writer, sensor->samples);
  put_u64(&writer, (uint64_t)sensor->shunt_sum);
  hil_frame_put_u16(&writer, sensor->bus);
  hil_frame_end(&writer);
}

static void answer_start_sensor(hil_power_sensor *sensor, const hil_frame *request) {
  if (request->length != 2) {
    refuse_length(request);
    return;
  }
  const uint8_t kind = request->payload[0];
  if (kind != HIL_SENSOR_INA219 && kind != HIL_SENSOR_INA226) {
    refuse(request, HIL_ERROR_BAD_PAYLOAD, HIL_FLASH_TEXT("unknown kind of sensor"));
    return;
  }
  answer_sensor(sensor, request, hil_power_sensor_start(sensor, kind, request->payload[1]));
}

static void answer_read_sensor(hil_power_sensor *sensor, const hil_frame *request) {
  if (request->length != 0) {
    refuse_length(request);
    return;
  }
  answer_sensor(sensor, request, sensor->kind != 0 && hil_power_sensor_read(sensor));
}

static void answer_sensor_request(hil_runtime *runtime, const hil_frame *request) {
  if (request->type == HIL_START_SENSOR) {
    answer_start_sensor(&runtime->sensor, request);
  } else {
    answer_read_sensor(&runtime->sensor, request);
  }
}
#else
static void answer_sensor_request(hil_runtime *runtime, const hil_frame *request) {
  (void)runtime;
  if (request->length != (request->type == HIL_START_SENSOR ? 2u : 0u)) {
    refuse_length(request);
  } else {
    refuse(request, HIL_ERROR_NO_SENSOR, HIL_FLASH_TEXT("this firmware was built without HIL_POWER_SENSOR"));
  }
}
#endif

static void answer_reset(const hil_frame *request) {
  if (request->length != 0) {
    refuse_length(request);
    return;
  }
  hil_frame_writer writer;
  begin(&writer, HIL_RESETTING, request->sequence, 0);
  hil_frame_end(&writer);
  hil_port_reset();
}

static void answer(hil_runtime *runtime, const hil_frame *request) {
  const uint8_t type = request->type;
  if (type < HIL_HELLO || type > HIL_READ_SENSOR) {
    refuse(request, HIL_ERROR_UNKNOWN_TYPE, HIL_FLASH_TEXT("unknown request"));
  } else if (type == HIL_HELLO) {
    answer_hello(request);
  } else if (request->version != HIL_PROTOCOL_VERSION) {
    refuse_version(request);
  } else if (type == HIL_WRITE_INPUT) {
    answer_write_input(&runtime->runner, request);
  } else if (type == HIL_RUN) {
    answer_run(&runtime->runner, request);
  } else if (type == HIL_READ_OUTPUT) {
    answer_read_output(&runtime->runner, request);
  } else if (type == HIL_READ_PROFILE) {
    answer_read_profile(&runtime->runner, request);
  } else if (type == HIL_RESET) {
    answer_reset(request);
  } else if (type == HIL_RUN_WINDOW) {
    answer_run_window(runtime, request);
  } else {
    answer_sensor_request(runtime, request);
  }
}

void hil_runtime_init(hil_runtime *runtime) {
  memset(runtime, 0, sizeof *runtime);
#ifdef HIL_MLPERF
  hil_mlperf_init(&runtime->mlperf, &runtime->runner);
  runtime->decoder.listener = hil_mlperf_feed;
  runtime->decoder.context = &runtime->mlperf;
#endif
}

/* Any request may use the memory where the text commands keep their input, but for HELLO. */
static void tell_mlperf(hil_runtime *runtime, uint8_t type) {
#ifdef HIL_MLPERF
  if (type != HIL_HELLO) {
    hil_mlperf_forget(&runtime->mlperf);
  }
#else
  (void)runtime;
  (void)type;
#endif
}

void hil_runtime_poll(hil_runtime *runtime) {
  uint8_t bytes[HIL_READ_BYTES];
  const size_t count = hil_port_read(bytes, sizeof bytes);
  size_t fed = 0;
  while (fed < count) {
    hil_frame request;
    fed += hil_decoder_feed(&runtime->decoder, bytes + fed, count - fed);
    while (hil_decoder_next(&runtime->decoder, &request)) {
      const uint8_t type = request.type;
      answer(runtime, &request);
      tell_mlperf(runtime, type);
    }
  }
}

void hil_runtime_report_fault(uint8_t kind, const uint32_t registers[HIL_FAULT_REGISTERS]) {
  hil_frame_writer writer;
  begin(&writer, HIL_FAULT, HIL_UNASKED, 1 + 4u * HIL_FAULT_REGISTERS);
  hil_frame_put_u8(&writer, kind);
  for (size_t i = 0; i < HIL_FAULT_REGISTERS; ++i) {
    hil_frame_put_u32(&writer, registers[i]);
  }
  hil_frame_end(&writer);
}
