"""Portable kernels as a Cortex-M0+ runs them: bit-exact to TensorFlow Lite Micro, and every access aligned.

The core has no division, no long multiplication and no unaligned access.  The first two are routines of the
compiler's library; the third would be a hard fault, which the emulator does not take, so it is looked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unicorn import UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE

from hil.codegen import PORTABLE, generate
from hil.codegen.registry import VARIANTS
from hil.emulator.machine import Machine
from hil.graph import read
from tests.support import arm_models
from tests.support.arm_models import ArmRunner
from tests.support.firmware import needs_toolchain
from tests.support.network_cases import fixed_networks
from tests.support.operator_cases import fixed_cases
from tests.support.tflite_builder import truth

pytestmark = needs_toolchain


class Unaligned:
    """Addresses of accesses that are not a multiple of their size."""

    def __init__(self) -> None:
        self.found: set[int] = set()

    def open(self, board: Any, device: str) -> Machine:
        machine = Machine(board, device=device)
        machine._engine.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, self._look)
        return machine

    def _look(self, _engine: Any, _kind: int, address: int, size: int, _value: int, _user: Any) -> None:
        if address % size:
            self.found.add(address)


def test_each_portable_kernel_is_bit_exact_and_aligned(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many of the cases as reach every portable kernel."""
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    unaligned = Unaligned()
    monkeypatch.setattr(arm_models, "open_machine", unaligned.open)
    runner = ArmRunner(tmp_path, "pico")
    missing = {variant.name for variants in VARIANTS.values() for variant in variants}
    for case in (*fixed_cases(), *fixed_networks()):
        program = generate(read(case.model), PORTABLE)
        if missing.isdisjoint(program.variants):
            continue
        missing.difference_update(program.variants)
        (output,) = runner.run(program, case.data)
        np.testing.assert_array_equal(output, truth(case.model, case.data), err_msg=case.name)
        assert not unaligned.found, f"{case.name}: {[hex(a) for a in sorted(unaligned.found)][:4]}"
    assert not missing
