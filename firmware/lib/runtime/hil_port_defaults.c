/*
 * What a port does that lacks the optional functions of hil_port.h: nothing.
 */
#include "hil_port.h"

#define DEFAULT __attribute__((weak))

DEFAULT void hil_port_trigger(int on) { (void)on; }

DEFAULT uint8_t *hil_port_spare_ram(size_t *size) {
  *size = 0;
  return NULL;
}

DEFAULT int hil_port_i2c(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  (void)address;
  (void)out;
  (void)out_size;
  (void)in;
  (void)in_size;
  return -1;
}
