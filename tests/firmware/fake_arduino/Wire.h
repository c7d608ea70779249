/* As much of the documented Wire API as the port uses.  Behind it is an INA226 at 0x40 (core.cpp). */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

struct FakeWire {
  void begin();
  void setClock(uint32_t hz);
  void beginTransmission(uint8_t address);
  size_t write(const uint8_t *data, size_t size);
  uint8_t endTransmission(bool stop);
  uint8_t requestFrom(uint8_t address, uint8_t count);
  int read();
};
extern FakeWire Wire;

#endif
