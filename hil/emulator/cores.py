"""Cores that are modelled: how Unicorn runs them, and how their time is charged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hil.board import Board
from hil.emulator.cortex_m.caches import CachedSystemControl
from hil.emulator.cortex_m.dwt import Dwt, LockedDwt
from hil.emulator.cortex_m.system_block import SystemBlock, SystemBlockV6
from hil.emulator.cortex_m.system_control import SystemControl
from hil.emulator.cortex_m.systick import SysTick
from hil.emulator.registers import Peripheral
from hil.emulator.surroundings import Surroundings
from hil.emulator.timing import cortex_m0plus, cortex_m4, cortex_m7, cortex_m33
from hil.emulator.timing.types import Timing


@dataclass(frozen=True)
class CoreModel:
    """One kind of core.

    Attributes:
        unicorn_model: name of Unicorn's constant.
        cpuid: what the register of this name reads.
        timing: its table.
        make_system: its system control block.
        make_counters: the peripherals that tell the firmware the time, which the core itself brings.
    """

    unicorn_model: str
    cpuid: int
    timing: Timing
    make_system: Callable[[Surroundings, int, int, Board], SystemBlock]
    make_counters: Callable[[Surroundings, SystemBlock], Sequence[Peripheral]]


def _dwt(around: Surroundings, system: SystemBlock) -> Sequence[Peripheral]:
    return (Dwt(around, lambda: system.trace_enabled),)


def _locked_dwt(around: Surroundings, system: SystemBlock) -> Sequence[Peripheral]:
    return (LockedDwt(around, lambda: system.trace_enabled),)


def _systick(around: Surroundings, _system: SystemBlock) -> Sequence[Peripheral]:
    return (SysTick(around),)


def _plain(around: Surroundings, cpuid: int, vectors: int, _board: Board) -> SystemBlock:
    return SystemControl(around, cpuid, vectors)


def _v6(around: Surroundings, cpuid: int, vectors: int, _board: Board) -> SystemBlock:
    return SystemBlockV6(around, cpuid, vectors)


CORES: Mapping[str, CoreModel] = {
    "cortex-m0plus": CoreModel("UC_CPU_ARM_CORTEX_M0", 0x410C_C601, cortex_m0plus.TIMING, _v6, _systick),
    "cortex-m4": CoreModel("UC_CPU_ARM_CORTEX_M4", 0x410F_C241, cortex_m4.TIMING, _plain, _dwt),
    "cortex-m7": CoreModel(
        "UC_CPU_ARM_CORTEX_M7", 0x410F_C271, cortex_m7.TIMING, CachedSystemControl, _locked_dwt
    ),
    "cortex-m33": CoreModel("UC_CPU_ARM_CORTEX_M33", 0x410F_D214, cortex_m33.TIMING, _plain, _dwt),
}
