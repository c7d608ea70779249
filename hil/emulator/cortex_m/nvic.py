"""NVIC: which interrupts are enabled, pending and active.  ARMv7-M Architecture Reference Manual, B3.4."""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Unmodelled

BASE, SIZE = 0xE000_E100, 0xC00
FIRST_INTERRUPT = 16  # exception number of interrupt 0
_ISER, _ICER, _ISPR, _ICPR, _IABR, _IPR = 0x000, 0x080, 0x100, 0x180, 0x200, 0x300


class Nvic:
    """Interrupts by number.

    Args:
        interrupts: how many the chip has.
        priority_bits: implemented bits of a priority, at its upper end.
        on_pend: called when an interrupt becomes pending.
        on_change: called after anything that may let an interrupt through.
    """

    name = "NVIC"
    base = BASE
    size = SIZE

    def __init__(
        self, interrupts: int, priority_bits: int, on_pend: Callable[[], None], on_change: Callable[[], None]
    ) -> None:
        self._interrupts = interrupts
        self._priority_mask = 0xFF & ~(0xFF >> priority_bits)
        self._on_pend = on_pend
        self._on_change = on_change
        self.enabled: set[int] = set()
        self.pending: set[int] = set()
        self.active: set[int] = set()
        self._lines: set[int] = set()
        self._priorities = bytearray(interrupts)

    def reset(self) -> None:
        self.enabled.clear()
        self.pending.clear()
        self.active.clear()
        self._lines.clear()
        self._priorities = bytearray(self._interrupts)

    def set_line(self, interrupt: int, active: bool) -> None:
        """A peripheral asks for its interrupt, or no longer does."""
        if active and interrupt not in self._lines:
            self._lines.add(interrupt)
            self.pend(interrupt)
        elif not active:
            self._lines.discard(interrupt)

    def pend(self, interrupt: int) -> None:
        """Make `interrupt` pending."""
        if interrupt not in self.pending:
            self.pending.add(interrupt)
            self._on_pend()
        self._on_change()

    def take(self, interrupt: int) -> None:
        """Its handler is entered."""
        self.pending.discard(interrupt)
        self.active.add(interrupt)

    def leave(self, interrupt: int) -> None:
        """Its handler has returned; it pends again where the peripheral still asks for it."""
        self.active.discard(interrupt)
        if interrupt in self._lines:
            self.pend(interrupt)

    def priority(self, interrupt: int) -> int:
        """0 is the most urgent."""
        return self._priorities[interrupt]

    def most_urgent(self) -> int | None:
        """The interrupt that is pending, enabled and comes first."""
        ready = self.pending & self.enabled
        return min(ready, key=lambda n: (self._priorities[n], n), default=None)

    def read(self, offset: int, size: int) -> int:
        if offset >= _IPR:
            return int.from_bytes(self._priorities[self._slice(offset, size)], "little")
        kind, word = self._word(offset, size)
        members = {
            _ISER: self.enabled,
            _ICER: self.enabled,
            _ISPR: self.pending,
            _ICPR: self.pending,
            _IABR: self.active,
        }
        return sum(1 << (n - 32 * word) for n in members[kind] if n // 32 == word)

    def write(self, offset: int, size: int, value: int) -> None:
        if offset >= _IPR:
            masked = bytes(b & self._priority_mask for b in value.to_bytes(size, "little"))
            self._priorities[self._slice(offset, size)] = masked
            self._on_change()
            return
        kind, word = self._word(offset, size)
        for interrupt in (32 * word + bit for bit in range(32) if value >> bit & 1):
            if interrupt >= self._interrupts:
                raise Unmodelled(f"NVIC: interrupt {interrupt} is touched, the chip has {self._interrupts}")
            self._write_bit(kind, interrupt)
        self._on_change()

    def trigger(self, offset: int, times: int) -> None:
        raise Unmodelled("the NVIC has no tasks")

    def _write_bit(self, kind: int, interrupt: int) -> None:
        if kind == _ISER:
            self.enabled.add(interrupt)
        elif kind == _ICER:
            self.enabled.discard(interrupt)
        elif kind == _ISPR:
            self.pend(interrupt)
        elif kind == _ICPR:
            self.pending.discard(interrupt)
            if interrupt in self._lines:
                self.pend(interrupt)
        else:
            raise Unmodelled("NVIC.IABR is read-only")

    def _word(self, offset: int, size: int) -> tuple[int, int]:
        kind, word = offset & ~0x7F, (offset & 0x7F) // 4
        if size != 4 or offset % 4 or kind > _IABR or 32 * word >= self._interrupts:
            raise Unmodelled(f"NVIC has no register at offset 0x{offset + 0x100:03x} in this width")
        return kind, word

    def _slice(self, offset: int, size: int) -> slice:
        first = offset - _IPR
        if first + size > self._interrupts:
            raise Unmodelled(f"NVIC.IPR: the chip has {self._interrupts} interrupts")
        return slice(first, first + size)
