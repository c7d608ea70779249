"""UARTE0: serial line with EasyDMA.  nRF52840 product specification, chapter "UARTE".

Bytes move between line and RAM the moment they are due; the time that they need on the line is kept by
`line.py`. Not modelled, and an error where the firmware asks for it: parity, hardware flow control, line
errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.emulator.registers import Register, RegisterBlock, Unmodelled, task

BASE = 0x4000_2000
INTERRUPT = 2

_CTS, _NCTS, _RXDRDY, _ENDRX, _TXDRDY, _ENDTX, _ERROR = 0x100, 0x104, 0x108, 0x110, 0x11C, 0x120, 0x124
_RXTO, _RXSTARTED, _TXSTARTED, _TXSTOPPED = 0x144, 0x14C, 0x150, 0x158
_EVENTS = {
    _CTS: "CTS", _NCTS: "NCTS", _RXDRDY: "RXDRDY", _ENDRX: "ENDRX", _TXDRDY: "TXDRDY", _ENDTX: "ENDTX",
    _ERROR: "ERROR", _RXTO: "RXTO", _RXSTARTED: "RXSTARTED", _TXSTARTED: "TXSTARTED", _TXSTOPPED: "TXSTOPPED",
}  # fmt: skip
_INTERRUPT_BITS = sum(1 << ((offset - 0x100) // 4) for offset in _EVENTS)
_SHORTS, _INTEN, _INTENSET, _INTENCLR, _ERRORSRC, _ENABLE = 0x200, 0x300, 0x304, 0x308, 0x480, 0x500
_PSEL_TXD, _PSEL_RXD, _BAUDRATE = 0x50C, 0x514, 0x524
_RXD_PTR, _RXD_MAXCNT, _RXD_AMOUNT = 0x534, 0x538, 0x53C
_TXD_PTR, _TXD_MAXCNT, _TXD_AMOUNT = 0x544, 0x548, 0x54C
_ENDRX_STARTRX, _ENDRX_STOPRX = 1 << 5, 1 << 6
_DISCONNECTED = 1 << 31
_BAUD_CLOCK_HZ = 16_000_000  # BAUDRATE / 2^32 of it is the baud rate, within 1 % (nrf52840_bitfields.h)


class Surroundings(Protocol):
    """What the UARTE needs of the machine around it."""

    def read_ram(self, address: int, size: int) -> bytes: ...
    def write_ram(self, address: int, data: bytes) -> None: ...
    def transmit(self, data: bytes) -> None: ...
    def set_interrupt(self, number: int, active: bool) -> None: ...
    def receiver_started(self) -> None: ...


class Uarte(RegisterBlock):
    """UARTE0.

    Args:
        baud: of the host's side of the line; another rate in the firmware is an error, as bytes would be
            garbled.
        on_event: called with the address of an event and how many times it was generated.
    """

    def __init__(self, around: Surroundings, baud: int, on_event: Callable[[int, int], None]) -> None:
        self._around = around
        self._on_event = on_event
        self._baud = baud
        self.receiving = False
        self._buffer = (0, 0)  # address and capacity in use
        self._filled = 0
        events = {
            offset: Register(f"EVENTS_{name}", bits=0, on_write=self._event_cleared)
            for offset, name in _EVENTS.items()
        }
        tasks: dict[int, tuple[str, Callable[[], None]]] = {
            0x000: ("STARTRX", self._start_rx),
            0x004: ("STOPRX", self._stop_rx),
            0x008: ("STARTTX", self._start_tx),
            0x00C: ("STOPTX", lambda: self._raise_event(_TXSTOPPED)),
            0x02C: ("FLUSHRX", self._flush_rx),
        }
        super().__init__(
            "UARTE0",
            BASE,
            0x1000,
            {
                **{offset: task(f"TASKS_{name}", action) for offset, (name, action) in tasks.items()},
                **events,
                _SHORTS: Register("SHORTS", bits=_ENDRX_STARTRX | _ENDRX_STOPRX),
                _INTEN: Register("INTEN", bits=_INTERRUPT_BITS, on_write=lambda _: self._update_interrupt()),
                _INTENSET: self._mask_register("INTENSET", lambda old, bits: old | bits),
                _INTENCLR: self._mask_register("INTENCLR", lambda old, bits: old & ~bits),
                _ERRORSRC: Register("ERRORSRC", bits=0xF, on_write=lambda _: self.set_value(_ERRORSRC, 0)),
                _ENABLE: Register("ENABLE", bits=0xF, on_write=self._check_enable),
                0x508: Register("PSEL.RTS", reset=0xFFFF_FFFF),
                _PSEL_TXD: Register("PSEL.TXD", reset=0xFFFF_FFFF),
                0x510: Register("PSEL.CTS", reset=0xFFFF_FFFF),
                _PSEL_RXD: Register("PSEL.RXD", reset=0xFFFF_FFFF),
                _BAUDRATE: Register("BAUDRATE", reset=0x0400_0000),
                _RXD_PTR: Register("RXD.PTR"),
                _RXD_MAXCNT: Register("RXD.MAXCNT", bits=0xFFFF),
                _RXD_AMOUNT: Register("RXD.AMOUNT", writable=False),
                _TXD_PTR: Register("TXD.PTR"),
                _TXD_MAXCNT: Register("TXD.MAXCNT", bits=0xFFFF),
                _TXD_AMOUNT: Register("TXD.AMOUNT", writable=False),
                0x56C: Register("CONFIG", bits=0),  # 8N1, no flow control
            },
        )

    def reset(self) -> None:
        super().reset()
        self.receiving = False
        self._filled = 0

    @property
    def capacity(self) -> int:
        """Bytes of the buffer in use."""
        return self._buffer[1]

    def deliver(self, data: bytes) -> int:
        """Bytes that have come in over the line, as many as the receiver takes; returns how many it took."""
        taken = 0
        while taken < len(data) and self.receiving:
            address, capacity = self._buffer
            count = min(len(data) - taken, capacity - self._filled)
            if count:
                self._around.write_ram(address + self._filled, data[taken : taken + count])
            self._filled += count
            taken += count
            self._raise_event(_RXDRDY, count)
            if self._filled == capacity:
                self._end_rx()
        return taken

    def _mask_register(self, name: str, combine: Callable[[int, int], int]) -> Register:
        def change(bits: int) -> None:
            self.set_value(_INTEN, combine(self.value(_INTEN), bits))
            self._update_interrupt()

        return Register(name, bits=_INTERRUPT_BITS, on_read=lambda: self.value(_INTEN), on_write=change)

    def _check_enable(self, value: int) -> None:
        if value not in (0, 8):
            raise Unmodelled(f"UARTE0.ENABLE is set to {value}: only UARTE (8) and off (0) are modelled")
        if value == 0:
            self.receiving = False
            return
        baud = self.value(_BAUDRATE) * _BAUD_CLOCK_HZ / 2**32
        if abs(baud - self._baud) > 0.03 * self._baud:
            raise Unmodelled(
                f"UARTE0.BAUDRATE stands for {baud:,.0f} baud, the board profile says {self._baud:,}"
            )
        for offset, name in ((0x508, "RTS"), (0x510, "CTS")):
            if not self.value(offset) & _DISCONNECTED:
                raise Unmodelled(f"UARTE0.PSEL.{name} is connected: hardware flow control is not modelled")

    def _require(self, psel: int, name: str) -> None:
        if self.value(_ENABLE) != 8 or self.value(psel) & _DISCONNECTED:
            raise Unmodelled(f"UARTE0 is started without ENABLE, or with PSEL.{name} disconnected")

    def _start_rx(self) -> None:
        self._require(_PSEL_RXD, "RXD")
        if self.receiving:
            raise Unmodelled("UARTE0.TASKS_STARTRX while a reception runs")
        self._buffer = (self.value(_RXD_PTR), self.value(_RXD_MAXCNT))
        if self._buffer[1] == 0:
            raise Unmodelled("UARTE0 receives into a buffer of 0 bytes")
        self._around.read_ram(*self._buffer)  # is there RAM?
        self._filled = 0
        self.receiving = True
        self._raise_event(_RXSTARTED)
        self._around.receiver_started()

    def _end_rx(self) -> None:
        self.set_value(_RXD_AMOUNT, self._filled)
        self.receiving = False
        self._raise_event(_ENDRX)
        if self.value(_SHORTS) & _ENDRX_STARTRX:
            self._start_rx()
        elif self.value(_SHORTS) & _ENDRX_STOPRX:
            self._raise_event(_RXTO)

    def _stop_rx(self) -> None:
        if self.receiving:
            self.set_value(_RXD_AMOUNT, self._filled)
            self.receiving = False
            self._raise_event(_ENDRX)
        self._raise_event(_RXTO)

    def _flush_rx(self) -> None:
        # The line holds back what the receiver has not taken, so its FIFO is always empty here.
        self.set_value(_RXD_AMOUNT, 0)
        self._raise_event(_ENDRX)

    def _start_tx(self) -> None:
        self._require(_PSEL_TXD, "TXD")
        size = self.value(_TXD_MAXCNT)
        data = self._around.read_ram(self.value(_TXD_PTR), size)
        self.set_value(_TXD_AMOUNT, size)
        self._around.transmit(data)
        self._raise_event(_TXSTARTED)
        if size:
            self._raise_event(_TXDRDY, size)
        self._raise_event(_ENDTX)

    def _event_cleared(self, _: int) -> None:
        self._update_interrupt()

    def _raise_event(self, offset: int, times: int = 1) -> None:
        self.set_value(offset, 1)
        self._on_event(BASE + offset, times)
        self._update_interrupt()

    def _update_interrupt(self) -> None:
        enabled = self.value(_INTEN)
        active = any(self.value(offset) and enabled >> ((offset - 0x100) // 4) & 1 for offset in _EVENTS)
        self._around.set_interrupt(INTERRUPT, active)
