/*
 * STM32L4R5 on the NUCLEO-L4R5ZI.  RM0432; addresses of stm32l4r5xx.h; pins as in Zephyr,
 * boards/st/nucleo_l4r5zi (nucleo_l4r5zi.dts, arduino_r3_connector.dtsi).
 */
#ifndef HIL_STM32_CHIP_H
#define HIL_STM32_CHIP_H

#define CHIP_CLOCK_HZ   HIL_CLOCK_HZ
#define CHIP_INTERRUPTS 95 /* stm32l4r5xx.h: the highest is DMAMUX1_OVR_IRQn, 94 */

/* Virtual COM port of the ST-LINK: LPUART1 (APB1, the core's clock) on PG7 (TX) and PG8 (RX), alternate
 * function 8. */
#define USART_BASE      0x40008000u
#define USART_VERSION   2
#define USART_LOW_POWER 1 /* BRR counts in 1/256 */
#define USART_CLOCK_HZ  CHIP_CLOCK_HZ
#define USART_INTERRUPT 70
#define USART_TX_PORT   0x48001800u
#define USART_TX_PIN    7u
#define USART_RX_PORT   0x48001800u
#define USART_RX_PIN    8u
#define USART_FUNCTION  8u

/* Arduino D2: PF15. */
#define TRIGGER_PORT 0x48001400u
#define TRIGGER_PIN  15u

/* RM0432, "Unique device ID register (96 bits)". */
#define UID_BASE 0x1FFF7590u

#include "registers.h"

/* RM0432, chapter RCC. */
#define RCC_CR       HIL_REGISTER(0x40021000u) /* rw */
#define RCC_CFGR     HIL_REGISTER(0x40021008u) /* rw */
#define RCC_PLLCFGR  HIL_REGISTER(0x4002100Cu) /* w */
#define RCC_AHB2ENR  HIL_REGISTER(0x4002104Cu) /* rw */
#define RCC_APB1ENR1 HIL_REGISTER(0x40021058u) /* rw */
#define RCC_APB1ENR2 HIL_REGISTER(0x4002105Cu) /* rw */

/* RM0432, chapter PWR. */
#define PWR_CR2 HIL_REGISTER(0x40007004u) /* rw */
#define PWR_CR5 HIL_REGISTER(0x40007080u) /* rw */

/* RM0432, chapter Flash interface, with the ART accelerator's caches. */
#define FLASH_ACR HIL_REGISTER(0x40022000u) /* rw */

#endif
