/* The clock tree and what depends on it.  One implementation per chip, in its folder. */
#ifndef HIL_STM32_CLOCK_H
#define HIL_STM32_CLOCK_H

/* From reset to CHIP_CLOCK_HZ, which the build names (HIL_CLOCK_HZ): voltage, wait states, PLL, caches, and
 * clocks of the peripherals that this port uses.  Waits for each step: what it waits for has no way to fail
 * but a broken chip. */
void hil_chip_start_clock(void);

/* Whether the instruction cache is on. */
int hil_chip_instruction_cache(void);

#endif
