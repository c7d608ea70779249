/*
 * The registers that this port touches, and no others.  The emulator models exactly this list (hil/emulator);
 * an access to anything else is an error there.
 *
 * Compared with: for every address of the chip, Nordic's nrf52840.h (MDK within nrfx, 2024); for bits and
 * values of UARTE, UICR and APPROTECT nrf52840_bitfields.h of the same, for the others further public
 * headers; for the system control space Arm's "Cortex-M4 Technical Reference Manual" DDI 0439D, tables 4-1,
 * 6-1 and 8-4, and section 7.3.1.  What they do is described in PS = Nordic "nRF52840 Product Specification"
 * v1.7 (chapter numbers) and ARM = Arm "ARMv7-M Architecture Reference Manual" DDI 0403E (section numbers).
 * w: only written, r: only read, rw: both.
 */
#ifndef HIL_NRF52840_REGISTERS_H
#define HIL_NRF52840_REGISTERS_H

#include "system.h"

/* PS 4.4 FICR: factory information. */
#define FICR_DEVICEID0 HIL_REGISTER(0x10000060u) /* r */
#define FICR_DEVICEID1 HIL_REGISTER(0x10000064u) /* r */

/* PS 4.5 UICR, and 4.8 "Debug and trace" on access port protection (silicon revision 3 and later).  An erased
 * UICR (0xFF) stands for "open" on earlier revisions, and for "locked" on these: they want 0x5A. */
#define UICR_APPROTECT        HIL_REGISTER(0x10001208u) /* r */
#define APPROTECT_DISABLE     HIL_REGISTER(0x40000558u) /* w, only where UICR says that the port stays open */
#define APPROTECT_PALL_MASK   0xFFu
#define APPROTECT_HW_DISABLED 0x5Au
#define APPROTECT_SW_DISABLE  0x5Au

/* PS 5.4 CLOCK. */
#define CLOCK_TASKS_HFCLKSTART    HIL_REGISTER(0x40000000u) /* w */
#define CLOCK_EVENTS_HFCLKSTARTED HIL_REGISTER(0x40000100u) /* rw */

/* PS 5.3 POWER. */
#define POWER_DCDCEN HIL_REGISTER(0x40000578u) /* w */

/* PS 4.3 NVMC: the instruction cache between core and flash, off at reset. */
#define NVMC_ICACHECNF         HIL_REGISTER(0x4001E540u) /* rw */
#define NVMC_ICACHECNF_CACHEEN 1u

/* PS 6.9 GPIO port 0. */
#define P0_OUTSET            HIL_REGISTER(0x50000508u)                                               /* w */
#define P0_OUTCLR            HIL_REGISTER(0x5000050Cu)                                               /* w */
#define PIN_CNF(pin)         HIL_REGISTER(0x50000700u + 0x300u * ((pin) / 32u) + 4u * ((pin) % 32u)) /* w */
#define PIN_CNF_OUTPUT       0x3u /* DIR = output, INPUT = disconnected */
#define PIN_CNF_INPUT_PULLUP 0xCu /* DIR = input, INPUT = connected, PULL = up */

/* PS chapter "UARTE", instance 0; interrupt 2. */
#define UARTE0_INTERRUPT             2u
#define UARTE0_TASKS_STARTRX         HIL_REGISTER(0x40002000u) /* w */
#define UARTE0_TASKS_STOPRX          HIL_REGISTER(0x40002004u) /* w, after a line error only */
#define UARTE0_TASKS_STARTTX         HIL_REGISTER(0x40002008u) /* w */
#define UARTE0_TASKS_FLUSHRX         HIL_REGISTER(0x4000202Cu) /* w, after a line error only */
#define UARTE0_EVENTS_RXDRDY_ADDRESS 0x40002108u
#define UARTE0_EVENTS_RXDRDY         HIL_REGISTER(UARTE0_EVENTS_RXDRDY_ADDRESS) /* rw */
#define UARTE0_EVENTS_ENDRX          HIL_REGISTER(0x40002110u) /* rw, after a line error only */
#define UARTE0_EVENTS_ENDTX          HIL_REGISTER(0x40002120u) /* rw */
#define UARTE0_EVENTS_ERROR          HIL_REGISTER(0x40002124u) /* rw */
#define UARTE0_EVENTS_RXTO           HIL_REGISTER(0x40002144u) /* rw, after a line error only */
#define UARTE0_SHORTS                HIL_REGISTER(0x40002200u) /* w */
#define UARTE0_INTENSET              HIL_REGISTER(0x40002304u) /* w */
#define UARTE0_ERRORSRC              HIL_REGISTER(0x40002480u) /* rw, after a line error only */
#define UARTE0_ENABLE                HIL_REGISTER(0x40002500u) /* w */
#define UARTE0_PSEL_TXD              HIL_REGISTER(0x4000250Cu) /* w */
#define UARTE0_PSEL_RXD              HIL_REGISTER(0x40002514u) /* w */
#define UARTE0_BAUDRATE              HIL_REGISTER(0x40002524u) /* w */
#define UARTE0_RXD_PTR               HIL_REGISTER(0x40002534u) /* w */
#define UARTE0_RXD_MAXCNT            HIL_REGISTER(0x40002538u) /* w */
#define UARTE0_TXD_PTR               HIL_REGISTER(0x40002544u) /* w */
#define UARTE0_TXD_MAXCNT            HIL_REGISTER(0x40002548u) /* w */
#define UARTE0_CONFIG                HIL_REGISTER(0x4000256Cu) /* w */
#define UARTE_SHORTS_ENDRX_STARTRX   (1u << 5)
#define UARTE_INT_RXDRDY             (1u << 2)
#define UARTE_INT_ERROR              (1u << 9)
#define UARTE_ENABLE_ENABLED         8u
#define UARTE_CONFIG_8N1             0u

/* PS chapter "TWIM", instance 0; used where a power sensor is asked for. */
#define TWIM0_TASKS_STARTTX        HIL_REGISTER(0x40003008u) /* w */
#define TWIM0_TASKS_STOP           HIL_REGISTER(0x40003014u) /* w */
#define TWIM0_EVENTS_STOPPED       HIL_REGISTER(0x40003104u) /* rw */
#define TWIM0_EVENTS_ERROR         HIL_REGISTER(0x40003124u) /* rw */
#define TWIM0_SHORTS               HIL_REGISTER(0x40003200u) /* w */
#define TWIM0_ERRORSRC             HIL_REGISTER(0x400034C4u) /* rw */
#define TWIM0_ENABLE               HIL_REGISTER(0x40003500u) /* w */
#define TWIM0_PSEL_SCL             HIL_REGISTER(0x40003508u) /* w */
#define TWIM0_PSEL_SDA             HIL_REGISTER(0x4000350Cu) /* w */
#define TWIM0_FREQUENCY            HIL_REGISTER(0x40003524u) /* w */
#define TWIM0_RXD_PTR              HIL_REGISTER(0x40003534u) /* w */
#define TWIM0_RXD_MAXCNT           HIL_REGISTER(0x40003538u) /* w */
#define TWIM0_TXD_PTR              HIL_REGISTER(0x40003544u) /* w */
#define TWIM0_TXD_MAXCNT           HIL_REGISTER(0x40003548u) /* w */
#define TWIM0_ADDRESS              HIL_REGISTER(0x40003588u) /* w */
#define TWIM_SHORTS_LASTTX_STARTRX (1u << 7)
#define TWIM_SHORTS_LASTTX_STOP    (1u << 9)
#define TWIM_SHORTS_LASTRX_STOP    (1u << 12)
#define TWIM_ENABLE_ENABLED        6u
#define TWIM_FREQUENCY_K400        0x06400000u
#define PIN_CNF_OPEN_DRAIN         0x60Cu /* DIR = input, INPUT = connected, PULL = up, DRIVE = S0D1 */

/* PS chapter "TIMER", instance 1, as a counter of received bytes. */
#define TIMER1_TASKS_START           HIL_REGISTER(0x40009000u) /* w */
#define TIMER1_TASKS_COUNT_ADDRESS   0x40009008u
#define TIMER1_TASKS_CLEAR           HIL_REGISTER(0x4000900Cu) /* w */
#define TIMER1_TASKS_CAPTURE0        HIL_REGISTER(0x40009040u) /* w */
#define TIMER1_MODE                  HIL_REGISTER(0x40009504u) /* w */
#define TIMER1_BITMODE               HIL_REGISTER(0x40009508u) /* w */
#define TIMER1_CC0                   HIL_REGISTER(0x40009540u) /* r */
#define TIMER_MODE_LOW_POWER_COUNTER 2u
#define TIMER_BITMODE_32             3u

/* PS 6.16 PPI: channel 0 leads RXDRDY to the counter. */
#define PPI_CHENSET HIL_REGISTER(0x4001F504u) /* w */
#define PPI_CH0_EEP HIL_REGISTER(0x4001F510u) /* w */
#define PPI_CH0_TEP HIL_REGISTER(0x4001F514u) /* w */

#endif
