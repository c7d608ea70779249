/*
 * hil_port.h on the Arduino API: Serial, micros and digitalWrite, so it serves any core; what the API lacks
 * is taken from the chip where it has it.
 *
 *                  AVR                               Cortex-M with DWT            others
 *   cycles         Timer1 at the core's clock        DWT CYCCNT                   micros(), 1 MHz
 *   stack          from the static data to its top   HIL_STACK_BYTES below loop()'s frame
 *   reset          watchdog                          NVIC
 *   unit id        zeros: the chips have none        nRF52: FICR DEVICEID         zeros
 *
 * On AVR the millisecond interrupt of Timer0 is off, and hil_port_write returns when the line is idle again:
 * during an inference no interrupt comes but that of Timer1, once in 65,536 cycles, unless the host sends.
 */
#include <Arduino.h>
#if defined(USE_TINYUSB)
#include <Adafruit_TinyUSB.h> /* Serial of Adafruit's core */
#endif

extern "C" {
#include "hil_port.h"
#include "hil_runtime.h"
}

#if HIL_POWER_SENSOR
#include <Wire.h>
#endif

#if defined(__AVR__)
#include <avr/interrupt.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#endif

/* The pin that an energy meter watches; D2 is a plain output on every board of the Arduino shape. */
#ifndef HIL_TRIGGER_PIN
#define HIL_TRIGGER_PIN 2
#endif

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

static const uint8_t STACK_PATTERN = 0xC5;

/* ---------------------------------------------------------------- cycles */

#if defined(__AVR__)

/* What Timer1's interrupt takes: into it 4, JMP of the vector 3, the instructions below 30, RETI 4; two more
 * where the program counter has three bytes. */
#if defined(__AVR_3_BYTE_PC__)
#define OVERFLOW_CYCLES 43
#else
#define OVERFLOW_CYCLES 41
#endif

/* Cycles up to the last overflow of Timer1, less those of its interrupts: what is timed does not pay for
 * being timed. */
extern "C" volatile uint32_t hil_overflown_cycles;
volatile uint32_t hil_overflown_cycles;

/* By hand, so that its cycles are known. */
ISR(TIMER1_OVF_vect, ISR_NAKED) {
  __asm__ volatile(
      "push r24\n in r24, __SREG__\n push r24\n"
      "lds r24, hil_overflown_cycles\n subi r24, lo8(%0)\n sts hil_overflown_cycles, r24\n"
      "lds r24, hil_overflown_cycles+1\n sbci r24, hi8(%0)\n sts hil_overflown_cycles+1, r24\n"
      "lds r24, hil_overflown_cycles+2\n sbci r24, hlo8(%0)\n sts hil_overflown_cycles+2, r24\n"
      "lds r24, hil_overflown_cycles+3\n sbci r24, hhi8(%0)\n sts hil_overflown_cycles+3, r24\n"
      "pop r24\n out __SREG__, r24\n pop r24\n reti\n" ::"n"(OVERFLOW_CYCLES - 0x10000L));
}

static void start_cycles() {
  TIMSK0 = 0;         /* the core's milliseconds; nothing here asks for them */
  TCCR1A = 0;         /* counts up to 0xffff, no pins */
  TCCR1B = _BV(CS10); /* at the core's clock */
  TIMSK1 = _BV(TOIE1);
}

extern "C" uint32_t hil_port_cycles(void) {
  const uint8_t interrupts = SREG;
  cli();
  const uint16_t low = TCNT1;
  const bool wrapped = (TIFR1 & _BV(TOV1)) != 0 && low < 0x8000u; /* its interrupt has yet to come */
  const uint32_t high = hil_overflown_cycles;
  SREG = interrupts;
  return high + low + (wrapped ? 0x10000UL : 0);
}

extern "C" uint32_t hil_port_clock_hz(void) { return F_CPU; }

#elif defined(DWT_CTRL_CYCCNTENA_Msk)

static void start_cycles() {
  CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
  DWT->CYCCNT = 0;
  DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
}

extern "C" uint32_t hil_port_cycles(void) { return DWT->CYCCNT; }

extern "C" uint32_t hil_port_clock_hz(void) { return SystemCoreClock; }

#else

static void start_cycles() {}

extern "C" uint32_t hil_port_cycles(void) { return micros(); }

extern "C" uint32_t hil_port_clock_hz(void) { return 1000000u; }

#endif

/* ---------------------------------------------------------------- stack */

#if defined(__AVR__)

extern "C" uint8_t __hil_stack_bottom[];

static uint8_t *stack_bottom() { return __hil_stack_bottom; }

static uint8_t *stack_top() { return (uint8_t *)(RAMEND + 1); }

static uint8_t *stack_pointer() { return (uint8_t *)SP; }

#else

/* loop() runs in a thread of the core, whose stack lies anywhere; HIL_STACK_BYTES of it are this firmware's.
 */
static uint8_t *top;

static uint8_t *stack_bottom() { return top - HIL_STACK_BYTES; }

static uint8_t *stack_top() { return top; }

static uint8_t *stack_pointer() { return (uint8_t *)__builtin_frame_address(0); }

/* Below the frame of the painter itself. */
static const size_t FRAME_BYTES = 64;

#endif

extern "C" void hil_port_stack_paint(void) {
#if defined(__AVR__)
  const uint8_t *const end = stack_pointer();
#else
  const uint8_t *const end = stack_pointer() - FRAME_BYTES;
#endif
  for (volatile uint8_t *at = stack_bottom(); at < end; ++at) {
    *at = STACK_PATTERN;
  }
}

extern "C" uint32_t hil_port_stack_used(void) {
  const volatile uint8_t *at = stack_bottom();
  while (at < stack_top() && *at == STACK_PATTERN) {
    ++at;
  }
  return (uint32_t)(stack_top() - at);
}

extern "C" uint32_t hil_port_stack_size(void) { return HIL_STACK_BYTES; }

/* ---------------------------------------------------------------- who it is */

extern "C" const char *hil_port_board(void) {
#if defined(__AVR__)
  static const char board[] PROGMEM = TEXT(HIL_BOARD);
  return board; /* in flash, as hil_port.h says */
#else
  return TEXT(HIL_BOARD);
#endif
}

extern "C" void hil_port_unit_id(uint8_t id[8]) {
#if defined(__AVR__)
  /* A reset leaves zeros in these registers, and nothing here or in the bootloaders writes them; the emulator
   * (hil/emulator/avr) starts the chip with these letters. */
  const bool emulated = GPIOR0 == 'E' && GPIOR1 == 'M' && GPIOR2 == 'U';
  static const char name[] PROGMEM = "EMULATED";
  for (uint8_t i = 0; i < 8; ++i) {
    id[i] = emulated ? pgm_read_byte(&name[i]) : 0;
  }
#elif defined(NRF_FICR)
  for (uint8_t i = 0; i < 8; ++i) {
    id[i] = (uint8_t)(NRF_FICR->DEVICEID[i / 4] >> (8 * (i % 4)));
  }
#else
  memset(id, 0, 8);
#endif
}

extern "C" int hil_port_instruction_cache(void) {
#if defined(NVMC_ICACHECNF_CACHEEN_Msk)
  return (NRF_NVMC->ICACHECNF & NVMC_ICACHECNF_CACHEEN_Msk) != 0;
#else
  return -1;
#endif
}

/* ---------------------------------------------------------------- reset */

#if defined(__AVR__)

/* After a reset by the watchdog it stays on, with the shortest time. */
extern "C" void hil_watchdog_off(void) __attribute__((naked, used, section(".init3")));
void hil_watchdog_off(void) {
  MCUSR = 0;
  wdt_disable();
}

static void restart() { wdt_enable(WDTO_15MS); }

#else

static void restart() { NVIC_SystemReset(); }

#endif

extern "C" void hil_port_reset(void) {
  Serial.flush();
  restart();
  for (;;) {
  }
}

/* ---------------------------------------------------------------- line */

extern "C" void hil_port_init(void) {
#if !defined(__AVR__)
  top = (uint8_t *)__builtin_frame_address(0);
#endif
#if defined(NVMC_ICACHECNF_CACHEEN_Msk)
  NRF_NVMC->ICACHECNF = NVMC_ICACHECNF_CACHEEN_Msk; /* off at reset, and no core switches it on */
#endif
  start_cycles();
  pinMode(HIL_TRIGGER_PIN, OUTPUT);
#if HIL_POWER_SENSOR
  Wire.begin();
  Wire.setClock(400000);
#endif
  Serial.begin(HIL_BAUD);
}

/* Sleeping wants interrupts off while it is found out that there is nothing to do: SEI takes effect behind
 * the next instruction, which is SLEEP. */
static void wait_for_byte() {
#if defined(__AVR__)
  set_sleep_mode(SLEEP_MODE_IDLE);
  cli();
  if (Serial.available() == 0) {
    sleep_enable();
    sei();
    sleep_cpu();
    sleep_disable();
  }
  sei();
#else
  yield();
#endif
}

extern "C" size_t hil_port_read(uint8_t *data, size_t capacity) {
  size_t count = 0;
  while (count < capacity && Serial.available() > 0) {
    data[count++] = (uint8_t)Serial.read();
  }
  if (count == 0) {
    wait_for_byte();
  }
  return count;
}

extern "C" void hil_port_write(const uint8_t *data, size_t size) {
  Serial.write(data, size);
  Serial.flush();
}

extern "C" void hil_port_trigger(int on) { digitalWrite(HIL_TRIGGER_PIN, on ? HIGH : LOW); }

/* ---------------------------------------------------------------- I2C, on the pins SDA and SCL */

#if HIL_POWER_SENSOR

extern "C" int hil_port_i2c(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in,
                            size_t in_size) {
  Wire.beginTransmission(address);
  Wire.write(out, out_size);
  if (Wire.endTransmission(in_size == 0) != 0) { /* not the last: the bus is kept */
    return -1;
  }
  if (in_size != 0 && Wire.requestFrom(address, (uint8_t)in_size) != in_size) {
    return -1;
  }
  for (size_t i = 0; i < in_size; ++i) {
    in[i] = (uint8_t)Wire.read();
  }
  return 0;
}

#endif

/* ---------------------------------------------------------------- the sketch */

static hil_runtime runtime;

void setup() {
  hil_port_init();
  hil_runtime_init(&runtime);
}

void loop() { hil_runtime_poll(&runtime); }
