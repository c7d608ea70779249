"""Boards: passive facts about one kind of board, read from `boards/*.toml`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from hil.errors import UnknownBoard
from hil.units import frequency


class _Fact:
    """Base of the tables of a profile: the reader refuses unknown keys, because they are typos."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Core(_Fact):
    """The processor.  `architecture` names a timing table of the emulator, e.g. "cortex-m4"."""

    architecture: str
    clock_hz: int
    fpu: bool
    dsp: bool


@dataclass(frozen=True)
class Flash(_Fact):
    """Program memory.

    Attributes:
        base: first address.
        size_bytes: bytes that an image may fill, bootloader excluded.
        wait_states: extra cycles per line fetched, for data and for uncached instructions.
        line_bytes: bytes that one fetch brings.
        endurance_cycles: erase cycles that the maker rates a page for.
    """

    base: int
    size_bytes: int
    wait_states: int
    line_bytes: int
    endurance_cycles: int


@dataclass(frozen=True)
class Ram(_Fact):
    """Data memory.  `size_bytes` is what an image may use."""

    base: int
    size_bytes: int


@dataclass(frozen=True)
class Cache(_Fact):
    """Cache between core and flash.

    Attributes:
        ways: lines of one set; as many as there are lines where any line holds any address.
        enabled: whether the firmware switches it on.
        unified: whether reads of data go through it, too (an instruction cache's fact).
    """

    size_bytes: int
    line_bytes: int
    ways: int
    enabled: bool
    unified: bool = False


@dataclass(frozen=True)
class Power(_Fact):
    """For estimates of energy: supply voltage, and current while the core runs from flash.

    `idle_current_a`: of the same supply while the core sleeps or waits; None where it is not known.
    """

    voltage_v: float
    active_current_a: float
    idle_current_a: float | None = None


@dataclass(frozen=True)
class Clock(_Fact):
    """A clock that the core can run at.

    Attributes:
        wait_states: of flash at this clock.
        active_current_a: of the same supply as in `Power`; None where no source tells it.
    """

    hz: int
    wait_states: int
    active_current_a: float | None = None

    @property
    def name(self) -> str:
        """As people write it behind a board's id, e.g. "84MHz"."""
        return frequency(self.hz)


@dataclass(frozen=True)
class Serial(_Fact):
    """The way to the firmware.

    Attributes:
        usb_ids: "vid:pid" in hex of the port that it appears as.
        touch_1200: whether opening the port at 1200 baud and closing it starts the bootloader.
        bootloader_usb_ids: "vid:pid" of the port that it appears as while its bootloader waits.
    """

    baud: int
    usb_ids: tuple[str, ...]
    touch_1200: bool = False
    bootloader_usb_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Build(_Fact):
    """How PlatformIO builds for it: environment in firmware/platformio.ini, and the toolchain's prefix.

    `power_sensor`: whether the firmware can read an INA219 or INA226 on the board's I2C bus (docs/energy.md);
    switched on where such a meter is asked for.
    """

    environment: str
    toolchain: str
    stack_bytes: int
    power_sensor: bool = False


@dataclass(frozen=True)
class OperatorCost(_Fact):
    """Analytic simulator: cycles = fixed + per_mac * MACs + per_output * output elements.

    For pools and MEAN, which have no MACs, `per_mac` is per value taken in (hil.macs.operator_work).
    """

    fixed: float
    per_mac: float
    per_output: float


@dataclass(frozen=True)
class Simulator(_Fact):
    """Coefficients of the analytic simulator, fitted to the emulator or a board.

    Attributes:
        operators: cost by the name of a kernel variant ("conv2d_s8/1x1_dsp"), or of a TFLite operator, which
            serves its other variants; "DEFAULT" serves the rest.
        code_bytes, static_bytes, stack_bytes: of a firmware without model, for estimates.
    """

    operators: Mapping[str, OperatorCost]
    code_bytes: int
    static_bytes: int
    stack_bytes: int


@dataclass(frozen=True)
class Board(_Fact):
    """All facts about one kind of board.

    Attributes:
        id: name of the file, e.g. "nrf52840_dk".
        name: as the maker writes it.
        chip: what the emulator looks up, e.g. "nrf52840".
        sources: dotted key ("flash.wait_states") or table ("flash") -> where the number stands.
        digest: SHA-256 (hex) of the profile's text, and of the clock where that is not the profile's own.
        clocks: others that the core can run at, and the firmware set up; `at_clock` takes one.
        own_clock: the profile's, where this board runs at another.
    """

    id: str
    name: str
    chip: str
    core: Core
    flash: Flash
    ram: Ram
    serial: Serial
    build: Build
    simulator: Simulator
    sources: Mapping[str, str]
    digest: str
    instruction_cache: Cache | None = None
    data_cache: Cache | None = None
    power: Power | None = None
    clocks: tuple[Clock, ...] = ()
    own_clock: Clock | None = None

    @property
    def label(self) -> str:
        """Id, and clock where it is not the profile's own: what `load_board` reads back."""
        return self.id if self.own_clock is None else f"{self.id}@{frequency(self.core.clock_hz)}"

    @property
    def clocks_hz(self) -> tuple[int, ...]:
        """All clocks that it can run at, fastest first."""
        return tuple(sorted({self.core.clock_hz, *(clock.hz for clock in self.clocks)}, reverse=True))

    def at_clock(self, hz: int) -> Board:
        """This board with its core at `hz`, which offers no other clock then.

        Its wait states are those of that clock.  Where no source tells the current there, it has no
        `power`, and energy is not estimated: current is not proportional to the clock.

        Raises:
            UnknownBoard: the profile has no such clock.
        """
        if hz == self.core.clock_hz:
            return self
        clock = next((clock for clock in self.clocks if clock.hz == hz), None)
        if clock is None:
            offered = ", ".join(frequency(known) for known in self.clocks_hz)
            raise UnknownBoard(
                f"board '{self.id}' has no clock of {frequency(hz)}",
                remedy=f"it has {offered}; another one is a [[clocks]] of its profile (boards/README.md)",
            )
        power, current_a = None, clock.active_current_a
        if self.power is not None and current_a is not None:
            power = replace(self.power, active_current_a=current_a, idle_current_a=None)
        own = Clock(
            self.core.clock_hz,
            self.flash.wait_states,
            None if self.power is None else self.power.active_current_a,
        )
        return replace(
            self,
            core=replace(self.core, clock_hz=hz),
            flash=replace(self.flash, wait_states=clock.wait_states),
            power=power,
            digest=hashlib.sha256(f"{self.digest} at {hz} Hz".encode()).hexdigest(),
            clocks=(),
            own_clock=own,
        )
