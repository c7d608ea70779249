/*
 * Whole MHz from the internal oscillator of 16 MHz: 16 / 8 * MHz / 2, 50 to 216 MHz.  The oscillator is
 * trimmed to 1 % at 25 degrees, which a UART bears, and needs nothing of the board.  Steps in the order of
 * RM0385: wait states before the clock (chapter Embedded flash memory), over-drive, which more than 180 MHz
 * need (chapter PWR, "Entering Over-drive mode").  How many wait states a clock needs:
 * UTILS_SCALE1_LATENCY*_FREQ of ST's stm32f7xx_ll_utils.c, for 2.7 to 3.6 V; the limits of the PLL stand
 * there, too.
 *
 * Code and constants lie at 0x08000000, which the core reads over AXI through its caches; the ART accelerator
 * serves the other address of flash, 0x00200000, and stays off.  Erratum 1259864 of the core (r0p1: data
 * corruption by stores to write-through memory) does not touch this firmware: without an MPU, RAM is
 * write-back.
 */
#include "clock.h"

#include "chip.h"

#define CR_PLLON     (1u << 24)
#define CR_PLLRDY    (1u << 25)
#define CLOCK_MHZ    (CHIP_CLOCK_HZ / 1000000u)
#define PLLCFGR      ((8u << 0) | (CLOCK_MHZ << 6) | (0u << 16) | (9u << 24)) /* M, N, P = 2, source HSI, Q */
#define CFGR_PPRE1_4 (5u << 10)
#define CFGR_PPRE2_2 (4u << 13)
#define CFGR_SW_PLL  (2u << 0)
#define CFGR_SWS     (3u << 2)
#define CFGR_SWS_PLL (2u << 2)
#define AHB1ENR_GPIO ((1u << 0) | (1u << 1) | (1u << 6)) /* A, B, G */
#define APB1ENR_PWR  (1u << 28)
#define APB2ENR_USART1 (1u << 4)
#define CR1_VOS_1      (3u << 14)
#define CR1_ODEN       (1u << 16)
#define CR1_ODSWEN     (1u << 17)
#define CSR1_ODRDY     (1u << 16)
#define CSR1_ODSWRDY   (1u << 17)
#define ACR_LATENCY    0xFu
#define ACR_WAITS      ((CLOCK_MHZ - 1u) / 30u)
#define ACR_PRFTEN     (1u << 8)

#if CHIP_CLOCK_HZ % 1000000u != 0 || CHIP_CLOCK_HZ < 50000000u || CHIP_CLOCK_HZ > 216000000u
#error "HIL_CLOCK_HZ must be whole MHz, 50 to 216"
#endif

static void enable_caches(void) {
  SCB_ICIALLU = 0;
  __asm volatile("dsb\n isb" ::: "memory");
  SCB_CSSELR = 0; /* the data cache; its lines are unknown after reset, so each is invalidated */
  __asm volatile("dsb" ::: "memory");
  const uint32_t size = SCB_CCSIDR;
  const uint32_t last_set = (size >> 13) & 0x7FFFu;
  const uint32_t last_way = (size >> 3) & 0x3FFu;
  for (uint32_t set = 0; set <= last_set; ++set) {
    for (uint32_t way = 0; way <= last_way; ++way) {
      SCB_DCISW = (set << 5) | (way << 30); /* lines of 32 bytes, four ways */
    }
  }
  __asm volatile("dsb" ::: "memory");
  SCB_CCR |= SCB_CCR_IC | SCB_CCR_DC;
  __asm volatile("dsb\n isb" ::: "memory");
}

void hil_chip_start_clock(void) {
  enable_caches();
  RCC_AHB1ENR |= AHB1ENR_GPIO;
  RCC_APB1ENR |= APB1ENR_PWR;
  RCC_APB2ENR |= APB2ENR_USART1;
  (void)RCC_APB2ENR; /* two cycles pass before they can be used */

  PWR_CR1 |= CR1_VOS_1;
  RCC_PLLCFGR = PLLCFGR;
  RCC_CR |= CR_PLLON;
#if CHIP_CLOCK_HZ > 180000000u
  PWR_CR1 |= CR1_ODEN;
  while ((PWR_CSR1 & CSR1_ODRDY) == 0) {
  }
  PWR_CR1 |= CR1_ODSWEN;
  while ((PWR_CSR1 & CSR1_ODSWRDY) == 0) {
  }
#endif
  FLASH_ACR = ACR_WAITS | ACR_PRFTEN;
  while ((FLASH_ACR & ACR_LATENCY) != ACR_WAITS) {
  }
  while ((RCC_CR & CR_PLLRDY) == 0) {
  }
  RCC_CFGR = CFGR_PPRE1_4 | CFGR_PPRE2_2;
  RCC_CFGR = CFGR_PPRE1_4 | CFGR_PPRE2_2 | CFGR_SW_PLL;
  while ((RCC_CFGR & CFGR_SWS) != CFGR_SWS_PLL) {
  }
}

int hil_chip_instruction_cache(void) { return (SCB_CCR & SCB_CCR_IC) != 0; }
