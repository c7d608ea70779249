/* What the parts of a port that all Cortex-M boards share ask of the rest, and offer to it. */
#ifndef HIL_CORTEX_M_PARTS_H
#define HIL_CORTEX_M_PARTS_H

/* Entry of the firmware: readies memory and FPU, then calls main. */
void hil_reset_handler(void);

/* Every vector that nothing else takes: reports the fault over serial and does not return. */
void hil_fault_handler(void);

/* Throw away what has been received and not been read.  Each port has its own; called by the fault handler,
 * so no interrupt can come. */
void hil_port_discard(void);

int main(void);

#endif
