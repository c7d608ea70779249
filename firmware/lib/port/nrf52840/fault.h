#ifndef HIL_NRF52840_FAULT_H
#define HIL_NRF52840_FAULT_H

/* Every vector but reset: reports the fault over serial and does not return. */
void hil_fault_handler(void);

#endif
