/*
 * Registers of the core itself that the ports touch.  ARM = Arm "ARMv7-M Architecture Reference Manual" DDI
 * 0403E (section numbers), which DDI 0553 repeats for ARMv8-M.  w: only written, r: only read, rw: both.
 */
#ifndef HIL_CORTEX_M_SYSTEM_H
#define HIL_CORTEX_M_SYSTEM_H

#include <stdint.h>

#ifndef HIL_REGISTER
#define HIL_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#endif

/* ARM B3.2 system control space, B3.4 NVIC, C1.6 and C1.8 debug and trace. */
#define DWT_CTRL              HIL_REGISTER(0xE0001000u) /* rw */
#define DWT_CYCCNT            HIL_REGISTER(0xE0001004u) /* rw */
#define DWT_CTRL_CYCCNTENA    1u
#define DWT_LAR               HIL_REGISTER(0xE0001FB0u) /* w, Cortex-M7 only */
#define DWT_LAR_KEY           0xC5ACCE55u
#define NVIC_ISER(n)          HIL_REGISTER(0xE000E100u + 4u * (n)) /* w */
#define NVIC_ICPR(n)          HIL_REGISTER(0xE000E280u + 4u * (n)) /* w */
#define SCB_AIRCR             HIL_REGISTER(0xE000ED0Cu)            /* w */
#define SCB_AIRCR_SYSRESETREQ 0x05FA0004u                          /* with the key that every write needs */
#define SCB_SCR               HIL_REGISTER(0xE000ED10u)            /* w */
#define SCB_SCR_SEVONPEND     (1u << 4)
#define SCB_CCR               HIL_REGISTER(0xE000ED14u) /* rw */
#define SCB_CCR_DIV_0_TRP     (1u << 4)
#define SCB_SHCSR             HIL_REGISTER(0xE000ED24u) /* rw */
#define SCB_SHCSR_FAULTS      (7u << 16)                /* MemManage, BusFault, UsageFault */
#define SCB_CFSR              HIL_REGISTER(0xE000ED28u) /* r */
#define SCB_HFSR              HIL_REGISTER(0xE000ED2Cu) /* r */
#define SCB_MMFAR             HIL_REGISTER(0xE000ED34u) /* r */
#define SCB_BFAR              HIL_REGISTER(0xE000ED38u) /* r */
#define SCB_CPACR             HIL_REGISTER(0xE000ED88u) /* rw */
#define SCB_CPACR_FPU         (0xFu << 20)              /* full access to CP10 and CP11 */
#define SCB_DEMCR             HIL_REGISTER(0xE000EDFCu) /* rw */
#define SCB_DEMCR_TRCENA      (1u << 24)

#endif
