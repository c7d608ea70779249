/* The serial line: UART0 on GP0 (sends) and GP1 (receives), 8N1, no flow control. */
#ifndef HIL_RP2040_UART_H
#define HIL_RP2040_UART_H

#include <stddef.h>
#include <stdint.h>

/* Set up pins, receiver and transmitter; reception runs from here on. */
void hil_uart_init(void);

/* Copy up to `capacity` received bytes; 0 when none have come.  Then it has slept until something came. */
size_t hil_uart_read(uint8_t *data, size_t capacity);

/* Send `size` bytes; returns when the last one has left. */
void hil_uart_write(const uint8_t *data, size_t size);

#endif
