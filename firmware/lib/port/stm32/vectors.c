/* Vector table: reset, the USART, and the fault handler for all others, which reports what came by number. */
#include "chip.h"
#include "parts.h"
#include "usart.h"

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

#define FIRST_INTERRUPT 16 /* exception number of interrupt 0; number 1 is reset */

/* clang-format off */
__asm(
  "  .section .vectors, \"a\"                                     \n"
  "  .word  __hil_stack_top                                       \n"
  "  .word  hil_reset_handler                                     \n"
  "  .rept  " TEXT(FIRST_INTERRUPT) " - 2 + " TEXT(USART_INTERRUPT) " \n"
  "  .word  hil_fault_handler                                     \n"
  "  .endr                                                        \n"
  "  .word  hil_usart_interrupt                                   \n"
  "  .rept  " TEXT(CHIP_INTERRUPTS) " - 1 - " TEXT(USART_INTERRUPT) " \n"
  "  .word  hil_fault_handler                                     \n"
  "  .endr                                                        \n"
  "  .text                                                        \n"
);
/* clang-format on */
