"""RCC, PWR and FLASH of STM32F446 (RM0390) and STM32F746 (RM0385), chapters of these names."""

from __future__ import annotations

from hil.board import Board
from hil.emulator.registers import Register, RegisterBlock
from hil.emulator.stm32.clock import HSI_HZ, Clock, Needs, ready

_RCC_BASE, _PWR_BASE, FLASH_BASE = 0x4002_3800, 0x4000_7000, 0x4002_3C00
AHB1ENR, APB1ENR, APB2ENR = 0x30, 0x40, 0x44
_CR, _PLLCFGR, _CFGR = 0x00, 0x04, 0x08
_PLLON, _PLLRDY = 24, 25
_SW_PLL, _PLLSRC_HSE = 2, 1 << 22
_ODEN, _ODSWEN, _VOSRDY, _ODRDY, _ODSWRDY = 16, 17, 14, 16, 17
_VOS, _VOS_1 = 14, 3

# RCC_MAX_FREQUENCY_SCALE3 and 2 of stm32f446xx.h, and from where on its port takes over-drive.
F446_MOST_HZ = (120_000_000, 168_000_000, 168_000_000)
# Its port stays at scale 1, and takes over-drive above 180 MHz.
F746_MOST_HZ = (144_000_000, 168_000_000, 180_000_000)


class Rcc(Clock):
    """CR, PLLCFGR, CFGR and three enable registers."""

    def __init__(self, board: Board, needs: Needs) -> None:
        super().__init__(
            _RCC_BASE,
            {
                _CR: Register(
                    "CR",
                    reset=0x83,
                    bits=0x0300_FFFF,
                    on_read=lambda: ready(self.value(_CR), (0, 1), (_PLLON, _PLLRDY)),
                ),
                _PLLCFGR: Register("PLLCFGR", reset=0x2400_3010),
                _CFGR: Register(
                    "CFGR",
                    bits=0x0000_FCF3,
                    on_read=lambda: self.value(_CFGR) | (self.value(_CFGR) & 3) << 2,
                    on_write=self._switch,
                ),
            },
            {AHB1ENR: ("AHB1ENR", 0x0010_0000), APB1ENR: ("APB1ENR", 0), APB2ENR: ("APB2ENR", 0)},
            board,
            needs,
        )

    def _switch(self, value: int) -> None:
        if value & 3 != _SW_PLL:
            return
        pll = self.value(_PLLCFGR)
        runs = self.value(_CR) >> _PLLON & 1 and not pll & _PLLSRC_HSE
        divided = HSI_HZ / (pll & 0x3F or 1) * (pll >> 6 & 0x1FF)
        self.check(divided / (2 * (pll >> 16 & 3) + 2) if runs else 0.0)


class Pwr(RegisterBlock):
    """CR and CSR, named CR1 and CSR1 in STM32F746: the regulator's voltage and over-drive.

    Args:
        most_hz: for VOS = 1, 2 and 3 (scales 3, 2 and 1): the fastest clock without over-drive.
    """

    def __init__(self, most_hz: tuple[int, int, int]) -> None:
        self._most_hz = most_hz
        super().__init__(
            "PWR",
            _PWR_BASE,
            0x400,
            {
                0x00: Register("CR1", reset=0xC000, bits=3 << 14 | 1 << _ODEN | 1 << _ODSWEN),
                0x04: Register("CSR1", on_read=self._status, writable=False),
            },
        )

    def _status(self) -> int:
        control = self.value(0x00)
        return 1 << _VOSRDY | (control >> _ODEN & 1) << _ODRDY | (control >> _ODSWEN & 1) << _ODSWRDY

    def lacks(self, hz: int) -> str | None:
        """What the core still needs to run at `hz`."""
        control = self.value(0x00)
        scale = control >> _VOS & 3
        if scale == _VOS_1 and (hz <= self._most_hz[-1] or control >> _ODSWEN & 1):
            return None
        if scale == _VOS_1:
            return "over-drive is off (PWR)"
        enough = scale > 0 and hz <= self._most_hz[scale - 1]
        return None if enough else f"VOS is {scale} (PWR)"
