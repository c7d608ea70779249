"""TWIM0: I2C controller with EasyDMA.  nRF52840 product specification, chapter "TWIM".

A transfer is done the moment it is started; the time of its bits is not charged.  Interrupts are not
modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hil.emulator.registers import Register, RegisterBlock, Unmodelled, task
from hil.emulator.surroundings import Surroundings

BASE = 0x4000_3000
_STOPPED, _ERROR, _LASTRX, _LASTTX = 0x104, 0x124, 0x15C, 0x160
_SHORTS, _ERRORSRC, _ENABLE, _PSEL_SCL, _PSEL_SDA, _ADDRESS = 0x200, 0x4C4, 0x500, 0x508, 0x50C, 0x588
_RXD_PTR, _RXD_MAXCNT, _TXD_PTR, _TXD_MAXCNT = 0x534, 0x538, 0x544, 0x548
_LASTTX_STARTRX, _LASTTX_STOP, _LASTRX_STOP = 1 << 7, 1 << 9, 1 << 12
_ADDRESS_NOT_ACKNOWLEDGED = 1 << 1
_ENABLED = 6
_DISCONNECTED = 1 << 31


class Target(Protocol):
    """What listens on the bus."""

    def write(self, data: bytes) -> None: ...
    def read(self, count: int) -> bytes: ...


class Twim(RegisterBlock):
    """TWIM0.

    Args:
        targets: 7-bit address -> what listens there.
    """

    def __init__(self, around: Surroundings, targets: Mapping[int, Target]) -> None:
        self._around = around
        self._targets = targets
        super().__init__(
            "TWIM0",
            BASE,
            0x1000,
            {
                0x000: task("TASKS_STARTRX", self._receive),
                0x008: task("TASKS_STARTTX", self._send),
                0x014: task("TASKS_STOP", lambda: self.set_value(_STOPPED, 1)),
                _STOPPED: Register("EVENTS_STOPPED", bits=0),
                _ERROR: Register("EVENTS_ERROR", bits=0),
                _LASTRX: Register("EVENTS_LASTRX", bits=0),
                _LASTTX: Register("EVENTS_LASTTX", bits=0),
                _SHORTS: Register("SHORTS", bits=_LASTTX_STARTRX | _LASTTX_STOP | _LASTRX_STOP),
                _ERRORSRC: Register("ERRORSRC", bits=7, on_write=lambda _: self.set_value(_ERRORSRC, 0)),
                _ENABLE: Register("ENABLE", bits=0xF),
                _PSEL_SCL: Register("PSEL.SCL", reset=0xFFFF_FFFF),
                _PSEL_SDA: Register("PSEL.SDA", reset=0xFFFF_FFFF),
                0x524: Register("FREQUENCY", reset=0x0400_0000),
                _RXD_PTR: Register("RXD.PTR"),
                _RXD_MAXCNT: Register("RXD.MAXCNT", bits=0xFFFF),
                _TXD_PTR: Register("TXD.PTR"),
                _TXD_MAXCNT: Register("TXD.MAXCNT", bits=0xFFFF),
                _ADDRESS: Register("ADDRESS", bits=0x7F),
            },
        )

    def _target(self) -> Target | None:
        if self.value(_ENABLE) != _ENABLED:
            raise Unmodelled("TWIM0 is started while ENABLE keeps it off")
        if (self.value(_PSEL_SCL) | self.value(_PSEL_SDA)) & _DISCONNECTED:
            raise Unmodelled("TWIM0 is started with SCL or SDA disconnected")
        target = self._targets.get(self.value(_ADDRESS))
        if target is None:
            self.set_value(_ERRORSRC, _ADDRESS_NOT_ACKNOWLEDGED)
            self.set_value(_ERROR, 1)
        return target

    def _send(self) -> None:
        target = self._target()
        if target is None:
            return
        target.write(self._around.read_ram(self.value(_TXD_PTR), self.value(_TXD_MAXCNT)))
        self.set_value(_LASTTX, 1)
        if self.value(_SHORTS) & _LASTTX_STARTRX:
            self._receive()
        elif self.value(_SHORTS) & _LASTTX_STOP:
            self.set_value(_STOPPED, 1)

    def _receive(self) -> None:
        target = self._target()
        if target is None:
            return
        self._around.write_ram(self.value(_RXD_PTR), target.read(self.value(_RXD_MAXCNT)))
        self.set_value(_LASTRX, 1)
        if self.value(_SHORTS) & _LASTRX_STOP:
            self.set_value(_STOPPED, 1)
