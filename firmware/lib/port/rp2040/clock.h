/* The clocks of the chip, and the cycle counter. */
#ifndef HIL_RP2040_CLOCK_H
#define HIL_RP2040_CLOCK_H

#define CLOCK_HZ HIL_CLOCK_HZ

/* Crystal, PLL, peripheral clock and cycle counter. */
void hil_clock_start(void);

/* The core has slept, and the cycle counter may have stood still: bring it up to date. */
void hil_clock_align(void);

#endif
