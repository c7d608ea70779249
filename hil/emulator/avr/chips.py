"""Chips with an AVR core that are emulated: names of simavr's, and where Arduino's pin D2 is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class AvrChip:
    """A chip.

    Attributes:
        trigger_port, trigger_pin: of the trigger pin, HIL_TRIGGER_PIN of firmware/lib/port/arduino.
            Source: digital_pin_to_port_PGM and digital_pin_to_bit_mask_PGM of arduino-core-avr, variants/.
    """

    trigger_port: str
    trigger_pin: int


AVR_CHIPS: Mapping[str, AvrChip] = {
    "atmega328p": AvrChip("D", 2),
    "atmega2560": AvrChip("E", 4),
}
