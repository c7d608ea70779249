#include "hil_power_sensor.h"

#include <string.h>

#include "hil_messages.h"
#include "hil_port.h"

/* The same numbers in both sensors. */
#define REGISTER_CONFIGURATION 0x00u
#define REGISTER_SHUNT         0x01u
#define REGISTER_BUS           0x02u
#define REGISTER_POWER         0x03u

#define INA226_MASK         0x06u
#define INA226_READY        0x0008u /* of MASK; reading it clears it */
#define INA226_MANUFACTURER 0xFEu
#define INA226_TI           0x5449u
#define INA226_SHUNT        0x4725u /* 64 averages, 1.1 ms each, shunt alone, continuous */
#define INA226_BUS          0x4122u /* 1 conversion of 1.1 ms, bus alone, once */

#define INA219_READY 0x0002u /* of BUS; reading POWER clears it */
#define INA219_SHUNT 0x01FDu /* 16 V, +-40 mV, 128 averages, shunt alone, continuous */
#define INA219_BUS   0x019Au /* 16 V, 12 bits, bus alone, once */

/* A result takes 70.4 ms (INA226) or 68.1 ms, 10 % less at least. */
#define NO_RESULT_FOR_MS 60u
#define LOOK_AGAIN_MS    2u
#define BUS_TIMEOUT_MS   20u

static uint32_t cycles_of(uint32_t ms) { return hil_port_clock_hz() / 1000u * ms; }

static bool write_register(hil_power_sensor *sensor, uint8_t number, uint16_t value) {
  const uint8_t out[3] = {number, (uint8_t)(value >> 8), (uint8_t)value};
  const bool done = hil_port_i2c(sensor->address, out, sizeof out, NULL, 0) == 0;
  sensor->failed = sensor->failed || !done;
  return done;
}

static uint16_t read_register(hil_power_sensor *sensor, uint8_t number) {
  uint8_t in[2] = {0, 0};
  if (hil_port_i2c(sensor->address, &number, 1, in, sizeof in) != 0) {
    sensor->failed = true;
  }
  return (uint16_t)(in[0] << 8 | in[1]);
}

static bool is_ina226(const hil_power_sensor *sensor) { return sensor->kind == HIL_SENSOR_INA226; }

static bool has_result(hil_power_sensor *sensor) {
  if (is_ina226(sensor)) {
    return (read_register(sensor, INA226_MASK) & INA226_READY) != 0;
  }
  return (read_register(sensor, REGISTER_BUS) & INA219_READY) != 0;
}

static void add_result(hil_power_sensor *sensor) {
  sensor->shunt_sum += (int16_t)read_register(sensor, REGISTER_SHUNT);
  sensor->samples += 1;
  if (!is_ina226(sensor)) {
    (void)read_register(sensor, REGISTER_POWER);
  }
}

static void read_bus(hil_power_sensor *sensor) {
  if (!write_register(sensor, REGISTER_CONFIGURATION, is_ina226(sensor) ? INA226_BUS : INA219_BUS)) {
    return;
  }
  const uint32_t start = hil_port_cycles();
  while (!has_result(sensor)) {
    if (sensor->failed || hil_port_cycles() - start > cycles_of(BUS_TIMEOUT_MS)) {
      sensor->failed = true;
      return;
    }
  }
  const uint16_t value = read_register(sensor, REGISTER_BUS);
  sensor->bus = is_ina226(sensor) ? value : value >> 3; /* below are flags */
}

void hil_power_sensor_restart(hil_power_sensor *sensor) {
  sensor->samples = 0;
  sensor->shunt_sum = 0;
  /* Writing the configuration ends the conversion under way and begins a new one. */
  (void)write_register(sensor, REGISTER_CONFIGURATION, is_ina226(sensor) ? INA226_SHUNT : INA219_SHUNT);
  sensor->next_look = hil_port_cycles() + cycles_of(NO_RESULT_FOR_MS);
}

bool hil_power_sensor_start(hil_power_sensor *sensor, uint8_t kind, uint8_t address) {
  memset(sensor, 0, sizeof *sensor);
  sensor->kind = kind;
  sensor->address = address;
  if (is_ina226(sensor) && read_register(sensor, INA226_MANUFACTURER) != INA226_TI) {
    sensor->failed = true;
  }
  if (!sensor->failed) {
    read_bus(sensor);
  }
  if (!sensor->failed) {
    hil_power_sensor_restart(sensor);
  }
  if (sensor->failed) {
    sensor->kind = 0;
  }
  return !sensor->failed;
}

void hil_power_sensor_poll(hil_power_sensor *sensor) {
  const uint32_t now = hil_port_cycles();
  if (sensor->failed || (int32_t)(now - sensor->next_look) < 0) {
    return;
  }
  uint32_t wait_ms = LOOK_AGAIN_MS;
  if (has_result(sensor)) {
    add_result(sensor);
    wait_ms = NO_RESULT_FOR_MS;
  }
  sensor->next_look = now + cycles_of(wait_ms);
}

bool hil_power_sensor_read(hil_power_sensor *sensor) {
  if (sensor->samples == 0 && has_result(sensor)) {
    add_result(sensor);
  }
  if (!sensor->failed) {
    read_bus(sensor);
  }
  return !sensor->failed;
}
