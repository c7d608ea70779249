"""Chips with a Cortex-M core that are modelled.  A new one is a folder of peripherals and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from hil.emulator.chip import Chip
from hil.emulator.nrf52840 import soc as nrf52

CHIPS: Mapping[str, Chip] = {
    "nrf52840": nrf52.NRF52840,
}
