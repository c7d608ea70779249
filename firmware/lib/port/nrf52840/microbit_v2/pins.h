/*
 * Pins of the BBC micro:bit V2, as in Zephyr's bbc_microbit_v2.dts and -pinctrl.dtsi.  Numbers are those of
 * PSEL: 32 * port + pin.
 *
 * The serial line leads to the interface chip, which passes it on over USB.
 */
#ifndef HIL_PINS_H
#define HIL_PINS_H

#define PIN_TXD     6u
#define PIN_RXD     40u /* P1.08 */
#define PIN_TRIGGER 3u  /* ring 1 of the edge connector */
#define PIN_SDA     32u /* P1.00, pin 20 of the edge connector */
#define PIN_SCL     26u /* pin 19 */

/* Not confirmed that the board has an inductor: the linear regulator stays on. */
#define HAS_DCDC_INDUCTOR 0

/* Interrupts of the nRF52833 (the highest of nrf52833.h is SPIM3_IRQn, 47). */
#define INTERRUPT_COUNT 48

#endif
