/*
 * The serial line: UARTE0 with EasyDMA, 8N1, no flow control.
 */
#ifndef HIL_NRF52840_UARTE_H
#define HIL_NRF52840_UARTE_H

#include <stddef.h>
#include <stdint.h>

/* Set up pins, receiver and transmitter; reception runs from here on. */
void hil_uarte_init(void);

/* Copy up to `capacity` received bytes; 0 when none have come.  Then it has slept until something came. */
size_t hil_uarte_read(uint8_t *data, size_t capacity);

/* Send `size` bytes from anywhere in memory; returns when the last one has left. */
void hil_uarte_write(const uint8_t *data, size_t size);

/* Throw away what has been received and not been read. */
void hil_uarte_discard(void);

#endif
