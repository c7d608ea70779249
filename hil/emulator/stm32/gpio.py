"""One GPIO port.  ST RM0390, RM0385, RM0432 and RM0456, chapter "General-purpose I/Os".

One pin may be watched: the one that marks an inference (hil_port_trigger).  The others lead nowhere.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, RegisterBlock, Unmodelled

_MODER, _ODR = 0x00, 0x14
_OUTPUT = 1


class Gpio(RegisterBlock):
    """MODER, PUPDR, ODR, BSRR and AFR.

    Args:
        letter: "A" for port A.
        clocked: whether RCC gives it a clock.
        watched: number of the pin that is watched; None for none.
        on_change: told its level when it changes.
    """

    def __init__(
        self,
        letter: str,
        base: int,
        clocked: Callable[[], bool],
        watched: int | None,
        on_change: Callable[[bool], None],
    ) -> None:
        self._clocked, self._watched, self._on_change = clocked, watched, on_change
        self._level = False
        super().__init__(
            f"GPIO{letter}",
            base,
            0x400,
            {
                _MODER: Register("MODER", reset=0xFFFF_FFFF, on_write=lambda _: self._look()),
                0x0C: Register("PUPDR", on_write=lambda _: self._look()),
                _ODR: Register("ODR", bits=0xFFFF, on_write=lambda _: self._look()),
                0x18: Register("BSRR", on_write=self._set_and_reset, readable=False),
                0x20: Register("AFRL", on_write=lambda _: self._look()),
                0x24: Register("AFRH", on_write=lambda _: self._look()),
            },
        )

    def reset(self) -> None:
        super().reset()
        self._follow()

    def _set_and_reset(self, bits: int) -> None:
        # Setting wins where both are asked for.
        self.set_value(_ODR, self.value(_ODR) & ~(bits >> 16) | bits & 0xFFFF)
        self._look()

    def _look(self) -> None:
        if not self._clocked():
            raise Unmodelled(f"{self.name} is written without a clock (RCC)")
        self._follow()

    def _follow(self) -> None:
        if self._watched is None:
            return
        drives = self.value(_MODER) >> (2 * self._watched) & 3 == _OUTPUT
        level = drives and bool(self.value(_ODR) >> self._watched & 1)
        if level != self._level:
            self._level = level
            self._on_change(level)
