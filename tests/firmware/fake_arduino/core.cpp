/* The fake core: calls setup and loop as Arduino's main does, until standard input ends or the chip is reset.
 */
#include <Arduino.h>
#include <Wire.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int waiting = -1; /* a byte that was looked at, -1: none */
static bool ended, begun;

FakeSerial Serial;

void FakeSerial::begin(unsigned long baud) { begun = baud == 115200; }

int FakeSerial::available() {
  unsigned char next;
  struct pollfd input = {0, POLLIN, 0};
  if (waiting < 0 && begun && poll(&input, 1, 10) > 0) {
    if (::read(0, &next, 1) == 1) {
      waiting = next;
    } else {
      ended = true;
    }
  }
  return waiting >= 0;
}

int FakeSerial::read() {
  const int next = waiting;
  waiting = -1;
  return next;
}

size_t FakeSerial::write(const uint8_t *data, size_t size) { return fwrite(data, 1, size, stdout); }

void FakeSerial::flush() { fflush(stdout); }

static uint8_t modes[32];
void pinMode(uint8_t pin, uint8_t mode) { modes[pin] = mode; }
void digitalWrite(uint8_t pin, uint8_t value) {
  fprintf(stderr, "pin %d is %s%s\n", pin, value ? "high" : "low",
          modes[pin] == OUTPUT ? "" : ", and no output");
}
void yield() {}

#ifdef FAKE_NRF52
static FakeCoreDebug core_debug;
static FakeDwt dwt;
static FakeNvmc nvmc;
static FakeFicr ficr = {{0x44332211, 0x88776655}};
FakeCoreDebug *const CoreDebug = &core_debug;
FakeDwt *const DWT = &dwt;
FakeNvmc *const NRF_NVMC_REGISTERS = &nvmc;
FakeFicr *const NRF_FICR_REGISTERS = &ficr;
uint32_t SystemCoreClock = 64000000;
unsigned long micros() { abort(); /* this core has a cycle counter */ }
#else
unsigned long micros() {
  static unsigned long now;
  return now += 10;
}
#endif

extern "C" void NVIC_SystemReset(void) {
  fprintf(stderr, "reset\n");
  exit(0);
}

/* An INA226 whose results are always there: 1,000 steps of the shunt's voltage, 2,400 of the bus's. */
FakeWire Wire;
static bool bus_begun, addressed;
static uint8_t pointer, left;

void FakeWire::begin() { bus_begun = true; }
void FakeWire::setClock(uint32_t) {}

void FakeWire::beginTransmission(uint8_t address) { addressed = bus_begun && address == 0x40; }

size_t FakeWire::write(const uint8_t *data, size_t size) {
  pointer = data[0];
  return size;
}

uint8_t FakeWire::endTransmission(bool) { return addressed ? 0 : 2; }

uint8_t FakeWire::requestFrom(uint8_t address, uint8_t count) {
  left = address == 0x40 ? count : 0;
  return left;
}

int FakeWire::read() {
  const uint16_t value = pointer == 0xFE   ? 0x5449
                         : pointer == 0x06 ? 0x0008
                         : pointer == 0x01 ? 1000
                         : pointer == 0x02 ? 2400
                                           : 0;
  left -= 1;
  return value >> (8 * left) & 0xFF;
}

int main() {
  setup();
  while (!ended) {
    loop();
  }
  return 0;
}
