"""Registers of the core, and the frames that exceptions push.

ARMv7-M Architecture Reference Manual, B1.4 and B1.5.
"""

from __future__ import annotations

from typing import Any, Protocol

from unicorn import arm_const as arm

from hil.emulator.registers import Unmodelled

_GENERAL = [
    *(getattr(arm, f"UC_ARM_REG_R{n}") for n in range(13)),
    arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_PC,
]  # fmt: skip
_FLOATS = [getattr(arm, f"UC_ARM_REG_S{n}") for n in range(16)]
_FRAME = (0, 1, 2, 3, 12, 14)
_ALIGNED = 1 << 9  # xPSR of a frame that was moved down by a word
_THUMB = 1 << 24
_FPCA = 1 << 2
_SPSEL = 1 << 1


class Ram(Protocol):
    """Memory that a stack can lie in."""

    def read_ram(self, address: int, size: int) -> bytes: ...
    def write_ram(self, address: int, data: bytes) -> None: ...


class StackingFailed(Exception):
    """The frame does not lie in RAM."""


class Core:
    """The registers of the emulated core.

    Args:
        engine: Unicorn's.
        ram: where frames go; raises Unmodelled outside of RAM.
    """

    def __init__(self, engine: Any, ram: Ram) -> None:
        self._engine = engine
        self._ram = ram

    def register(self, number: int) -> int:
        """r0 .. r12, 13 sp, 14 lr, 15 pc."""
        return int(self._engine.reg_read(_GENERAL[number]))

    def set_register(self, number: int, value: int) -> None:
        self._engine.reg_write(_GENERAL[number], value & 0xFFFF_FFFF)

    def jump(self, target: int) -> None:
        """Go on at `target`; bit 0 is the Thumb state."""
        self._engine.reg_write(arm.UC_ARM_REG_PC, target)

    @property
    def pc(self) -> int:
        return self.register(15)

    @property
    def status(self) -> int:
        """xPSR."""
        return int(self._engine.reg_read(arm.UC_ARM_REG_XPSR))

    @property
    def exception(self) -> int:
        """Number of the exception whose handler runs; 0 in thread mode."""
        return self.status & 0x1FF

    @property
    def thumb(self) -> bool:
        return bool(self.status & _THUMB)

    @property
    def masked_priority(self) -> int:
        """Priorities from here on are held back by PRIMASK, FAULTMASK and BASEPRI; 256 where none is set."""
        read = self._engine.reg_read
        if read(arm.UC_ARM_REG_FAULTMASK) & 1:
            return -1
        if read(arm.UC_ARM_REG_PRIMASK) & 1:
            return 0
        base = int(read(arm.UC_ARM_REG_BASEPRI)) & 0xFF
        return base or 256

    def start(self, stack: int, pc: int) -> None:
        """Registers after reset; bit 0 of `pc` is the Thumb state."""
        for number in range(13):
            self.set_register(number, 0)
        self._engine.reg_write(arm.UC_ARM_REG_XPSR, _THUMB)
        for name in ("CONTROL", "PRIMASK", "FAULTMASK", "BASEPRI"):
            self._engine.reg_write(getattr(arm, f"UC_ARM_REG_{name}"), 0)
        self.set_register(13, stack)
        self.set_register(14, 0xFFFF_FFFF)
        self.jump(pc)

    def enter(self, exception: int, return_to: int, handler: int) -> None:
        """Push the frame, go to `handler`.

        Raises:
            StackingFailed: the frame does not lie in RAM.  The handler is entered all the same.
        """
        control = int(self._engine.reg_read(arm.UC_ARM_REG_CONTROL))
        status = self.status
        floats = bool(control & _FPCA)
        values = [self.register(n) for n in _FRAME]
        stack = self.register(13)
        aligned = stack & ~7
        frame = aligned - (104 if floats else 32)
        values += [return_to, (status & ~_ALIGNED) | (_ALIGNED if stack != aligned else 0)]
        if floats:
            values += [int(self._engine.reg_read(r)) & 0xFFFF_FFFF for r in _FLOATS]
            values += [int(self._engine.reg_read(arm.UC_ARM_REG_FPSCR)), 0]
        process_stack = bool(control & _SPSEL) and not status & 0x1FF
        failed = False
        try:
            self._ram.write_ram(frame & 0xFFFF_FFFF, b"".join(v.to_bytes(4, "little") for v in values))
        except Unmodelled:
            failed = True
        self.set_register(13, frame)
        link = 0xFFFF_FFE1 if floats else 0xFFFF_FFF1
        if not status & 0x1FF:
            link |= 0xC if process_stack else 0x8
        self._engine.reg_write(arm.UC_ARM_REG_CONTROL, control & ~(_FPCA | _SPSEL))
        self._engine.reg_write(arm.UC_ARM_REG_XPSR, _THUMB | exception)
        self.set_register(14, link)
        self.jump(handler)
        if failed:
            raise StackingFailed

    def redirect(self, exception: int, handler: int) -> None:
        """Enter another handler than the one that was about to be entered."""
        self._engine.reg_write(arm.UC_ARM_REG_XPSR, _THUMB | exception)
        self.jump(handler)

    def leave(self, link: int) -> None:
        """Pop the frame that `link` (EXC_RETURN) describes.

        Raises:
            ValueError: no such EXC_RETURN.
            Unmodelled: the frame does not lie in RAM.
        """
        if link & 0xFFFF_FFEF not in (0xFFFF_FFE1, 0xFFFF_FFE9, 0xFFFF_FFED):
            raise ValueError(f"0x{link:08x} is no EXC_RETURN")
        floats = not link & 0x10
        process_stack = bool(link & 4)
        write = self._engine.reg_write
        control = int(self._engine.reg_read(arm.UC_ARM_REG_CONTROL))
        write(arm.UC_ARM_REG_CONTROL, control & ~_SPSEL | (_SPSEL if process_stack else 0))
        stack = self.register(13)
        raw = self._ram.read_ram(stack, 104 if floats else 32)
        words = [int.from_bytes(raw[i : i + 4], "little") for i in range(0, len(raw), 4)]
        for number, value in zip(_FRAME, words, strict=False):
            self.set_register(number, value)
        pc, status = words[6], words[7]
        if floats:
            for register, value in zip(_FLOATS, words[8:24], strict=True):
                write(register, value)
            write(arm.UC_ARM_REG_FPSCR, words[24])
        write(arm.UC_ARM_REG_XPSR, status & ~_ALIGNED)
        self.set_register(13, stack + len(raw) + (4 if status & _ALIGNED else 0))
        write(
            arm.UC_ARM_REG_CONTROL,
            int(self._engine.reg_read(arm.UC_ARM_REG_CONTROL)) | (_FPCA if floats else 0),
        )
        self.jump(pc & ~1 | (1 if status & _THUMB else 0))
