/*
 * A power sensor on I2C, INA219 or INA226: the mean current through its shunt while inferences run.
 *
 * The sensor converts the shunt's voltage without a pause and averages by itself: 64 conversions of 1.1 ms
 * (INA226), 128 of 0.53 ms (INA219), some 70 ms a result.  Asked behind each operator whether a result is
 * there, it is disturbed rarely, and each result stands for all of its 70 ms, whatever the operators do
 * meanwhile.  Reading single conversions between operators would only ever see the currents between them.
 *
 * The bus voltage is converted before and after, not during: the sensor has one converter, and the shunt's
 * share of it would have gaps.
 *
 * Registers: TI INA226, SBOS547B, section 7.1 "Device Registers"; INA219, SBOS448G, 8.6 "Register Maps".
 */
#ifndef HIL_POWER_SENSOR_H
#define HIL_POWER_SENSOR_H

#include <stdbool.h>
#include <stdint.h>

/* All zeros is a sensor that was not started. */
typedef struct {
  uint8_t kind; /* HIL_SENSOR_..., 0: not started */
  uint8_t address;
  bool failed;        /* it did not answer since it was started */
  uint16_t bus;       /* bus voltage as last read; LSB 1.25 mV (INA226), 4 mV (INA219) */
  uint32_t samples;   /* results added up */
  int64_t shunt_sum;  /* of the shunt's voltage; LSB 2.5 uV (INA226), 10 uV (INA219) */
  uint32_t next_look; /* cycles, before which no result can be there */
} hil_power_sensor;

/* Look for a sensor of this kind at this 7-bit address, read the bus voltage, and let it convert the shunt's
 * voltage from now on.  Returns whether it answers. */
bool hil_power_sensor_start(hil_power_sensor *sensor, uint8_t kind, uint8_t address);

/* Forget all results, and begin the next one now. */
void hil_power_sensor_restart(hil_power_sensor *sensor);

/* Add a result where a new one is there.  Costs nothing while none can be. */
void hil_power_sensor_poll(hil_power_sensor *sensor);

/* What the sensor shows now: where no result was added since the start, its latest one is; the bus voltage is
 * read again.  Returns whether it answers. */
bool hil_power_sensor_read(hil_power_sensor *sensor);

#endif
