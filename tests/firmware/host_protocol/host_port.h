#ifndef HOST_PORT_H
#define HOST_PORT_H

#include <stdint.h>

/* Let `count` cycles pass. */
void host_spend(uint32_t count);

/* Pretend that the stack was `bytes` deep. */
void host_use_stack(uint32_t bytes);

/* Fault as a processor would.  Does not return. */
void host_fault(uint8_t kind, const uint32_t *registers);

#endif
