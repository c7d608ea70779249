/*
 * Vector table: reset, and the fault handler for all others.  No interrupt is ever enabled in the NVIC (see
 * uarte.c); one that came all the same is reported with its number.
 *
 * Anomalies of the chip: Nordic's SystemInit (system_nrf52.c of its MDK) works around some before main; none
 * of them touches this firmware.  36 (calibration timer), 66 (TEMP) and 136 (RESETREAS) are about registers
 * that it does not use; 68 (HFCLKSTARTED comes early), 98, 103, 115 and 120 about the first engineering
 * samples only; 16, 31, 217 and 220 (RAM after sleep) about other chips.  87 (an exception flag of the
 * floating-point unit ends a sleep early) would only send the reader of the serial line once round its loop,
 * and integer kernels raise no such flag.
 */
#include "parts.h"
#include "pins.h"

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

/* clang-format off */
__asm(
  "  .section .vectors, \"a\"                    \n"
  "  .word  __hil_stack_top                      \n"
  "  .word  hil_reset_handler                    \n"
  "  .rept  14 + " TEXT(INTERRUPT_COUNT) "       \n" /* of the core, and interrupts */
  "  .word  hil_fault_handler                    \n"
  "  .endr                                       \n"
  "  .text                                       \n"
);
/* clang-format on */
