/*
 * Vector table and reset.
 *
 * Anomalies of the chip: Nordic's SystemInit (system_nrf52.c of its MDK) works around some before main; none
 * of them touches this firmware.  36 (calibration timer), 66 (TEMP) and 136 (RESETREAS) are about registers
 * that it does not use; 68 (HFCLKSTARTED comes early), 98, 103, 115 and 120 about the first engineering
 * samples only; 16, 31, 217 and 220 (RAM after sleep) about other chips.  87 (an exception flag of the
 * floating-point unit ends a sleep early) would only send the reader of the serial line once round its loop,
 * and integer kernels raise no such flag.
 *
 * No interrupt is ever enabled in the NVIC (see uarte.c), so every vector but reset leads to the fault
 * handler.  An exception that came all the same is reported with its number.
 */
#include "startup.h"

#include <stdint.h>

#include "fault.h"
#include "registers.h"

/* 15 of the core and 48 of the nRF52840 (the highest of nrf52840.h is SPIM3_IRQn, 47). */
#define EXCEPTION_COUNT 63

typedef struct {
  const void *initial_stack;
  void (*handlers[EXCEPTION_COUNT])(void);
} vector_table;

extern uint32_t __hil_data_load[], __hil_data_start[], __hil_data_end[];
extern uint32_t __hil_bss_start[], __hil_bss_end[];
extern uint32_t __hil_stack_top[];

#define F hil_fault_handler
extern const vector_table hil_vectors;
__attribute__((section(".vectors"), used)) const vector_table hil_vectors = {
    __hil_stack_top,
    {hil_reset_handler,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F, /* core */
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F, /* peripherals 0 to 15 */
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F, /* 16 to 31 */
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F,
     F}, /* 32 to 47 */
};
#undef F

void hil_reset_handler(void) {
  /* First of all, so that whatever goes wrong from here on is reported. */
  SCB_SHCSR |= SCB_SHCSR_FAULTS;
  SCB_CCR |= SCB_CCR_DIV_0_TRP;
  SCB_CPACR |= SCB_CPACR_FPU;
  __asm volatile("dsb\n isb" ::: "memory");

  const uint32_t *from = __hil_data_load;
  for (uint32_t *to = __hil_data_start; to < __hil_data_end; ++to) {
    *to = *from++;
  }
  for (uint32_t *to = __hil_bss_start; to < __hil_bss_end; ++to) {
    *to = 0;
  }
  main();
  SCB_AIRCR = SCB_AIRCR_SYSRESETREQ; /* main does not return; should it ever, start again */
  for (;;) {
  }
}
