"""The serial line as the chip sees it: bytes come one after the other, each after the time that it takes.

While the core sleeps time costs nothing to emulate, so bytes come in bursts of up to half of the receiver's
buffer; the core then wakes later than after the first of them, which no firmware can rely on.  While the core
is awake they come in smaller portions, on time.  A firmware that falls behind loses bytes, as on hardware.
"""

from __future__ import annotations

from typing import Protocol

BITS_PER_BYTE = 10  # start, 8 data, stop


class Receiver(Protocol):
    """What bytes are delivered to."""

    @property
    def receiving(self) -> bool: ...
    @property
    def capacity(self) -> int: ...
    def deliver(self, data: bytes) -> int: ...


class Line:
    """Bytes on their way to the chip.

    Args:
        clock_hz: cycles per second of the time that is handed in.
        baud: of the line.
    """

    def __init__(self, clock_hz: int, baud: int) -> None:
        self._byte_cycles = clock_hz * BITS_PER_BYTE // baud
        self._waiting = bytearray()
        self._portion_began = 0

    def send(self, data: bytes, now: int) -> None:
        """Put `data` on the line at time `now` (cycles)."""
        if not self._waiting:
            self._portion_began = now
        self._waiting += data

    def clear(self) -> None:
        """Forget what has not arrived."""
        self._waiting.clear()

    def due(self, receiver: Receiver) -> int | None:
        """When the next portion is complete; None where nothing is on its way, or nobody listens."""
        if not self._waiting or not receiver.receiving:
            return None
        return self._portion_began + self._portion(receiver, 8) * self._byte_cycles

    def deliver(self, receiver: Receiver, now: int) -> bool:
        """Hand over what is complete at `now`; whether there was any."""
        due = self.due(receiver)
        if due is None or due > now:
            return False
        self._hand_over(receiver, self._portion(receiver, 8), now)
        return True

    def burst(self, receiver: Receiver, now: int) -> int | None:
        """Hand over a burst to a sleeping core; returns the time of its end, None where nothing is due."""
        if self.due(receiver) is None:
            return None
        count = self._portion(receiver, 2)
        then = max(now, self._portion_began + count * self._byte_cycles)
        self._hand_over(receiver, count, then)
        return then

    def _portion(self, receiver: Receiver, share: int) -> int:
        return min(len(self._waiting), max(1, receiver.capacity // share))

    def _hand_over(self, receiver: Receiver, count: int, now: int) -> None:
        portion = bytes(self._waiting[:count])
        del self._waiting[:count]
        taken = receiver.deliver(portion)
        self._waiting[:0] = portion[taken:]  # the receiver stopped meanwhile
        self._portion_began = now
