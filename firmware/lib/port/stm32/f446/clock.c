/*
 * Whole MHz from the internal oscillator of 16 MHz: 16 / 8 * MHz / 2, from 64 MHz, where the serial line
 * still has 16 clocks a bit, to 180 MHz.  The oscillator is trimmed to 1 % at 25 degrees, which a UART bears,
 * and needs nothing of the board.  Steps in the order of RM0390: wait states before the clock (chapter
 * Embedded flash memory interface), over-drive, which more than 168 MHz need (chapter PWR, "Entering
 * Over-drive mode").
 *
 * How many wait states, and which scale of the regulator, a clock needs: FLASH_SCALE*_LATENCY*_FREQ and
 * RCC_MAX_FREQUENCY_SCALE* of stm32f446xx.h, for 2.7 to 3.6 V.  The PLL's own limits there, 0.95 to 2.1 MHz
 * in and 100 to 432 MHz out, hold for all of them.  The scale is set while the PLL is off, as it has to be.
 */
#include "clock.h"

#include "chip.h"

#define CR_PLLON  (1u << 24)
#define CR_PLLRDY (1u << 25)
#define CLOCK_MHZ (CHIP_CLOCK_HZ / 1000000u)
#define PLLCFGR   ((8u << 0) | (CLOCK_MHZ << 6) | (0u << 16) | (8u << 24) | (2u << 28)) /* M N P=2 HSI Q R */
#define CFGR_PPRE1_4   (5u << 10)
#define CFGR_PPRE2_2   (4u << 13)
#define CFGR_SW_PLL    (2u << 0)
#define CFGR_SWS       (3u << 2)
#define CFGR_SWS_PLL   (2u << 2)
#define AHB1ENR_GPIOA  (1u << 0)
#define APB1ENR_USART2 (1u << 17)
#define APB1ENR_PWR    (1u << 28)
#define CR_VOS         (3u << 14)
#define CR_ODEN        (1u << 16)
#define CR_ODSWEN      (1u << 17)
#define CSR_ODRDY      (1u << 16)
#define CSR_ODSWRDY    (1u << 17)
#define ACR_LATENCY    0xFu
#define ACR_WAITS      ((CLOCK_MHZ - 1u) / 30u)
#define ACR_PRFTEN     (1u << 8)
#define ACR_ICEN       (1u << 9)
#define ACR_DCEN       (1u << 10)

#if CHIP_CLOCK_HZ % 1000000u != 0 || CHIP_CLOCK_HZ < 64000000u || CHIP_CLOCK_HZ > 180000000u
#error "HIL_CLOCK_HZ must be whole MHz, 64 to 180"
#elif CHIP_CLOCK_HZ > 168000000u
#define REGULATOR_SCALE (3u << 14) /* 1 */
#define OVER_DRIVE      1
#elif CHIP_CLOCK_HZ > 120000000u
#define REGULATOR_SCALE (2u << 14)
#else
#define REGULATOR_SCALE (1u << 14) /* 3 */
#endif

void hil_chip_start_clock(void) {
  RCC_AHB1ENR |= AHB1ENR_GPIOA;
  RCC_APB1ENR |= APB1ENR_PWR | APB1ENR_USART2;
  (void)RCC_APB1ENR; /* two cycles pass before they can be used */

  PWR_CR = (PWR_CR & ~CR_VOS) | REGULATOR_SCALE;
  RCC_PLLCFGR = PLLCFGR;
  RCC_CR |= CR_PLLON;
#ifdef OVER_DRIVE
  PWR_CR |= CR_ODEN;
  while ((PWR_CSR & CSR_ODRDY) == 0) {
  }
  PWR_CR |= CR_ODSWEN;
  while ((PWR_CSR & CSR_ODSWRDY) == 0) {
  }
#endif
  FLASH_ACR = ACR_WAITS | ACR_PRFTEN | ACR_ICEN | ACR_DCEN;
  while ((FLASH_ACR & ACR_LATENCY) != ACR_WAITS) {
  }
  while ((RCC_CR & CR_PLLRDY) == 0) {
  }
  RCC_CFGR = CFGR_PPRE1_4 | CFGR_PPRE2_2;
  RCC_CFGR = CFGR_PPRE1_4 | CFGR_PPRE2_2 | CFGR_SW_PLL;
  while ((RCC_CFGR & CFGR_SWS) != CFGR_SWS_PLL) {
  }
}

int hil_chip_instruction_cache(void) { return (FLASH_ACR & ACR_ICEN) != 0; }
