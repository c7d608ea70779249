"""Cores that are modelled: how Unicorn runs them, and how their time is charged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hil.emulator.cortex_m.dwt import Dwt
from hil.emulator.cortex_m.system_control import SystemControl
from hil.emulator.registers import Peripheral
from hil.emulator.surroundings import Surroundings
from hil.emulator.timing import cortex_m4
from hil.emulator.timing.types import Timing


@dataclass(frozen=True)
class CoreModel:
    """One kind of core.

    Attributes:
        unicorn_model: name of Unicorn's constant.
        cpuid: what the register of this name reads.
        timing: its table.
        make_counters: the peripherals that tell the firmware the time, which the core itself brings.
    """

    unicorn_model: str
    cpuid: int
    timing: Timing
    make_counters: Callable[[Surroundings, SystemControl], Sequence[Peripheral]]


def _dwt(around: Surroundings, system: SystemControl) -> Sequence[Peripheral]:
    return (Dwt(around, lambda: system.trace_enabled),)


CORES: Mapping[str, CoreModel] = {
    "cortex-m4": CoreModel("UC_CPU_ARM_CORTEX_M4", 0x410F_C241, cortex_m4.TIMING, _dwt),
}
