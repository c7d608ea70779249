/* From reset to main. */
#include <stdint.h>

#include "parts.h"
#include "system.h"

extern uint32_t __hil_data_load[], __hil_data_start[], __hil_data_end[];
extern uint32_t __hil_bss_start[], __hil_bss_end[];

void hil_reset_handler(void) {
#ifndef __ARM_ARCH_6M__ /* which has the hard fault only, and no floating-point unit */
  /* First of all, so that whatever goes wrong from here on is reported. */
  SCB_SHCSR |= SCB_SHCSR_FAULTS;
  SCB_CCR |= SCB_CCR_DIV_0_TRP;
  SCB_CPACR |= SCB_CPACR_FPU;
  __asm volatile("dsb\n isb" ::: "memory");
#endif

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
