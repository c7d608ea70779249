"""UART0, an Arm PL011 with its FIFOs.  RP2040 data sheet, 4.2.

Sending takes no time.  The timeout after which fewer bytes than the threshold raise the interrupt (32 bits)
is over at once.  Not modelled, and an error where the firmware asks for it: parity, other word lengths, flow
control, DMA.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.emulator.registers import Register, Unmodelled
from hil.emulator.rp2040.atomic import AtomicBlock

BASE = 0x4003_4000
INTERRUPT = 20
FIFO_BYTES = 32
_DR, _FR, _IBRD, _FBRD, _LCR_H, _CR = 0x00, 0x18, 0x24, 0x28, 0x2C, 0x30
_IFLS, _IMSC, _ICR = 0x34, 0x38, 0x44
_RXFE, _RXFF, _TXFE = 1 << 4, 1 << 6, 1 << 7
_8N1_WITH_FIFOS = 3 << 5 | 1 << 4
_UARTEN, _TXE, _RXE = 1 << 0, 1 << 8, 1 << 9
_RX_INTERRUPTS = 1 << 4 | 1 << 6  # RXIM, RTIM
_ALL_INTERRUPTS = 0x7FF


class Surroundings(Protocol):
    """What it needs of the machine around it."""

    def transmit(self, data: bytes) -> None: ...
    def set_interrupt(self, number: int, active: bool) -> None: ...
    def receiver_started(self) -> None: ...


class Uart(AtomicBlock):
    """UART0.

    Args:
        baud: of the host's side of the line; another rate in the firmware is an error, as bytes would be
            garbled.
        clock_hz: the rate of CLK_PERI; None where it is off.
        connected: whether both pins lead to it.
    """

    def __init__(
        self,
        around: Surroundings,
        baud: int,
        clock_hz: Callable[[], int | None],
        connected: Callable[[], bool],
        in_reset: Callable[[], bool],
    ) -> None:
        self._around, self._baud = around, baud
        self._clock_hz, self._connected = clock_hz, connected
        self._fifo = bytearray()
        self.receiving = False
        super().__init__(
            "UART0",
            BASE,
            {
                _DR: Register("DR", bits=0xFF, on_read=self._take, on_write=self._send),
                _FR: Register("FR", on_read=self._flags, writable=False),
                _IBRD: Register("IBRD", bits=0xFFFF),
                _FBRD: Register("FBRD", bits=0x3F),
                _LCR_H: Register("LCR_H", bits=_8N1_WITH_FIFOS),
                _CR: Register("CR", reset=_TXE | _RXE, bits=_UARTEN | _TXE | _RXE, on_write=self._control),
                _IFLS: Register("IFLS", reset=0x12, bits=0x3F),
                _IMSC: Register("IMSC", bits=_RX_INTERRUPTS, on_write=lambda _: self._update_interrupt()),
                _ICR: Register("ICR", bits=_ALL_INTERRUPTS, readable=False),
            },
            in_reset,
        )

    def reset(self) -> None:
        super().reset()
        self._fifo.clear()
        self.receiving = False

    @property
    def capacity(self) -> int:
        """Bytes of the FIFO."""
        return FIFO_BYTES

    def deliver(self, data: bytes) -> int:
        """Bytes that have come in over the line.  Those that find the FIFO full are lost, as on hardware."""
        self._fifo += data[: FIFO_BYTES - len(self._fifo)]
        self._update_interrupt()
        return len(data)

    def _take(self) -> int:
        if not self._fifo:
            raise Unmodelled("UART0.DR is read while the FIFO is empty: what it gives is undefined")
        byte = self._fifo.pop(0)
        self._update_interrupt()
        return byte

    def _send(self, value: int) -> None:
        if not self.value(_CR) & _UARTEN:
            raise Unmodelled("UART0.DR is written while CR.UARTEN is off")
        self._around.transmit(bytes([value]))

    def _flags(self) -> int:
        full = _RXFF if len(self._fifo) == FIFO_BYTES else 0
        return _TXFE | full | (0 if self._fifo else _RXFE)

    def _control(self, value: int) -> None:
        self.receiving = bool(value & _UARTEN and value & _RXE)
        if not value & _UARTEN:
            return
        clock_hz = self._clock_hz()
        if clock_hz is None or not self._connected():
            raise Unmodelled("UART0 is switched on without CLK_PERI, or with a pin not given to it")
        if self.value(_LCR_H) != _8N1_WITH_FIFOS:
            raise Unmodelled("UART0 is switched on with another format than 8N1, or without its FIFOs")
        baud = clock_hz / (16 * (self.value(_IBRD) + self.value(_FBRD) / 64))
        if abs(baud - self._baud) > 0.03 * self._baud:
            raise Unmodelled(
                f"UART0's divider stands for {baud:,.0f} baud, the board profile says {self._baud:,}"
            )
        self._around.receiver_started()

    def _update_interrupt(self) -> None:
        self._around.set_interrupt(INTERRUPT, bool(self._fifo and self.value(_IMSC)))
