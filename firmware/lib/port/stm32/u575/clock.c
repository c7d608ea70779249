/*
 * 160 MHz from the internal oscillator of 16 MHz: 16 * 20 / 2.  It is trimmed to 1 % at 30 degrees, which a
 * UART bears, and needs nothing of the board.  Steps in the order of RM0456: voltage range 1 with the EPOD
 * booster, which more than 55 MHz need and which is clocked by the input of PLL1 (chapter PWR), wait states
 * before the clock (chapter Embedded flash memory). On the way the bus runs at half speed for a microsecond,
 * as Zephyr does it above 80 MHz (clock_stm32_ll_u5.c); whether this chip needs it is not confirmed.
 */
#include "clock.h"

#include "chip.h"

#define CR_HSION       (1u << 8)
#define CR_HSIRDY      (1u << 10)
#define CR_PLL1ON      (1u << 24)
#define CR_PLL1RDY     (1u << 25)
#define PLL1CFGR       ((2u << 0) | (3u << 2) | (1u << 18)) /* HSI16, 8 to 16 MHz, M = 1, booster / 1, R on */
#define PLL1DIVR       ((19u << 0) | (1u << 9) | (1u << 16) | (1u << 24)) /* N = 20, P, Q, R = 2 */
#define CFGR1_SW_PLL1  (3u << 0)
#define CFGR1_SWS      (3u << 2)
#define CFGR2_HPRE_2   (8u << 0)
#define ONE_US_LOOPS   80u /* at least 2 cycles each, at 80 MHz */
#define CFGR1_SWS_PLL1 (3u << 2)
#define AHB2ENR1_GPIO  ((1u << 0) | (1u << 5)) /* A, F */
#define AHB3ENR_PWR    (1u << 2)
#define APB2ENR_USART1 (1u << 14)
#define VOSR_BOOSTRDY  (1u << 14)
#define VOSR_VOSRDY    (1u << 15)
#define VOSR_RANGE_1   (3u << 16)
#define VOSR_BOOSTEN   (1u << 18)
#define ACR_LATENCY    0xFu
#define ACR_4_WAITS    4u
#define ACR_PRFTEN     (1u << 8)
#define ICACHE_EN      1u
#define ICACHE_BUSYF   1u

#if HIL_CLOCK_HZ != CHIP_CLOCK_HZ
#error "HIL_CLOCK_HZ must be 160 MHz"
#endif

void hil_chip_start_clock(void) {
  RCC_AHB2ENR1 |= AHB2ENR1_GPIO;
  RCC_AHB3ENR |= AHB3ENR_PWR;
  RCC_APB2ENR |= APB2ENR_USART1;
  (void)RCC_APB2ENR; /* two cycles pass before they can be used */

  RCC_CR |= CR_HSION;
  while ((RCC_CR & CR_HSIRDY) == 0) {
  }
  RCC_PLL1CFGR = PLL1CFGR;
  RCC_PLL1DIVR = PLL1DIVR;
  PWR_VOSR |= VOSR_RANGE_1;
  while ((PWR_VOSR & VOSR_VOSRDY) == 0) {
  }
  PWR_VOSR |= VOSR_BOOSTEN;
  while ((PWR_VOSR & VOSR_BOOSTRDY) == 0) {
  }
  FLASH_ACR = ACR_4_WAITS | ACR_PRFTEN;
  while ((FLASH_ACR & ACR_LATENCY) != ACR_4_WAITS) {
  }
  RCC_CR |= CR_PLL1ON;
  while ((RCC_CR & CR_PLL1RDY) == 0) {
  }
  RCC_CFGR2 |= CFGR2_HPRE_2;
  RCC_CFGR1 |= CFGR1_SW_PLL1;
  while ((RCC_CFGR1 & CFGR1_SWS) != CFGR1_SWS_PLL1) {
  }
  for (uint32_t i = 0; i < ONE_US_LOOPS; ++i) {
    __asm volatile("" ::: "memory");
  }
  RCC_CFGR2 &= ~CFGR2_HPRE_2;
  while ((ICACHE_SR & ICACHE_BUSYF) != 0) { /* it empties itself after reset */
  }
  ICACHE_CR |= ICACHE_EN;
}

int hil_chip_instruction_cache(void) { return (ICACHE_CR & ICACHE_EN) != 0; }
