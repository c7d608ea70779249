"""USART and LPUART.  ST RM0390, RM0385, RM0432 and RM0456, chapter "Universal ... receiver transmitter".

A byte that has come waits in one register; where the next one comes before it was read, that one is lost and
ORE is set.  `line.py` hands bytes over in portions, which are read from here one after the other: it is a
whole portion that comes too early, then, and is lost.  Sending takes no time.

Not modelled, and an error where the firmware asks for it: parity, flow control, the FIFO, DMA, a baud rate
other than the profile's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.emulator.registers import Register, RegisterBlock, Unmodelled
from hil.emulator.surroundings import Surroundings

_ORE, _RXNE, _TC, _TXE = 1 << 3, 1 << 5, 1 << 6, 1 << 7
_RE, _TE, _RXNEIE = 1 << 2, 1 << 3, 1 << 5
_PORTION_BYTES = 64  # line.py hands over an eighth of this while the core is awake, half while it sleeps


@dataclass(frozen=True)
class Facts:
    """Which USART of which chip.

    Attributes:
        clock_hz: that the baud rate is derived from.
        divider_unit: of BRR: 1, or 256 for LPUART.
    """

    name: str
    base: int
    interrupt: int
    clock_hz: int
    divider_unit: int = 1


class Usart(RegisterBlock):
    """Version 2: ISR, RDR, TDR.

    Args:
        clocked: whether RCC gives it a clock.
        baud: of the host's side of the line.
    """

    enable_bit = 1 << 0
    brr, cr1 = 0x0C, 0x00

    def __init__(self, facts: Facts, around: Surroundings, clocked: Callable[[], bool], baud: int) -> None:
        self._facts, self._around, self._clocked, self._baud = facts, around, clocked, baud
        self._received = bytearray()
        self._overrun = False
        self._switches = self.enable_bit | _RE | _TE | _RXNEIE
        super().__init__(facts.name, facts.base, 0x400, self._layout())

    def _layout(self) -> dict[int, Register]:
        return {
            self.cr1: Register("CR1", bits=self._switches, on_write=self._switch),
            self.brr: Register("BRR", bits=0xF_FFFF),
            0x1C: Register("ISR", on_read=self._status, writable=False),
            0x20: Register("ICR", bits=_ORE, on_write=self._clear, readable=False),
            0x24: Register("RDR", on_read=self._take, writable=False),
            0x28: Register("TDR", bits=0xFF, on_write=self._send, readable=False),
        }

    def reset(self) -> None:
        super().reset()
        self._received.clear()
        self._overrun = False

    @property
    def receiving(self) -> bool:
        """Whether it listens."""
        wanted = self.enable_bit | _RE
        return self.value(self.cr1) & wanted == wanted

    @property
    def capacity(self) -> int:
        """Of which the line hands over a part at a time."""
        return _PORTION_BYTES

    def deliver(self, data: bytes) -> int:
        """Bytes that have come in over the line; returns how many, lost ones included."""
        self._around.question_began()
        if self._received:
            self._overrun = True
        else:
            self._received += data
        self._update_interrupt()
        return len(data)

    def _switch(self, value: int) -> None:
        if value & self.enable_bit:
            if not self._clocked():
                raise Unmodelled(f"{self.name} is enabled without a clock (RCC)")
            divider = self.value(self.brr)
            found = self._facts.clock_hz * self._facts.divider_unit / divider if divider else 0.0
            if abs(found - self._baud) > 0.03 * self._baud:
                raise Unmodelled(
                    f"{self.name}.BRR stands for {found:,.0f} baud, the board profile says {self._baud:,}"
                )
        self._update_interrupt()
        self._around.receiver_started()

    def _status(self) -> int:
        return _TC | _TXE | (_RXNE if self._received else 0) | (_ORE if self._overrun else 0)

    def _take(self) -> int:
        byte = self._received.pop(0) if self._received else 0
        self._update_interrupt()
        return byte

    def _send(self, byte: int) -> None:
        if self.value(self.cr1) & (self.enable_bit | _TE) != self.enable_bit | _TE:
            raise Unmodelled(f"{self.name} sends while it is off (CR1.UE, CR1.TE)")
        self._around.transmit(bytes((byte,)))

    def _clear(self, _bits: int) -> None:
        self._overrun = False
        self._update_interrupt()

    def _update_interrupt(self) -> None:
        asks = bool(self.value(self.cr1) & _RXNEIE) and (bool(self._received) or self._overrun)
        self._around.set_interrupt(self._facts.interrupt, asks)


class UsartV1(Usart):
    """Version 1: SR and DR; reading DR clears ORE."""

    enable_bit = 1 << 13
    brr, cr1 = 0x08, 0x0C

    def _layout(self) -> dict[int, Register]:
        return {
            0x00: Register("SR", on_read=self._status, writable=False),
            0x04: Register("DR", bits=0xFF, on_read=self._take, on_write=self._send),
            self.brr: Register("BRR", bits=0xFFFF),
            self.cr1: Register("CR1", bits=self._switches, on_write=self._switch),
        }

    def _take(self) -> int:
        self._overrun = False
        return super()._take()
