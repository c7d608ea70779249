/*
 * Multiples of 4 MHz from the internal oscillator of 16 MHz: 16 / 2 * MHz / 4 / 2, 32 to 120 MHz.  The
 * oscillator is trimmed to 1 % at 25 degrees, which a UART bears, and needs nothing of the board.  Steps in
 * the order of RM0432: wait states before the clock (chapter Embedded flash memory), range 1 in boost mode,
 * which more than 80 MHz need; on the way there the bus runs at half speed for a microsecond (chapter PWR,
 * dynamic voltage scaling).  How many wait states a clock needs in range 1: UTILS_SCALE1_LATENCY*_FREQ of
 * ST's stm32l4xx_ll_utils.c for STM32L4Rxxx; the PLL's limits, 4 to 16 MHz in and 64 to 344 MHz out, stand
 * there, too.
 */
#include "clock.h"

#include "chip.h"

#define CR_HSION        (1u << 8)
#define CR_HSIRDY       (1u << 10)
#define CR_PLLON        (1u << 24)
#define CR_PLLRDY       (1u << 25)
#define CLOCK_MHZ       (CHIP_CLOCK_HZ / 1000000u)
#define PLLCFGR         ((2u << 0) | (1u << 4) | (CLOCK_MHZ / 4u << 8) | (1u << 24)) /* HSI16 M=2 N R=2, on */
#define CFGR_SW_PLL     (3u << 0)
#define CFGR_SWS        (3u << 2)
#define CFGR_SWS_PLL    (3u << 2)
#define CFGR_HPRE_2     (8u << 4)
#define AHB2ENR_GPIO    ((1u << 5) | (1u << 6)) /* F, G */
#define APB1ENR1_PWR    (1u << 28)
#define APB1ENR2_LPUART (1u << 0)
#define CR2_IOSV        (1u << 9) /* PG2 to PG15 have a supply of their own, VDDIO2: it is there */
#define CR5_R1MODE      (1u << 8)
#define ACR_LATENCY     0xFu
#define ACR_WAITS       ((CLOCK_MHZ - 1u) / 20u)
#define ACR_PRFTEN      (1u << 8)
#define ACR_ICEN        (1u << 9)
#define ACR_DCEN        (1u << 10)
#define ONE_US_LOOPS    60u /* at least 2 cycles each, at no more than 60 MHz */

#if CHIP_CLOCK_HZ % 4000000u != 0 || CHIP_CLOCK_HZ < 32000000u || CHIP_CLOCK_HZ > 120000000u
#error "HIL_CLOCK_HZ must be a multiple of 4 MHz, 32 to 120 MHz"
#elif CHIP_CLOCK_HZ > 80000000u
#define BOOST 1
#endif

void hil_chip_start_clock(void) {
  RCC_AHB2ENR |= AHB2ENR_GPIO;
  RCC_APB1ENR1 |= APB1ENR1_PWR;
  RCC_APB1ENR2 |= APB1ENR2_LPUART;
  (void)RCC_APB1ENR2; /* two cycles pass before they can be used */
  PWR_CR2 |= CR2_IOSV;
#ifdef BOOST
  PWR_CR5 &= ~CR5_R1MODE;
#endif

  RCC_CR |= CR_HSION;
  while ((RCC_CR & CR_HSIRDY) == 0) {
  }
  RCC_PLLCFGR = PLLCFGR;
  RCC_CR |= CR_PLLON;
  while ((RCC_CR & CR_PLLRDY) == 0) {
  }
  FLASH_ACR = ACR_WAITS | ACR_PRFTEN | ACR_ICEN | ACR_DCEN;
  while ((FLASH_ACR & ACR_LATENCY) != ACR_WAITS) {
  }
#ifdef BOOST
  RCC_CFGR = CFGR_HPRE_2;
  RCC_CFGR = CFGR_HPRE_2 | CFGR_SW_PLL;
#else
  RCC_CFGR = CFGR_SW_PLL;
#endif
  while ((RCC_CFGR & CFGR_SWS) != CFGR_SWS_PLL) {
  }
#ifdef BOOST
  for (uint32_t i = 0; i < ONE_US_LOOPS; ++i) {
    __asm volatile("" ::: "memory");
  }
  RCC_CFGR = CFGR_SW_PLL;
#endif
}

int hil_chip_instruction_cache(void) { return (FLASH_ACR & ACR_ICEN) != 0; }
