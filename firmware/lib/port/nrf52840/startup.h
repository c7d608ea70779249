#ifndef HIL_NRF52840_STARTUP_H
#define HIL_NRF52840_STARTUP_H

/* Entry of the firmware: readies memory and FPU, then calls main. */
void hil_reset_handler(void);

int main(void);

#endif
