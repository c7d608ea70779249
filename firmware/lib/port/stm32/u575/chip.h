/*
 * STM32U575 on the NUCLEO-U575ZI-Q, with TrustZone off (option TZEN = 0, as it leaves the factory).  RM0456;
 * addresses of stm32u575xx.h (non-secure); pins as in Zephyr, boards/st/nucleo_u575zi_q (nucleo_u575zi_q.dts,
 * arduino_r3_connector.dtsi).
 */
#ifndef HIL_STM32_CHIP_H
#define HIL_STM32_CHIP_H

#define CHIP_CLOCK_HZ   160000000u /* the only one that this port sets */
#define CHIP_INTERRUPTS 126        /* stm32u575xx.h: the highest is LSECSSD_IRQn, 125 */

/* Virtual COM port of the ST-LINK: USART1 (APB2, 160 MHz) on PA9 (TX) and PA10 (RX), alternate function 7. */
#define USART_BASE      0x40013800u
#define USART_VERSION   2
#define USART_CLOCK_HZ  160000000u
#define USART_INTERRUPT 61
#define USART_TX_PORT   0x42020000u
#define USART_TX_PIN    9u
#define USART_RX_PORT   0x42020000u
#define USART_RX_PIN    10u
#define USART_FUNCTION  7u

/* Arduino D2: PF15. */
#define TRIGGER_PORT 0x42021400u
#define TRIGGER_PIN  15u

/* RM0456, "Unique device ID register (96 bits)". */
#define UID_BASE 0x0BFA0700u

#include "registers.h"

/* RM0456, chapter RCC. */
#define RCC_CR       HIL_REGISTER(0x46020C00u) /* rw */
#define RCC_CFGR1    HIL_REGISTER(0x46020C1Cu) /* rw */
#define RCC_CFGR2    HIL_REGISTER(0x46020C20u) /* rw */
#define RCC_PLL1CFGR HIL_REGISTER(0x46020C28u) /* w */
#define RCC_PLL1DIVR HIL_REGISTER(0x46020C34u) /* w */
#define RCC_AHB2ENR1 HIL_REGISTER(0x46020C8Cu) /* rw */
#define RCC_AHB3ENR  HIL_REGISTER(0x46020C94u) /* rw */
#define RCC_APB2ENR  HIL_REGISTER(0x46020CA4u) /* rw */

/* RM0456, chapter PWR. */
#define PWR_VOSR HIL_REGISTER(0x4602080Cu) /* rw */

/* RM0456, chapter Flash interface. */
#define FLASH_ACR HIL_REGISTER(0x40022000u) /* rw */

/* RM0456, chapter ICACHE: one cache for instructions and constants. */
#define ICACHE_CR HIL_REGISTER(0x40030400u) /* rw */
#define ICACHE_SR HIL_REGISTER(0x40030404u) /* r */

#endif
