"""Chips with a Cortex-M core that are modelled.  A new one is a folder of peripherals and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from hil.emulator.chip import Chip
from hil.emulator.nrf52840 import soc as nrf52
from hil.emulator.rp2040 import soc as rp2040
from hil.emulator.stm32 import soc as stm32

CHIPS: Mapping[str, Chip] = {
    "nrf52833": nrf52.NRF52833,
    "nrf52840": nrf52.NRF52840,
    "rp2040": rp2040.RP2040,
    "stm32f446": stm32.STM32F446,
    "stm32f746": stm32.STM32F746,
    "stm32l4r5": stm32.STM32L4R5,
    "stm32u575": stm32.STM32U575,
}
