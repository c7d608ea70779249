"""Every error that `hil` raises, in one tree ordered by where the fault lies.

An error's text says what was received and what was expected; `remedy` says how to mend it (a sentence or a
command to type).  `outcome` tells a search what to do with it (docs/DESIGN.md, decision 10):

* TRANSIENT   worth a bounded retry (a lost frame, a failed flash); `when_it_lasts` tells what it is where the
              retries are used up;
* INFEASIBLE  a fact about the candidate, recorded with its figures; the search goes on;
* FATAL       nothing will work until a person acts (no toolchain, wrong firmware, malformed input).

    HilError
    ├── InputError            the user's files and names: BadModel, UnsupportedOperator, UnknownBoard, ...
    ├── DoesNotFit            the candidate is too large for the board, or for a limit: ArenaOverLimit,
    │                         ConstantsOutOfReach
    ├── HostError             this computer: ToolMissing, BuildFailed, CacheError
    └── DeviceError           the board or the way to it: PortMissing, PortBusy, PortLost, DeviceTimeout
                              (FlashStalled), BadFrame, VersionMismatch, DeviceRefused, DeviceFault,
                              FlashFailed, FlashWorn, WrongImage, WrongOutput (UnstableOutput),
                              EmulationError, MeterError (MissingTrigger, LostSamples)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Outcome(Enum):
    """What a search does with a fault."""

    TRANSIENT = "transient"
    INFEASIBLE = "infeasible"
    FATAL = "fatal"


class HilError(Exception):
    """Base of all errors of this package.

    Args:
        message: what was received and what was expected.
        remedy: how to mend it; shown on a line of its own at the command line.
    """

    outcome = Outcome.FATAL

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross processes whatever their `__init__` takes."""
        return _remade, (type(self), self.args, self.__dict__)


def _remade(kind: type[HilError], args: tuple[Any, ...], facts: dict[str, Any]) -> HilError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class HilWarning(UserWarning):
    """Base of the warnings of this package: nothing has failed yet, but a person should know."""


class InputError(HilError):
    """The fault lies in what the user handed in."""


class BadModel(InputError):
    """A model file that is missing, corrupt, or not int8."""


class UnsupportedOperator(InputError):
    """The model holds an operator (or a form of one) that the runtime does not have.

    Args:
        operator: TFLite name, e.g. "TRANSPOSE_CONV".
        layer: name of the layer as in the Keras model, as far as the file tells.
        reason: what exactly is not supported.
    """

    outcome = Outcome.INFEASIBLE

    def __init__(self, operator: str, layer: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"operator {operator} of layer '{layer}': {reason}", remedy=remedy)
        self.operator = operator
        self.layer = layer


class QuantizationFailed(InputError):
    """TensorFlow could not turn the Keras model into an int8 model; names the layer where it is known."""

    outcome = Outcome.INFEASIBLE


class UnknownBoard(InputError):
    """A board id that no profile has; the remedy names the nearest ones."""


class BadBoard(InputError):
    """A board profile that fails one of its named checks."""


class BadDevice(InputError):
    """A device string that cannot be read, e.g. "emulted:nrf52840_dk"."""


class DoesNotFit(HilError):
    """The candidate needs more memory than the board has.

    Args:
        resource: "ram" or "flash".
        needed_bytes: what the candidate needs.
        available_bytes: what the board offers.
        parts: what the need is made of, e.g. {"arena": 70000, "static": 4000, "stack": 2048}.
        by: the part that is to blame, in words, e.g. "CONV_2D 'stem' (arena peak)".
    """

    outcome = Outcome.INFEASIBLE

    def __init__(
        self, resource: str, needed_bytes: int, available_bytes: int, *, parts: Mapping[str, int], by: str
    ) -> None:
        share = ", ".join(f"{name} {size:,}" for name, size in parts.items())
        super().__init__(
            f"does not fit: needs {needed_bytes:,} bytes of {resource} ({share}), "
            f"the board has {available_bytes:,}; {needed_bytes - available_bytes:,} too many, "
            f"most of it by {by}",
            remedy="use fewer or narrower layers, a smaller input, or a larger board (`hilnas boards`)",
        )
        self.resource = resource
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes
        self.parts = dict(parts)
        self.by = by


class ConstantsOutOfReach(DoesNotFit):
    """An AVR reads constants through pointers of 16 bits, which reach the first 64 kB of flash only.

    Args:
        needed_bytes: of the model's constants and of what else has to lie there.
        available_bytes: what can be reached.
        parts: as for `DoesNotFit`.
    """

    def __init__(self, needed_bytes: int, available_bytes: int, *, parts: Mapping[str, int]) -> None:
        super().__init__("flash", needed_bytes, available_bytes, parts=parts, by="the model's weights")
        share = ", ".join(f"{name} {size:,}" for name, size in parts.items())
        self.message = (
            f"does not fit: constants take {needed_bytes:,} bytes ({share}), and an AVR reads them from the "
            f"first {available_bytes:,} bytes of its flash only, however large that is"
        )
        self.args = (self.message,)


class ArenaOverLimit(DoesNotFit):
    """No way to execute the network keeps the limit that the user has set to its arena.

    Args:
        needed_bytes: the smallest arena.
        limit_bytes: the limit.
        plan: how it is executed in that arena, in words.
    """

    def __init__(self, needed_bytes: int, limit_bytes: int, *, plan: str) -> None:
        HilError.__init__(
            self,
            f"no plan keeps the arena limit of {limit_bytes:,} bytes; the smallest takes {needed_bytes:,} "
            f"({plan})",
            remedy="raise the limit (`hilnas plans` lists what there is), or use narrower layers or a smaller"
            " input",
        )
        self.resource = "arena"
        self.needed_bytes = needed_bytes
        self.available_bytes = limit_bytes
        self.parts = {"arena": needed_bytes}
        self.by = plan


class HostError(HilError):
    """The fault lies in this computer's set-up."""


class ToolMissing(HostError):
    """A program that is needed is not installed; the remedy is the command that installs it."""


class BuildFailed(HostError):
    """The firmware did not compile or link, although its sources were generated.  `log` holds the output."""

    def __init__(self, message: str, *, log: str, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.log = log


class CacheError(HostError):
    """The cache folder cannot be written (disk full, read-only)."""


class DeviceError(HilError):
    """The fault lies in the device or on the way to it.

    Args:
        device: the device as the user named it, e.g. "serial:/dev/ttyACM0".

    Attributes:
        when_it_lasts: what it is once all retries are used up.  INFEASIBLE where the candidate may be to
            blame (one that hangs, or draws more current than the supply gives): its trial is recorded as
            failed.  FATAL where no candidate can be: the trial stays unfinished, and is continued once a
            person has mended the bench.
    """

    outcome = Outcome.TRANSIENT
    when_it_lasts = Outcome.INFEASIBLE

    def __init__(self, message: str, *, device: str, remedy: str | None = None) -> None:
        super().__init__(f"{device}: {message}", remedy=remedy)
        self.device = device


class PortMissing(DeviceError):
    """The serial port does not exist."""

    outcome = Outcome.FATAL


class PortBusy(DeviceError):
    """Another process holds the board or its serial port; the message names it where it is known."""

    outcome = Outcome.FATAL


class PortLost(DeviceError):
    """The serial port went away while it was in use."""


class DeviceTimeout(DeviceError):
    """No (complete) answer before the deadline."""


class FlashStalled(DeviceTimeout):
    """The upload did not end before its deadline."""

    when_it_lasts = Outcome.FATAL


class BadFrame(DeviceError):
    """Bytes came, but not a valid frame, or a frame that does not answer the question."""


class VersionMismatch(DeviceError):
    """Host and firmware share no protocol version."""

    outcome = Outcome.FATAL


class DeviceRefused(DeviceError):
    """The firmware answered with an ERROR frame.  `code` is its error code."""

    def __init__(self, message: str, *, device: str, code: int, remedy: str | None = None) -> None:
        super().__init__(message, device=device, remedy=remedy)
        self.code = code


class DeviceFault(DeviceError):
    """The processor faulted; `registers` maps register names to values, as reported by the fault handler."""

    def __init__(
        self, message: str, *, device: str, registers: Mapping[str, int], remedy: str | None = None
    ) -> None:
        super().__init__(message, device=device, remedy=remedy)
        self.registers = dict(registers)


class FlashFailed(DeviceError):
    """The upload failed.  `log` holds what the uploader printed."""

    when_it_lasts = Outcome.FATAL

    def __init__(self, message: str, *, device: str, log: str = "", remedy: str | None = None) -> None:
        super().__init__(message, device=device, remedy=remedy)
        self.log = log


class FlashWorn(DeviceError):
    """So many of the flash's rated erase cycles are used up that no further image is written unasked.

    Args:
        cycles: used up.
        endurance_cycles: rated.
    """

    outcome = Outcome.FATAL

    def __init__(
        self, message: str, *, device: str, cycles: int, endurance_cycles: int, remedy: str | None = None
    ) -> None:
        super().__init__(message, device=device, remedy=remedy)
        self.cycles = cycles
        self.endurance_cycles = endurance_cycles


class WrongImage(DeviceError):
    """The upload was reported as done, but another image answers."""

    when_it_lasts = Outcome.FATAL


class WrongOutput(DeviceError):
    """The device's output differs from the truth by more than the stated tolerance."""

    outcome = Outcome.FATAL


class UnstableOutput(WrongOutput):
    """The same input gave different outputs: something overwrites memory, or the supply sags."""

    outcome = Outcome.TRANSIENT


class EmulationError(DeviceError):
    """The firmware touched something that the emulator does not model.

    Args:
        address: the address that was touched.
        pc: the program counter at that moment.
    """

    outcome = Outcome.FATAL

    def __init__(self, message: str, *, device: str, address: int, pc: int) -> None:
        super().__init__(f"{message} (address 0x{address:08x}, pc 0x{pc:08x})", device=device)
        self.address = address
        self.pc = pc


class MeterError(DeviceError):
    """The fault lies in the energy meter or its wires."""

    outcome = Outcome.FATAL


class MissingTrigger(MeterError):
    """The meter did not see the pulse that frames the inferences.

    Args:
        wire: which pins its wire connects, e.g. "P0.03 (A0) of the board to D0 of the PPK2".
    """

    def __init__(self, message: str, *, device: str, wire: str) -> None:
        super().__init__(
            message, device=device, remedy=f"check the trigger's wire: {wire}; and common ground"
        )
        self.wire = wire


class LostSamples(MeterError):
    """The meter lost more samples than can be made up for."""

    outcome = Outcome.TRANSIENT
