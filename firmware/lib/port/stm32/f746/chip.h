/*
 * STM32F746 on the 32F746GDISCOVERY.  RM0385; addresses of stm32f746xx.h; pins as in Zephyr,
 * boards/st/stm32f746g_disco (stm32f746g_disco.dts, arduino_r3_connector.dtsi).
 */
#ifndef HIL_STM32_CHIP_H
#define HIL_STM32_CHIP_H

#define CHIP_CLOCK_HZ   HIL_CLOCK_HZ
#define CHIP_DWT_LOCKED 1  /* Cortex-M7 ignores writes to DWT until it is unlocked */
#define CHIP_INTERRUPTS 98 /* stm32f746xx.h: the highest is SPDIF_RX_IRQn, 97 */

/* Virtual COM port of the ST-LINK: USART1 (APB2, half the core's clock) on PA9 (TX) and PB7 (RX), alternate
 * function 7. */
#define USART_BASE      0x40011000u
#define USART_VERSION   2
#define USART_CLOCK_HZ  (CHIP_CLOCK_HZ / 2u)
#define USART_INTERRUPT 37
#define USART_TX_PORT   0x40020000u
#define USART_TX_PIN    9u
#define USART_RX_PORT   0x40020400u
#define USART_RX_PIN    7u
#define USART_FUNCTION  7u

/* Arduino D2: PG6. */
#define TRIGGER_PORT 0x40021800u
#define TRIGGER_PIN  6u

/* RM0385, "Unique device ID register (96 bits)". */
#define UID_BASE 0x1FF0F420u

#include "registers.h"

/* RM0385, chapter RCC. */
#define RCC_CR      HIL_REGISTER(0x40023800u) /* rw */
#define RCC_PLLCFGR HIL_REGISTER(0x40023804u) /* w */
#define RCC_CFGR    HIL_REGISTER(0x40023808u) /* rw */
#define RCC_AHB1ENR HIL_REGISTER(0x40023830u) /* rw */
#define RCC_APB1ENR HIL_REGISTER(0x40023840u) /* rw */
#define RCC_APB2ENR HIL_REGISTER(0x40023844u) /* rw */

/* RM0385, chapter PWR. */
#define PWR_CR1  HIL_REGISTER(0x40007000u) /* rw */
#define PWR_CSR1 HIL_REGISTER(0x40007004u) /* r */

/* RM0385, chapter Flash interface. */
#define FLASH_ACR HIL_REGISTER(0x40023C00u) /* rw */

/* Arm "Cortex-M7 Devices Generic User Guide" DUI 0646, 4.3 and 4.8: caches. */
#define SCB_CCR     HIL_REGISTER(0xE000ED14u) /* rw */
#define SCB_CCR_IC  (1u << 17)
#define SCB_CCR_DC  (1u << 16)
#define SCB_CCSIDR  HIL_REGISTER(0xE000ED80u) /* r */
#define SCB_CSSELR  HIL_REGISTER(0xE000ED84u) /* w */
#define SCB_ICIALLU HIL_REGISTER(0xE000EF50u) /* w */
#define SCB_DCISW   HIL_REGISTER(0xE000EF60u) /* w */

#endif
