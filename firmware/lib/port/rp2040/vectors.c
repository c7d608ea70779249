/* Vector table: reset, and the fault handler for all others.  No interrupt is ever enabled in the NVIC. */
#include "parts.h"

/* clang-format off */
__asm(
  "  .section .vectors, \"a\"      \n"
  "  .word  __hil_stack_top        \n"
  "  .word  hil_reset_handler      \n"
  "  .rept  14 + 32                \n" /* of the core, and interrupts */
  "  .word  hil_fault_handler      \n"
  "  .endr                         \n"
  "  .text                         \n"
);
/* clang-format on */
