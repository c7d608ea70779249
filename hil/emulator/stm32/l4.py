"""RCC, PWR and FLASH of STM32L4R5 (RM0432, chapters of these names)."""

from __future__ import annotations

from hil.board import Board
from hil.emulator.registers import Register, RegisterBlock
from hil.emulator.stm32.clock import HSI_HZ, Clock, Needs, ready

_RCC_BASE, _PWR_BASE, FLASH_BASE = 0x4002_1000, 0x4000_7000, 0x4002_2000
AHB2ENR, APB1ENR1, APB1ENR2 = 0x4C, 0x58, 0x5C
_CR, _CFGR, _PLLCFGR = 0x00, 0x08, 0x0C
_HSION, _HSIRDY, _PLLON, _PLLRDY = 8, 10, 24, 25
_SW_PLL, _PLLSRC_HSI, _PLLREN = 3, 2, 1 << 24
_CR2, _CR5, _IOSV, _R1MODE = 0x04, 0x80, 1 << 9, 1 << 8
_MOST_WITHOUT_BOOST_HZ = 80_000_000


class Rcc(Clock):
    """CR, CFGR, PLLCFGR and three enable registers."""

    def __init__(self, board: Board, needs: Needs) -> None:
        super().__init__(
            _RCC_BASE,
            {
                _CR: Register(
                    "CR",
                    reset=0x63,
                    bits=0x0300_0FFF,
                    on_read=lambda: ready(self.value(_CR), (_HSION, _HSIRDY), (_PLLON, _PLLRDY)),
                ),
                _CFGR: Register(
                    "CFGR",
                    bits=0xF3,
                    on_read=lambda: self.value(_CFGR) | (self.value(_CFGR) & 3) << 2,
                    on_write=self._switch,
                ),
                _PLLCFGR: Register("PLLCFGR", reset=0x1000),
            },
            {AHB2ENR: ("AHB2ENR", 0), APB1ENR1: ("APB1ENR1", 0), APB1ENR2: ("APB1ENR2", 0)},
            board,
            needs,
        )

    def _switch(self, value: int) -> None:
        if value & 3 != _SW_PLL:
            return
        pll = self.value(_PLLCFGR)
        runs = self.value(_CR) >> _PLLON & 1 and pll & _PLLREN and pll & 3 == _PLLSRC_HSI
        multiplied = HSI_HZ / ((pll >> 4 & 0xF) + 1) * (pll >> 8 & 0x7F)
        self.check(multiplied / (2 * (pll >> 25 & 3) + 2) if runs else 0.0)


class Pwr(RegisterBlock):
    """CR2 and CR5: the supply of port G, and the boost of range 1."""

    def __init__(self) -> None:
        super().__init__(
            "PWR",
            _PWR_BASE,
            0x400,
            {_CR2: Register("CR2", bits=_IOSV), _CR5: Register("CR5", reset=_R1MODE, bits=_R1MODE)},
        )

    def port_g_is_supplied(self) -> bool:
        return bool(self.value(_CR2) & _IOSV)

    def lacks(self, hz: int) -> str | None:
        """What the core still needs to run at `hz`."""
        boosted = not self.value(_CR5) & _R1MODE
        return None if hz <= _MOST_WITHOUT_BOOST_HZ or boosted else "range 1 is not in boost mode (PWR)"
