/*
 * Pins of the nRF52840 DK (PCA10056), as in Zephyr's nrf52840dk_nrf52840.dts and -pinctrl.dtsi.  Numbers are
 * those of PSEL: 32 * port + pin.
 *
 * The serial line is the virtual COM port.  The hardware guides of Nordic's DKs, "Virtual serial port", say
 * that its lines float until a terminal sets DTR, and that 1 Mbaud is the fastest.
 */
#ifndef HIL_PINS_H
#define HIL_PINS_H

#define PIN_TXD     6u
#define PIN_RXD     8u
#define PIN_TRIGGER 3u /* A0 of the Arduino header, which nothing on the board uses */
#define PIN_SDA     26u
#define PIN_SCL     27u

/* 1: the board has the inductor that the DC/DC regulator needs. */
#define HAS_DCDC_INDUCTOR 1

/* Interrupts of the nRF52840 (the highest of nrf52840.h is SPIM3_IRQn, 47). */
#define INTERRUPT_COUNT 48

#endif
