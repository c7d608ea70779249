/*
 * Registers that all chips of this port have in the same place within their block.  Those of one chip are in
 * its chip.h.  Nothing else is touched, and the emulator models exactly these lists (hil/emulator/stm32); an
 * access to anything else is an error there.
 *
 * Addresses and bits are those of ST's device headers (stm32f446xx.h, stm32f746xx.h, stm32l4r5xx.h,
 * stm32u575xx.h).  What they do is described in the reference manuals (RM): RM0390 for STM32F446, RM0385 for
 * STM32F746, RM0432 for STM32L4R5, RM0456 for STM32U575.  Those of the core are in cortex_m/system.h.
 * Compared with public copies of those headers: RCC and PWR of all four, the interrupt numbers, and where the
 * unique id lies.  The manuals could not be read: their chapters are named, steps taken from them are not
 * confirmed, and none of the four has run on a real board.
 * w: only written, r: only read, rw: both.
 */
#ifndef HIL_STM32_REGISTERS_H
#define HIL_STM32_REGISTERS_H

#include "system.h"

/* RM chapter "General-purpose I/Os", of the port at `base`. */
#define GPIO_MODER(base)    HIL_REGISTER((base) + 0x00u) /* rw: 2 bits a pin */
#define GPIO_PUPDR(base)    HIL_REGISTER((base) + 0x0Cu) /* rw: 2 bits a pin */
#define GPIO_BSRR(base)     HIL_REGISTER((base) + 0x18u) /* w: set in the lower half, reset in the upper */
#define GPIO_AFRL(base)     HIL_REGISTER((base) + 0x20u) /* rw: 4 bits a pin, 0 to 7 */
#define GPIO_AFRH(base)     HIL_REGISTER((base) + 0x24u) /* rw: 4 bits a pin, 8 to 15 */
#define GPIO_MODE_OUTPUT    1u
#define GPIO_MODE_ALTERNATE 2u
#define GPIO_PULL_UP        1u

/* RM chapter "Universal synchronous asynchronous receiver transmitter"; LPUART has the same registers, and
 * another unit of BRR.  Version 1 (STM32F4) keeps status and data in SR and DR, version 2 in ISR, RDR, TDR.
 */
#if USART_VERSION == 1
#define USART_STATUS   HIL_REGISTER(USART_BASE + 0x00u) /* r: SR */
#define USART_RECEIVED HIL_REGISTER(USART_BASE + 0x04u) /* r: DR; reading it after SR clears ORE */
#define USART_SEND     HIL_REGISTER(USART_BASE + 0x04u) /* w: DR */
#define USART_BRR      HIL_REGISTER(USART_BASE + 0x08u) /* w */
#define USART_CR1      HIL_REGISTER(USART_BASE + 0x0Cu) /* w */
#define USART_CR1_UE   (1u << 13)
#else
#define USART_CR1       HIL_REGISTER(USART_BASE + 0x00u) /* w */
#define USART_BRR       HIL_REGISTER(USART_BASE + 0x0Cu) /* w */
#define USART_STATUS    HIL_REGISTER(USART_BASE + 0x1Cu) /* r: ISR */
#define USART_ICR       HIL_REGISTER(USART_BASE + 0x20u) /* w */
#define USART_RECEIVED  HIL_REGISTER(USART_BASE + 0x24u) /* r: RDR */
#define USART_SEND      HIL_REGISTER(USART_BASE + 0x28u) /* w: TDR */
#define USART_CR1_UE    (1u << 0)
#define USART_ICR_ORECF (1u << 3)
#endif
#define USART_CR1_RE      (1u << 2)
#define USART_CR1_TE      (1u << 3)
#define USART_CR1_RXNEIE  (1u << 5)
#define USART_STATUS_ORE  (1u << 3) /* overrun: a byte came while the one before had not been read */
#define USART_STATUS_RXNE (1u << 5)
#define USART_STATUS_TC   (1u << 6)
#define USART_STATUS_TXE  (1u << 7)

#endif
