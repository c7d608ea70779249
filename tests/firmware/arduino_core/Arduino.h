/* Stands in for the header of an Arduino core on an nRF52840: what firmware/lib/port/arduino uses of it. */
#ifndef ARDUINO_CORE_STAND_IN_H
#define ARDUINO_CORE_STAND_IN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LOW, HIGH, OUTPUT };

class Line {
 public:
  void begin(unsigned long baud);
  int available();
  int read();
  size_t write(const uint8_t *data, size_t size);
  void flush();
};
extern Line Serial;

void setup();
void loop();
void yield();
extern "C" {
unsigned long micros(void);
void pinMode(uint32_t pin, uint32_t mode);
void digitalWrite(uint32_t pin, uint32_t value);
void NVIC_SystemReset(void);
}

/* The chip's registers, by the names of CMSIS and Nordic's headers. */
extern uint32_t SystemCoreClock;
struct Trace {
  volatile uint32_t CTRL, CYCCNT;
};
struct Debug {
  volatile uint32_t DEMCR;
};
struct Facts {
  volatile uint32_t DEVICEID[2];
};
struct FlashControl {
  volatile uint32_t ICACHECNF;
};
extern Trace *const DWT;
extern Debug *const CoreDebug;
extern Facts *const FICR;
extern FlashControl *const NRF_NVMC;
#define NRF_FICR                   FICR
#define DWT_CTRL_CYCCNTENA_Msk     1u
#define CoreDebug_DEMCR_TRCENA_Msk (1u << 24)
#define NVMC_ICACHECNF_CACHEEN_Msk 1u

#endif
