/*
 * STM32F446 on the NUCLEO-F446RE.  RM0390; addresses of stm32f446xx.h; pins as in Zephyr,
 * boards/st/nucleo_f446re (nucleo_f446re.dts, arduino_r3_connector.dtsi).
 */
#ifndef HIL_STM32_CHIP_H
#define HIL_STM32_CHIP_H

#define CHIP_CLOCK_HZ   HIL_CLOCK_HZ
#define CHIP_INTERRUPTS 97 /* stm32f446xx.h: the highest is FMPI2C1_ER_IRQn, 96 */

/* Virtual COM port of the ST-LINK: USART2 (APB1, a quarter of the core's clock) on PA2 (TX) and PA3 (RX),
 * alternate function 7. */
#define USART_BASE      0x40004400u
#define USART_VERSION   1
#define USART_CLOCK_HZ  (CHIP_CLOCK_HZ / 4u)
#define USART_INTERRUPT 38
#define USART_TX_PORT   0x40020000u
#define USART_TX_PIN    2u
#define USART_RX_PORT   0x40020000u
#define USART_RX_PIN    3u
#define USART_FUNCTION  7u

/* Arduino D2: PA10. */
#define TRIGGER_PORT 0x40020000u
#define TRIGGER_PIN  10u

/* RM0390, "Unique device ID register (96 bits)". */
#define UID_BASE 0x1FFF7A10u

#include "registers.h"

/* RM0390, chapter RCC. */
#define RCC_CR      HIL_REGISTER(0x40023800u) /* rw */
#define RCC_PLLCFGR HIL_REGISTER(0x40023804u) /* w */
#define RCC_CFGR    HIL_REGISTER(0x40023808u) /* rw */
#define RCC_AHB1ENR HIL_REGISTER(0x40023830u) /* rw */
#define RCC_APB1ENR HIL_REGISTER(0x40023840u) /* rw */

/* RM0390, chapter PWR. */
#define PWR_CR  HIL_REGISTER(0x40007000u) /* rw */
#define PWR_CSR HIL_REGISTER(0x40007004u) /* r */

/* RM0390, chapter Flash interface, with the ART accelerator's caches. */
#define FLASH_ACR HIL_REGISTER(0x40023C00u) /* rw */

#endif
