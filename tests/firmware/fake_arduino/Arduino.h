/*
 * As much of the documented Arduino API as the port uses, for a program on this computer: Serial is standard
 * input and output.  FAKE_NRF52 adds what the cores of an nRF52840 bring along: CMSIS and Nordic's registers.
 */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HIGH   0x1
#define LOW    0x0
#define OUTPUT 0x1

typedef uint8_t byte;

void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
unsigned long micros();
void yield();
void setup();
void loop();
extern "C" void NVIC_SystemReset(void);

struct FakeSerial {
  void begin(unsigned long baud);
  int available();
  int read();
  size_t write(const uint8_t *data, size_t size);
  void flush();
};
extern FakeSerial Serial;

#ifdef FAKE_NRF52

#define CoreDebug_DEMCR_TRCENA_Msk (1UL << 24)
#define DWT_CTRL_CYCCNTENA_Msk     1UL
#define NVMC_ICACHECNF_CACHEEN_Msk 1UL

struct FakeCoreDebug {
  volatile uint32_t DEMCR;
};
struct FakeDwt {
  volatile uint32_t CTRL, CYCCNT;
};
struct FakeNvmc {
  volatile uint32_t ICACHECNF;
};
struct FakeFicr {
  volatile const uint32_t DEVICEID[2];
};
extern FakeCoreDebug *const CoreDebug;
extern FakeDwt *const DWT;
extern FakeNvmc *const NRF_NVMC_REGISTERS;
extern FakeFicr *const NRF_FICR_REGISTERS;
extern uint32_t SystemCoreClock;
#define NRF_NVMC NRF_NVMC_REGISTERS
#define NRF_FICR NRF_FICR_REGISTERS

#endif

#endif
