/*
 * The registers that this port touches, and no others.  The emulator models exactly this list
 * (hil/emulator/rp2040); an access to anything else is an error there.  Those of the core are in
 * cortex_m/system.h.
 *
 * Compared with the register headers of Raspberry Pi's pico-sdk (src/rp2040/hardware_regs).  What they do is
 * described in DS = Raspberry Pi, "RP2040 Datasheet" (chapter numbers).  w: only written, r: only read, rw:
 * both.
 */
#ifndef HIL_RP2040_REGISTERS_H
#define HIL_RP2040_REGISTERS_H

#include "system.h"

/* DS 2.1.2: the same register, where writing 1 sets or clears single bits. */
#define HIL_SET(address)   HIL_REGISTER((address) + 0x2000u)
#define HIL_CLEAR(address) HIL_REGISTER((address) + 0x3000u)

/* DS 2.14 RESETS. */
#define RESETS_RESET_ADDRESS 0x4000C000u
#define RESETS_RESET_DONE    HIL_REGISTER(0x4000C008u) /* r */
#define RESET_IO_BANK0       (1u << 5)
#define RESET_PADS_BANK0     (1u << 8)
#define RESET_PLL_SYS        (1u << 12)
#define RESET_TIMER          (1u << 21)
#define RESET_UART0          (1u << 22)

/* DS 2.16 XOSC: the crystal. */
#define XOSC_CTRL          HIL_REGISTER(0x40024000u) /* w */
#define XOSC_CTRL_ENABLE   (0xFABu << 12 | 0xAA0u)   /* on, 1 to 15 MHz */
#define XOSC_STATUS        HIL_REGISTER(0x40024004u) /* r */
#define XOSC_STATUS_STABLE (1u << 31)
#define XOSC_STARTUP       HIL_REGISTER(0x4002400Cu) /* w: unit 256 periods */

/* DS 2.18 PLL_SYS. */
#define PLL_SYS_CS          HIL_REGISTER(0x40028000u) /* rw */
#define PLL_CS_LOCK         (1u << 31)
#define PLL_SYS_PWR_ADDRESS 0x40028004u
#define PLL_PWR_PD          (1u << 0)
#define PLL_PWR_POSTDIVPD   (1u << 3)
#define PLL_PWR_VCOPD       (1u << 5)
#define PLL_SYS_FBDIV_INT   HIL_REGISTER(0x40028008u) /* w */
#define PLL_SYS_PRIM        HIL_REGISTER(0x4002800Cu) /* w */

/* DS 2.15 CLOCKS. */
#define CLK_REF_CTRL         HIL_REGISTER(0x40008030u) /* w */
#define CLK_REF_CTRL_XOSC    2u
#define CLK_REF_SELECTED     HIL_REGISTER(0x40008038u) /* r: one bit per source */
#define CLK_SYS_CTRL         HIL_REGISTER(0x4000803Cu) /* w */
#define CLK_SYS_CTRL_PLL_SYS 1u                        /* the auxiliary source, which is PLL_SYS */
#define CLK_SYS_SELECTED     HIL_REGISTER(0x40008044u) /* r */
#define CLK_PERI_CTRL        HIL_REGISTER(0x40008048u) /* w */
#define CLK_PERI_CTRL_ENABLE (1u << 11)                /* from CLK_SYS */

/* DS 4.7 WATCHDOG, 2.13 PSM. */
#define WATCHDOG_CTRL         HIL_REGISTER(0x40058000u) /* w */
#define WATCHDOG_CTRL_TRIGGER (1u << 31)
#define WATCHDOG_SCRATCH0     HIL_REGISTER(0x4005800Cu) /* r: unique number, left here by boot2 */
#define WATCHDOG_SCRATCH1     HIL_REGISTER(0x40058010u) /* r */
#define WATCHDOG_TICK         HIL_REGISTER(0x4005802Cu) /* w */
#define WATCHDOG_TICK_ENABLE  (1u << 9)
#define PSM_WDSEL             HIL_REGISTER(0x40010008u) /* w */
#define PSM_WDSEL_ALL         0x0001FFFCu               /* all but the oscillators */

/* DS 4.6 TIMER: the lower half of the microseconds. */
#define TIMER_TIMERAWL HIL_REGISTER(0x40054028u) /* r */

/* DS 2.6.3 the cache between cores and flash. */
#define XIP_CTRL    HIL_REGISTER(0x14000000u) /* r */
#define XIP_CTRL_EN 1u

/* DS 2.19 pins, 2.3.1 SIO. */
#define IO_BANK0_CTRL(pin)   HIL_REGISTER(0x40014004u + 8u * (pin)) /* w */
#define FUNCTION_UART        2u
#define FUNCTION_SIO         5u
#define PADS_BANK0_GPIO(pin) HIL_REGISTER(0x4001C004u + 4u * (pin)) /* w */
#define PAD_INPUT_PULLUP     (1u << 6 | 1u << 3 | 1u << 1)          /* IE, PUE, SCHMITT */
#define SIO_GPIO_OUT_SET     HIL_REGISTER(0xD0000014u)              /* w */
#define SIO_GPIO_OUT_CLR     HIL_REGISTER(0xD0000018u)              /* w */
#define SIO_GPIO_OE_SET      HIL_REGISTER(0xD0000024u)              /* w */

/* DS 4.2 UART0, an Arm PL011; interrupt 20. */
#define UART0_INTERRUPT  20u
#define UART0_DR         HIL_REGISTER(0x40034000u) /* rw */
#define UART0_FR         HIL_REGISTER(0x40034018u) /* r */
#define UART_FR_BUSY     (1u << 3)
#define UART_FR_RXFE     (1u << 4)
#define UART_FR_TXFF     (1u << 5)
#define UART0_IBRD       HIL_REGISTER(0x40034024u) /* w */
#define UART0_FBRD       HIL_REGISTER(0x40034028u) /* w */
#define UART0_LCR_H      HIL_REGISTER(0x4003402Cu) /* w */
#define UART_LCR_H_8N1   (3u << 5 | 1u << 4)       /* with FIFOs */
#define UART0_CR         HIL_REGISTER(0x40034030u) /* w */
#define UART_CR_ENABLE   (1u << 9 | 1u << 8 | 1u)  /* RXE, TXE, UARTEN */
#define UART0_IFLS       HIL_REGISTER(0x40034034u) /* w: 0 is a threshold of an eighth */
#define UART0_IMSC       HIL_REGISTER(0x40034038u) /* w */
#define UART_INT_RECEIVE (1u << 6 | 1u << 4)       /* RTIM, RXIM: timeout, threshold */

/* ARMv6-M Architecture Reference Manual DDI 0419, B3.3 SysTick. */
#define SYST_CSR        HIL_REGISTER(0xE000E010u) /* w */
#define SYST_CSR_ENABLE (1u << 2 | 1u)            /* counts the core's clock */
#define SYST_RVR        HIL_REGISTER(0xE000E014u) /* w */
#define SYST_CVR        HIL_REGISTER(0xE000E018u) /* rw: counts down */

#endif
