/* The serial line: the USART on the pins of the board's virtual COM port, 8N1, no flow control. */
#ifndef HIL_STM32_USART_H
#define HIL_STM32_USART_H

#include <stddef.h>
#include <stdint.h>

/* Set up pins, receiver and transmitter; reception runs from here on. */
void hil_usart_init(void);

/* Copy up to `capacity` received bytes; 0 when none have come.  Then it has slept until something came. */
size_t hil_usart_read(uint8_t *data, size_t capacity);

/* Send `size` bytes; returns when the last one has left. */
void hil_usart_write(const uint8_t *data, size_t size);

/* Throw away what has been received and not been read. */
void hil_usart_discard(void);

/* The vector of the USART. */
void hil_usart_interrupt(void);

#endif
