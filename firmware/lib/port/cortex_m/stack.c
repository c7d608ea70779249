/* The painted stack, and the RAM behind all that is linked. */
#include "hil_port.h"

#define STACK_PATTERN 0xC5C5C5C5u

extern uint32_t __hil_stack_bottom[], __hil_stack_top[];
extern uint8_t __hil_spare_start[], __hil_spare_end[];

/* Everything below the stack pointer is free.  Should an interrupt come meanwhile, what it leaves there
 * counts as used: it was. */
void hil_port_stack_paint(void) {
  volatile uint32_t *word = __hil_stack_bottom;
  uintptr_t stack_pointer;
  __asm volatile("mov %0, sp" : "=r"(stack_pointer));
  while ((uintptr_t)word < stack_pointer) {
    *word++ = STACK_PATTERN;
  }
}

uint32_t hil_port_stack_used(void) {
  const volatile uint32_t *word = __hil_stack_bottom;
  while (word < __hil_stack_top && *word == STACK_PATTERN) {
    ++word;
  }
  return (uint32_t)((uintptr_t)__hil_stack_top - (uintptr_t)word);
}

uint32_t hil_port_stack_size(void) {
  return (uint32_t)((uintptr_t)__hil_stack_top - (uintptr_t)__hil_stack_bottom);
}

uint8_t *hil_port_spare_ram(size_t *size) {
  *size = (size_t)((uintptr_t)__hil_spare_end - (uintptr_t)__hil_spare_start);
  return __hil_spare_start;
}
