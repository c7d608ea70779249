"""What a board's faults come to on the host (docs/faults.md): each is met as planned, or told with its cause.

The board is virtual: the emulator behind a port in its own process, flashed by PlatformIO and followed by its
serial number, through the very code of a board on USB.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil import toolchain
from hil.bench import BenchSettings, bench
from hil.board import load_board
from hil.codegen import generate
from hil.devices.hardware import SerialDevice
from hil.errors import (
    DeviceError,
    DeviceFault,
    DeviceTimeout,
    FlashFailed,
    Outcome,
    PortMissing,
    WrongImage,
)
from hil.graph import read
from hil.image import Image
from hil.interpreter import truth
from hil.measurement import Measurement
from hil.testing.virtual_board.client import VirtualBoard
from hil.testing.virtual_board.kinds import ON_THE_LINE, Kind, Operation
from hil.testing.virtual_board.plan import FaultPlan
from tests.hil.small_models import small_cnn

pytestmark = [
    pytest.mark.skipif(not toolchain.available(), reason="no ARM toolchain is installed (`hilnas doctor`)"),
    pytest.mark.xdist_group("faults"),
]

STALL_S, FLASH_TIMEOUT_S = 4.5, 4.0


class Desk:
    """A virtual board, and two images for it whose figures without faults are known."""

    def __init__(self, virtual: VirtualBoard) -> None:
        self.virtual = virtual
        self.device = self.opened()
        self.images = [self.device.build(generate(read(small_cnn(seed)))) for seed in (1, 2)]
        self._next = 0
        self._cycles: dict[str, int] = {}
        for _ in self.images:
            image, found = self._measured(FaultPlan(), 0, self.device)
            self._cycles[image.digest] = found.cycles

    def opened(self, **options: float) -> SerialDevice:
        """The virtual board, once more."""
        return self.virtual.device(**{"hello_timeout_s": 0.5, "return_wait_s": 5.0, **options})

    def measure(self, plan: FaultPlan, *, retries: int = 2, device: SerialDevice | None = None) -> None:
        """Measure the image that is not on the board, under `plan`; the figures have to be right."""
        image, found = self._measured(plan, retries, device or self.device)
        assert found.cycles == self._cycles[image.digest]
        assert found.check.passed

    def attempts(self, operation: Operation) -> int:
        return self.virtual.tally().operations[operation]

    def _measured(self, plan: FaultPlan, retries: int, device: SerialDevice) -> tuple[Image, Measurement]:
        image = self.images[self._next]
        self.virtual.plan(plan)
        settings = BenchSettings(flash_timeout_s=FLASH_TIMEOUT_S, retries=retries)
        found = bench(image, device, settings, truth(image.program.graph), reply_timeout_s=0.25)
        self._next = 1 - self._next
        return image, found


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with VirtualBoard(load_board("nrf52840_dk")) as virtual:
        desk = Desk(virtual)
        yield desk
        desk.device.close()


SESSION = {Operation.FLASH: 1, Operation.WRITE: 4, Operation.RUN: 4}


def test_without_faults_nothing_is_done_twice(desk: Desk) -> None:
    desk.measure(FaultPlan())
    tally = desk.virtual.tally()
    assert {operation: tally.operations[operation] for operation in SESSION} == SESSION
    assert (tally.injected, tally.recoveries) == (0, 0)


@pytest.mark.parametrize("kind", sorted(ON_THE_LINE, key=lambda kind: kind.name))
def test_trouble_on_the_line_costs_neither_flash_nor_figure(desk: Desk, kind: Kind) -> None:
    desk.measure(FaultPlan(seed=3, rate=0.25, kinds=(kind,), limit=3, delay_s=(0.05, 0.5)))
    tally = desk.virtual.tally()
    assert tally.faults[kind] == 3
    assert tally.recoveries == tally.injected
    assert tally.operations[Operation.FLASH] == 1


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.BROWN_OUT], ids=lambda kind: kind.name)
def test_restart_during_an_inference_costs_a_second_one(desk: Desk, kind: Kind) -> None:
    desk.measure(FaultPlan.every(kind, limit=1))
    tally = desk.virtual.tally()
    assert {operation: tally.operations[operation] for operation in SESSION} == {
        Operation.FLASH: 1,
        Operation.WRITE: 5,
        Operation.RUN: 5,
    }
    assert tally.recoveries == 1


def test_hard_fault_costs_a_second_session(desk: Desk) -> None:
    desk.measure(FaultPlan.every(Kind.HARD_FAULT, limit=1))
    assert desk.attempts(Operation.RUN) == 5
    assert desk.virtual.tally().recoveries == 1


def test_board_that_hangs_is_flashed_again(desk: Desk) -> None:
    desk.measure(FaultPlan.every(Kind.HANG, limit=1))
    assert desk.attempts(Operation.FLASH) == 2
    assert desk.attempts(Operation.RUN) == 5


def test_port_that_returns_under_a_new_name_is_followed(desk: Desk) -> None:
    before = [port.port for port in desk.device.listing()]
    desk.measure(FaultPlan.every(Kind.PORT_VANISHES, limit=1, away_s=(0.3, 0.6)))
    assert [port.port for port in desk.device.listing()] != before
    assert desk.virtual.tally().recoveries == 1


@pytest.mark.parametrize(
    "kind", [Kind.FLASH_FAILS, Kind.OLD_IMAGE, Kind.OLD_FIRMWARE], ids=lambda kind: kind.name
)
def test_flash_that_did_not_take_is_repeated(desk: Desk, kind: Kind) -> None:
    desk.measure(FaultPlan.every(kind, limit=1))
    assert desk.attempts(Operation.FLASH) == 2
    assert desk.virtual.tally().recoveries == 1


@pytest.mark.slow
def test_flash_that_stalls_is_ended_at_its_deadline_and_repeated(desk: Desk) -> None:
    plan = FaultPlan.every(Kind.FLASH_STALLS, limit=1, stall_s=STALL_S)
    desk.measure(plan)
    assert desk.attempts(Operation.FLASH) == 2


@pytest.mark.parametrize(
    ("kind", "error", "text", "lasting", "attempts"),
    [
        (Kind.FLASH_FAILS, FlashFailed, "verification failed", Outcome.FATAL, {Operation.FLASH: 2}),
        (Kind.OLD_IMAGE, WrongImage, "answers, flashed was", Outcome.FATAL, {Operation.FLASH: 2}),
        (Kind.OLD_FIRMWARE, WrongImage, "another protocol version", Outcome.FATAL, {Operation.FLASH: 2}),
        (Kind.HARD_FAULT, DeviceFault, "pc 0xe0000000", Outcome.INFEASIBLE, {Operation.RUN: 2}),
        (Kind.HANG, DeviceTimeout, "it hangs", Outcome.INFEASIBLE, {Operation.RUN: 1}),
        # Within a session: once, and three times again.
        (Kind.BROWN_OUT, DeviceTimeout, "to RUN|RUN stayed", Outcome.INFEASIBLE, {Operation.RUN: 4}),
    ],
    ids=lambda value: value.name if isinstance(value, Kind) else "",
)
def test_fault_that_stays_ends_with_its_cause_after_the_retries(
    desk: Desk,
    kind: Kind,
    error: type[DeviceError],
    text: str,
    lasting: Outcome,
    attempts: dict[Operation, int],
) -> None:
    if kind is Kind.OLD_IMAGE:
        desk.measure(FaultPlan())
    retries = 0 if kind in (Kind.BROWN_OUT, Kind.HANG) else 1
    with pytest.raises(error, match=text) as caught:
        desk.measure(FaultPlan.every(kind), retries=retries)
    assert caught.value.outcome is Outcome.TRANSIENT
    assert caught.value.when_it_lasts is lasting
    for operation, count in attempts.items():
        assert desk.attempts(operation) == count


def test_board_that_stays_away_is_missed_after_a_while_and_found_when_it_is_back(
    desk: Desk, tmp_path: Path
) -> None:
    image = desk.images[0]
    with VirtualBoard(desk.virtual.board, tmp_path) as virtual:
        virtual.plan(FaultPlan.every(Kind.PORT_VANISHES, limit=1, away_s=(3600.0, 3600.0)))
        device = virtual.device(return_wait_s=0.3, hello_timeout_s=0.3)
        with pytest.raises(PortMissing, match="any more") as caught:
            bench(image, device, BenchSettings(), truth(image.program.graph))
        assert caught.value.outcome is Outcome.FATAL
    with VirtualBoard(desk.virtual.board, tmp_path):
        assert bench(image, device, BenchSettings(), truth(image.program.graph)).check.passed
        device.close()
