/*
 * The port: what the portable firmware core asks of a platform.  One implementation per platform in
 * firmware/lib/port/<platform>/.  No function allocates, none blocks unless it says so.
 */
#ifndef HIL_PORT_H
#define HIL_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "hil_flash.h"

/* Clocks, serial line, cycle counter, instruction cache, painted stack.  Called once, first. */
void hil_port_init(void);

/* Copy up to `capacity` received bytes to `data`; returns how many, 0 when none have come.  May sleep until
 * the next interrupt or byte when there is nothing to do, but never longer than one byte needs to arrive. */
size_t hil_port_read(uint8_t *data, size_t capacity);

/* Send `size` bytes; returns when they are handed to the line. */
void hil_port_write(const uint8_t *data, size_t size);

/* The core's cycle counter, wraps at 2^32.  Unit: 1 / hil_port_clock_hz() seconds. */
uint32_t hil_port_cycles(void);

/* Frequency of the counter above, Hz. */
uint32_t hil_port_clock_hz(void);

/* 1: instruction cache on, 0: off, -1: the core has none. */
int hil_port_instruction_cache(void);

/* Fill the unused part of the stack with a pattern, so that the next call of hil_port_stack_used counts from
 * now. */
void hil_port_stack_paint(void);

/* High-water mark of the stack since the last paint, bytes, from the top of the stack. */
uint32_t hil_port_stack_used(void);

/* Bytes that the linker reserves for the stack. */
uint32_t hil_port_stack_size(void);

/* Id of the board profile, e.g. "nrf52840_dk"; in flash. */
const HIL_FLASH char *hil_port_board(void);

/* Id of this very unit as the maker burnt it in (nRF52840: FICR DEVICEID), zeros where there is none.  An
 * emulated board answers "EMULATED", so that its figures are never taken for those of hardware. */
void hil_port_unit_id(uint8_t id[8]);

/* Restart the firmware.  Does not return. */
void hil_port_reset(void);

/* The functions below have defaults (hil_port_defaults.c) for ports that lack them. */

/* Level of the trigger pin, an output that is low otherwise: 1 while inferences run that an energy meter
 * integrates over (docs/energy.md says which pin of which board).  Default: no pin. */
void hil_port_trigger(int on);

/* RAM that nothing uses while inferences run, `*size` bytes of it.  Default: none. */
uint8_t *hil_port_spare_ram(size_t *size);

/* One transfer as I2C controller, 400 kHz or slower: write `out_size` bytes to the 7-bit `address`, then,
 * where `in_size` is not 0, read as many behind a repeated start.  Returns 0, or -1 where nobody acknowledged
 * or there is no bus.  Waits for the end, at most a few ms.  `out` and `in` lie in RAM.  Asked for only where
 * HIL_POWER_SENSOR is set.  Default: no bus. */
int hil_port_i2c(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size);

#endif
