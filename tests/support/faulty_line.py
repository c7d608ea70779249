"""A serial line that behaves like a bad one, and a clock that stands still until somebody waits.

The line keeps the order of what it carries, as serial lines do; it loses, flips, doubles and holds back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass


class Clock:
    """Seconds; passes only when told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True)
class Trouble:
    """What happens to one piece of bytes on its way; positions count modulo its length.

    Attributes:
        lost: from this position on, this many bytes vanish.
        flipped: (position, bit) pairs.
        doubled: the whole piece comes twice.
        delay_s: it comes this much later, and all that follows comes behind it.
    """

    lost: tuple[int, int] = (0, 0)
    flipped: tuple[tuple[int, int], ...] = ()
    doubled: bool = False
    delay_s: float = 0.0

    def apply(self, data: bytes) -> bytes:
        """What is left of `data`."""
        if not data:
            return data
        changed = bytearray(data)
        for position, bit in self.flipped:
            changed[position % len(data)] ^= 1 << bit
        start, count = self.lost
        del changed[start % len(data) : start % len(data) + count]
        return bytes(changed) * (2 if self.doubled else 1)


NO_TROUBLE = Trouble()


class Way:
    """One direction of the line."""

    def __init__(self, clock: Clock, troubles: Iterable[Trouble]) -> None:
        self._clock = clock
        self._troubles = deque(troubles)
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._free_at_s = 0.0

    def put(self, data: bytes) -> None:
        """Send `data` on its way."""
        trouble = self._troubles.popleft() if self._troubles else NO_TROUBLE
        self._free_at_s = max(self._free_at_s, self._clock()) + trouble.delay_s
        self._pieces.append((self._free_at_s, trouble.apply(data)))

    def take(self) -> bytes | None:
        """The next piece that has arrived by now."""
        if self._pieces and self._pieces[0][0] <= self._clock():
            return self._pieces.popleft()[1]
        return None

    def heal(self) -> None:
        """From now on all goes well; what is on its way stays as it is."""
        self._troubles.clear()

    @property
    def next_s(self) -> float:
        """When the next piece arrives."""
        return self._pieces[0][0] if self._pieces else float("inf")


class FaultyLine:
    """A Transport to `answer`, a function from the bytes that reach the device to those it sends back."""

    def __init__(
        self,
        answer: Callable[[bytes], bytes],
        clock: Clock,
        *,
        there: Iterable[Trouble] = (),
        back: Iterable[Trouble] = (),
    ) -> None:
        self._answer = answer
        self._clock = clock
        self._there = Way(clock, there)
        self._back = Way(clock, back)
        self.closed = False

    def write(self, data: bytes) -> None:
        """Send `data` to the device."""
        self._there.put(data)
        self._deliver()

    def read(self, timeout_s: float) -> bytes:
        """Wait, in the clock's time, for bytes from the device."""
        until = self._clock() + timeout_s
        while True:
            self._deliver()
            data = self._back.take()
            if data:
                return data
            if data is not None:
                continue
            self._clock.now_s = max(self._clock(), min(until, self._there.next_s, self._back.next_s))
            if self._clock() >= until and self._next_s > until:
                return b""

    def heal(self) -> None:
        """The line is good again; time passes until what was held back has come, unread."""
        self._there.heal()
        self._back.heal()
        while self._next_s != float("inf"):
            self._clock.now_s = max(self._clock(), self._next_s)
            self._deliver()
            self._back.take()

    def close(self) -> None:
        """Nothing is held open."""
        self.closed = True

    @property
    def _next_s(self) -> float:
        return min(self._there.next_s, self._back.next_s)

    def _deliver(self) -> None:
        while (data := self._there.take()) is not None:
            reply = self._answer(data) if data else b""
            if reply:
                self._back.put(reply)
