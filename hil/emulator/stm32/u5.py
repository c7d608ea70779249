"""RCC, PWR, FLASH and ICACHE of STM32U575 (RM0456, chapters of these names), TrustZone off."""

from __future__ import annotations

from collections.abc import Callable

from hil.board import Board
from hil.emulator.registers import Register, RegisterBlock
from hil.emulator.stm32.clock import HSI_HZ, Clock, Needs, ready

_RCC_BASE, _PWR_BASE, FLASH_BASE, _ICACHE_BASE = 0x4602_0C00, 0x4602_0800, 0x4002_2000, 0x4003_0400
AHB2ENR1, AHB3ENR, APB2ENR = 0x8C, 0x94, 0xA4
_CR, _CFGR1, _CFGR2, _PLL1CFGR, _PLL1DIVR = 0x00, 0x1C, 0x20, 0x28, 0x34
_HSION, _HSIRDY, _PLL1ON, _PLL1RDY = 8, 10, 24, 25
_SW_PLL1, _PLL1SRC_HSI, _PLL1REN = 3, 2, 1 << 18
_VOSR, _BOOSTRDY, _VOSRDY, _BOOSTEN, _RANGE_1 = 0x0C, 14, 15, 18, 3


class Rcc(Clock):
    """CR, CFGR1, CFGR2, PLL1CFGR, PLL1DIVR and three enable registers."""

    def __init__(self, board: Board, needs: Needs) -> None:
        super().__init__(
            _RCC_BASE,
            {
                _CR: Register(
                    "CR",
                    reset=0x35,
                    bits=0x0300_0FFF,
                    on_read=lambda: ready(self.value(_CR), (_HSION, _HSIRDY), (_PLL1ON, _PLL1RDY)),
                ),
                _CFGR1: Register(
                    "CFGR1",
                    bits=0xF,
                    on_read=lambda: self.value(_CFGR1) & 3 | (self.value(_CFGR1) & 3) << 2,
                    on_write=self._switch,
                ),
                _CFGR2: Register("CFGR2", bits=0xF),
                _PLL1CFGR: Register("PLL1CFGR"),
                _PLL1DIVR: Register("PLL1DIVR", reset=0x0101_0280),
            },
            {
                AHB2ENR1: ("AHB2ENR1", 0xC000_0000),
                AHB3ENR: ("AHB3ENR", 0x8000_0000),
                APB2ENR: ("APB2ENR", 0),
            },
            board,
            needs,
        )

    def _switch(self, value: int) -> None:
        if value & 3 != _SW_PLL1:
            return
        pll, dividers = self.value(_PLL1CFGR), self.value(_PLL1DIVR)
        runs = self.value(_CR) >> _PLL1ON & 1 and pll & _PLL1REN and pll & 3 == _PLL1SRC_HSI
        multiplied = HSI_HZ / ((pll >> 8 & 0xF) + 1) * ((dividers & 0x1FF) + 1)
        self.check(multiplied / ((dividers >> 24 & 0x7F) + 1) if runs else 0.0)


class Pwr(RegisterBlock):
    """VOSR: the range of the core's voltage, and the booster that the upper ranges need."""

    def __init__(self) -> None:
        super().__init__(
            "PWR",
            _PWR_BASE,
            0x400,
            {
                _VOSR: Register(
                    "VOSR",
                    reset=1 << _VOSRDY,
                    bits=0x0007_C000,
                    on_read=lambda: ready(self.value(_VOSR) | 1 << _VOSRDY, (_BOOSTEN, _BOOSTRDY)),
                )
            },
        )

    def lacks(self, _hz: int) -> str | None:
        """What full speed still needs; the port knows no other."""
        value = self.value(_VOSR)
        if value >> 16 & 3 == _RANGE_1 and value >> _BOOSTEN & 1:
            return None
        return "the voltage is not in range 1 with the booster (PWR)"


def make_icache(switch: Callable[[bool], None]) -> RegisterBlock:
    """ICACHE: CR and SR; it is empty after reset, and never busy."""
    return RegisterBlock(
        "ICACHE",
        _ICACHE_BASE,
        0x400,
        {
            0x00: Register("CR", reset=4, bits=5, on_write=lambda value: switch(bool(value & 1))),
            0x04: Register("SR", writable=False),
        },
    )
