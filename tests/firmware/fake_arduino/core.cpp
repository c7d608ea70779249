/* The fake core: calls setup and loop as Arduino's main does, until standard input ends or the chip is reset.
 */
#include <Arduino.h>
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

int main() {
  setup();
  while (!ended) {
    loop();
  }
  return 0;
}
