/*
 * Faults, and interrupts that nobody asked for: the registers go to the host, and the firmware starts again
 * when the host has them.
 *
 *   report -> sleep until the host sends anything -> report -> reset
 *
 * The first report reaches a host that is listening.  A host that only connects later gets the second one as
 * the answer to whatever it says first, and finds a fresh firmware after that.  So a fault neither hangs the
 * board in silence nor goes unseen, and a board without a host does not fault and restart in a loop.
 *
 * A fault within this handler locks the core up; what the chip does then is its own affair.
 */
#include <stdint.h>

#include "hil_port.h"
#include "hil_runtime.h"
#include "parts.h"
#include "system.h"

#define FRAME_WORDS 8

extern uint32_t __hil_stack_bottom[], __hil_stack_top[];

/* r0 r1 r2 r3 r12 lr pc psr of the faulting code; zeros where they could not be stacked.  Written by the
 * assembly below only, hence volatile. */
__attribute__((used)) static volatile uint32_t fault_frame[FRAME_WORDS];

__attribute__((noreturn, used)) static void report(void);

/*
 * The core has pushed eight registers on the stack, unless the stack has overflown: then the stack pointer
 * lies outside, the push has failed, and reading there would fault again.  Having copied them, go on with an
 * empty stack: nothing ever returns to the old one.
 */
__attribute__((naked)) void hil_fault_handler(void) {
  __asm volatile(
      "  .syntax unified               \n"
      "  mrs   r0, msp                 \n"
      "  ldr   r1, =__hil_stack_bottom \n"
      "  ldr   r2, =__hil_stack_top    \n"
      "  cmp   r0, r1                  \n"
      "  blo   1f                      \n"
      "  mov   r3, r2                  \n"
      "  subs  r3, #32                 \n"
      "  cmp   r0, r3                  \n"
      "  bhi   1f                      \n"
      "  ldr   r1, =fault_frame        \n"
      "  ldmia r0!, {r4-r7}            \n"
      "  stmia r1!, {r4-r7}            \n"
      "  ldmia r0!, {r4-r7}            \n"
      "  stmia r1!, {r4-r7}            \n"
      "1:                              \n"
      "  msr   msp, r2                 \n"
      "  bl    report                  \n"
      "  .ltorg                        \n");
}

static void report(void) {
  uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));

  uint32_t registers[FRAME_WORDS + 4];
  for (int i = 0; i < FRAME_WORDS; ++i) {
    registers[i] = fault_frame[i];
  }
#ifdef __ARM_ARCH_6M__ /* which does not say why */
  for (int i = FRAME_WORDS; i < FRAME_WORDS + 4; ++i) {
    registers[i] = 0;
  }
#else
  registers[FRAME_WORDS] = SCB_CFSR;
  registers[FRAME_WORDS + 1] = SCB_HFSR;
  registers[FRAME_WORDS + 2] = SCB_MMFAR;
  registers[FRAME_WORDS + 3] = SCB_BFAR;
#endif

  hil_runtime_report_fault((uint8_t)exception, registers);
  hil_port_discard();
  uint8_t byte;
  while (hil_port_read(&byte, 1) == 0) {
  }
  hil_runtime_report_fault((uint8_t)exception, registers);
  hil_port_reset();
  for (;;) {
  }
}
