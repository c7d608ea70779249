/*
 * The core's clock from a crystal of 12 MHz, and a cycle counter of 32 bits.
 *
 * The core has no cycle counter but SysTick, of 24 bits: at 125 MHz it wraps each 134 ms, and an operator may
 * take longer. TIMER counts microseconds of the same crystal, of as many cycles as the clock has MHz.  So
 * TIMER says roughly how far it is, and SysTick what exactly; no interrupt is needed that would show up in
 * what is measured.
 *
 *   coarse = MHz * microseconds
 *   fine   = SysTick counted upwards, its lower 24 bits
 *   cycles = the number nearest to coarse whose lower 24 bits are fine + bias
 *
 * `bias` makes both agree at a moment when nothing is measured: at start, and after each sleep, in which
 * SysTick may stand still.
 */
#include "clock.h"

#include "hil_port.h"
#include "registers.h"

#define CRYSTAL_MHZ            12u
#define CYCLES_PER_MICROSECOND (CLOCK_HZ / 1000000u)

/* 12 MHz * feedback, divided twice (DS 2.18.2: the VCO runs at 750 to 1600 MHz). */
#if CLOCK_HZ == 125000000u /* 1500 / 6 / 2 */
#define PLL_FEEDBACK 125u
#define PLL_DIVIDERS (6u << 16 | 2u << 12)
#elif CLOCK_HZ == 48000000u /* 1440 / 6 / 5 */
#define PLL_FEEDBACK 120u
#define PLL_DIVIDERS (6u << 16 | 5u << 12)
#else
#error "HIL_CLOCK_HZ must be 125 or 48 MHz; another one needs its PLL set-up here"
#endif

#define SYSTICK_BITS 24u
#define SYSTICK_MAX  ((1u << SYSTICK_BITS) - 1u)

static uint32_t bias;

static void release(uint32_t blocks) {
  HIL_CLEAR(RESETS_RESET_ADDRESS) = blocks;
  while ((RESETS_RESET_DONE & blocks) != blocks) {
  }
}

/* Nothing here can fail but a broken board; without its crystal there is no serial line to say so. */
void hil_clock_start(void) {
  XOSC_STARTUP = CRYSTAL_MHZ * 1000u / 256u + 1u; /* 1 ms */
  XOSC_CTRL = XOSC_CTRL_ENABLE;
  while ((XOSC_STATUS & XOSC_STATUS_STABLE) == 0) {
  }
  CLK_REF_CTRL = CLK_REF_CTRL_XOSC;
  while ((CLK_REF_SELECTED & (1u << CLK_REF_CTRL_XOSC)) == 0) {
  }

  release(RESET_PLL_SYS);
  PLL_SYS_CS = 1;
  PLL_SYS_FBDIV_INT = PLL_FEEDBACK;
  HIL_CLEAR(PLL_SYS_PWR_ADDRESS) = PLL_PWR_PD | PLL_PWR_VCOPD;
  while ((PLL_SYS_CS & PLL_CS_LOCK) == 0) {
  }
  PLL_SYS_PRIM = PLL_DIVIDERS;
  HIL_CLEAR(PLL_SYS_PWR_ADDRESS) = PLL_PWR_POSTDIVPD;
  CLK_SYS_CTRL = CLK_SYS_CTRL_PLL_SYS;
  while ((CLK_SYS_SELECTED & (1u << CLK_SYS_CTRL_PLL_SYS)) == 0) {
  }
  CLK_PERI_CTRL = CLK_PERI_CTRL_ENABLE;

  WATCHDOG_TICK = WATCHDOG_TICK_ENABLE | CRYSTAL_MHZ;
  release(RESET_TIMER | RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
  SYST_RVR = SYSTICK_MAX;
  SYST_CVR = 0;
  SYST_CSR = SYST_CSR_ENABLE;
  hil_clock_align();
}

static uint32_t coarse(void) { return TIMER_TIMERAWL * CYCLES_PER_MICROSECOND; }

void hil_clock_align(void) { bias = coarse() + SYST_CVR; }

uint32_t hil_port_cycles(void) {
  const uint32_t rough = coarse();
  const uint32_t difference = bias - SYST_CVR - rough; /* only its lower 24 bits say something */
  return rough + (uint32_t)((int32_t)(difference << (32u - SYSTICK_BITS)) / (1 << (32u - SYSTICK_BITS)));
}

uint32_t hil_port_clock_hz(void) { return CLOCK_HZ; }
