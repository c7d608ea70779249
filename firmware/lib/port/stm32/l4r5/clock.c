/*
 * 120 MHz from the internal oscillator of 16 MHz: 16 / 2 * 30 / 2.  It is trimmed to 1 % at 25 degrees, which
 * a UART bears, and needs nothing of the board.  Steps in the order of RM0432: wait states before the clock
 * (chapter Embedded flash memory), range 1 in boost mode, which more than 80 MHz need; on the way there the
 * bus runs at half speed for a microsecond (chapter PWR, dynamic voltage scaling).
 */
#include "clock.h"

#include "chip.h"

#define CR_HSION        (1u << 8)
#define CR_HSIRDY       (1u << 10)
#define CR_PLLON        (1u << 24)
#define CR_PLLRDY       (1u << 25)
#define PLLCFGR         ((2u << 0) | (1u << 4) | (30u << 8) | (1u << 24)) /* HSI16, M = 2, N, R = 2 and on */
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
#define ACR_5_WAITS     5u
#define ACR_PRFTEN      (1u << 8)
#define ACR_ICEN        (1u << 9)
#define ACR_DCEN        (1u << 10)
#define ONE_US_LOOPS    60u /* at least 2 cycles each, at 60 MHz */

void hil_chip_start_clock(void) {
  RCC_AHB2ENR |= AHB2ENR_GPIO;
  RCC_APB1ENR1 |= APB1ENR1_PWR;
  RCC_APB1ENR2 |= APB1ENR2_LPUART;
  (void)RCC_APB1ENR2; /* two cycles pass before they can be used */
  PWR_CR2 |= CR2_IOSV;
  PWR_CR5 &= ~CR5_R1MODE;

  RCC_CR |= CR_HSION;
  while ((RCC_CR & CR_HSIRDY) == 0) {
  }
  RCC_PLLCFGR = PLLCFGR;
  RCC_CR |= CR_PLLON;
  while ((RCC_CR & CR_PLLRDY) == 0) {
  }
  FLASH_ACR = ACR_5_WAITS | ACR_PRFTEN | ACR_ICEN | ACR_DCEN;
  while ((FLASH_ACR & ACR_LATENCY) != ACR_5_WAITS) {
  }
  RCC_CFGR = CFGR_HPRE_2;
  RCC_CFGR = CFGR_HPRE_2 | CFGR_SW_PLL;
  while ((RCC_CFGR & CFGR_SWS) != CFGR_SWS_PLL) {
  }
  for (uint32_t i = 0; i < ONE_US_LOOPS; ++i) {
    __asm volatile("" ::: "memory");
  }
  RCC_CFGR = CFGR_SW_PLL;
}

int hil_chip_instruction_cache(void) { return (FLASH_ACR & ACR_ICEN) != 0; }
