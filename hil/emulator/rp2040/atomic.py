"""Registers as the RP2040's buses show them: four times, three of them for changing single bits.

RP2040 data sheet, 2.1.2 "Atomic Register Access": plain, XOR at +0x1000, set at +0x2000, clear at +0x3000.
A peripheral that is held in reset (2.14) does not answer: reaching it is an error here.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, RegisterBlock, Unmodelled

_ALIAS_BYTES = 0x1000
_COMBINE: tuple[Callable[[int, int], int], ...] = (
    lambda _old, bits: bits,
    lambda old, bits: old ^ bits,
    lambda old, bits: old | bits,
    lambda old, bits: old & ~bits,
)


class AtomicBlock(RegisterBlock):
    """A peripheral whose registers have the three further addresses.

    Args:
        in_reset: whether the peripheral is held in reset.
    """

    def __init__(
        self,
        name: str,
        base: int,
        registers: dict[int, Register],
        in_reset: Callable[[], bool] = lambda: False,
    ) -> None:
        self._in_reset = in_reset
        super().__init__(name, base, 4 * _ALIAS_BYTES, registers)

    def read(self, offset: int, size: int) -> int:
        self._require_running()
        return super().read(offset % _ALIAS_BYTES, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self._require_running()
        place = offset % _ALIAS_BYTES
        combine = _COMBINE[offset // _ALIAS_BYTES]
        old = self.value(place) if offset >= _ALIAS_BYTES and place in self._registers else 0
        super().write(place, size, combine(old, value))

    def _require_running(self) -> None:
        if self._in_reset():
            raise Unmodelled(f"{self.name} is reached while RESETS holds it in reset")
