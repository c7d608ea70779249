/*
 * One inference on QEMU's mps2-an386, between two readings of a timer.  With -icount shift=0 QEMU's clock
 * moves by 1 ns with each instruction, so the timer, of 25 MHz, counts instructions by the 40.
 *
 * Prints "ticks N" and "output" with the bytes in hexadecimal.
 */
#include <stdint.h>

#include "hil_model.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CPACR             REGISTER(0xE000ED88u)
#define TIMER_CTRL        REGISTER(0x40000000u)
#define TIMER_VALUE       REGISTER(0x40000004u) /* counts down */
#define TIMER_RELOAD      REGISTER(0x40000008u)

enum { SYS_WRITEC = 3, SYS_EXIT = 0x18, APPLICATION_EXIT = 0x20026 };

extern uint32_t stack_top[];
void reset(void);
void fault(void);

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  void (*handlers[15])(void);
} vectors = {stack_top, {reset, fault, fault, fault, fault, fault}};

static uint32_t semihosting(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void leave(void) {
  for (;;) {
    semihosting(SYS_EXIT, (const void *)APPLICATION_EXIT);
  }
}

static void put(const char *text) {
  for (; *text != '\0'; ++text) {
    semihosting(SYS_WRITEC, text);
  }
}

static void put_hex(uint32_t value, int digits) {
  char text[9];
  text[digits] = '\0';
  for (int i = digits - 1; i >= 0; --i) {
    text[i] = "0123456789abcdef"[value & 15u];
    value >>= 4;
  }
  put(text);
}

/* As the firmware's runtime does it (hil_runtime.c). */
static __attribute__((noinline)) uint32_t run_operators(void) {
  const uint16_t count = hil_model.operator_count;
  const uint32_t start = TIMER_VALUE;
  for (uint16_t i = 0; i < count; ++i) {
    hil_model_run_operator(i);
  }
  return start - TIMER_VALUE;
}

void reset(void) {
  CPACR |= 0xFu << 20;
  TIMER_RELOAD = 0xFFFFFFFFu;
  TIMER_VALUE = 0xFFFFFFFFu;
  TIMER_CTRL = 1;
  for (uint32_t k = 0; k < hil_model.input_bytes; ++k) {
    hil_arena[hil_model.input_offset + k] = (int8_t)((int32_t)((73u * k + 41u) % 256u) - 128);
  }
  const uint32_t ticks = run_operators();
  put("ticks ");
  put_hex(ticks, 8);
  put("\noutput ");
  for (uint32_t k = 0; k < hil_model.output_bytes; ++k) {
    put_hex((uint8_t)hil_arena[hil_model.output_offset + k], 2);
  }
  put("\n");
  leave();
}

void fault(void) {
  put("fault\n");
  leave();
}
