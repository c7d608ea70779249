"""The bench: what it measures, how often, and what it does when the device misbehaves.

The device here is a fake that behaves: the real frames and the real link, behind it a firmware whose cycles,
outputs and faults are scripted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from hil.bench import BenchSettings, bench, input_bytes
from hil.board import Board, load_board
from hil.codegen import generate
from hil.devices.endpoint import Endpoint, EndpointTransport, Inference
from hil.errors import (
    DeviceError,
    DeviceTimeout,
    FlashFailed,
    PortBusy,
    UnstableOutput,
    WrongImage,
    WrongOutput,
)
from hil.graph import read
from hil.image import Image
from hil.measurement import Provenance
from hil.protocol import PROTOCOL_VERSION, Info
from tests.support.tflite_builder import Builder

BOARD = load_board("nrf52840_dk")


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(1)
    b = Builder()
    x = b.input((1, 6, 6, 2), scale=0.1, zero_point=3)
    y = b.conv2d(
        x,
        rng.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8),
        rng.integers(-500, 500, 4).astype(np.int32),
        weight_scales=[0.02] * 4,
        out_scale=0.05,
        out_zero_point=-7,
    )
    program = generate(read(b.finish(y)))
    return Image(
        program=program,
        board_id=BOARD.id,
        digest="cd" * 32,
        elf=None,
        code_bytes=9000,
        weight_bytes=program.weight_bytes,
        static_bytes=700,
        arena_bytes=program.plan.arena_bytes,
        stack_reserved_bytes=4096,
        build_digest=b"A BUILD.",
        tools={"compiler": "1"},
        build_s=1.5,
    )


class Reversed:
    """Reference and firmware agree that the model turns its input round, at the output's size."""

    name = "reversed 1.0"
    exact = True
    tolerance = 0

    def __init__(self, size: int) -> None:
        self.size = size

    def run(self, data: bytes) -> bytes:
        return (data[::-1] * 4)[: self.size]


@dataclass
class Script:
    """What the fake does.

    Attributes:
        cycles: of the k-th inference since the flash; the last one goes on.
        output: changes the output of the k-th inference.
        flash_faults, connect_faults: raised by the first calls, one each.
        lost_frames: answers that never arrive, over the whole life of the device.
    """

    cycles: list[int] = field(default_factory=lambda: [64_000])
    output: Callable[[int, bytes], bytes] = lambda k, data: data
    info: dict[str, object] = field(default_factory=dict)
    flash_faults: list[Exception] = field(default_factory=list)
    connect_faults: list[Exception] = field(default_factory=list)
    lost_frames: int = 0


class FakeDevice:
    provenance = Provenance.HARDWARE
    name = "fake:board"

    def __init__(self, script: Script, board: Board = BOARD) -> None:
        self.script = script
        self.board = board
        self.image: Image | None = None
        self.flashes = 0
        self.inferences = 0
        self.open_transports = 0

    def flash(self, image: Image, *, timeout_s: float) -> None:
        self.flashes += 1
        if self.script.flash_faults:
            raise self.script.flash_faults.pop(0)
        self.image = image
        self.inferences = 0

    def connect(self):
        if self.script.connect_faults:
            raise self.script.connect_faults.pop(0)
        self.open_transports += 1
        return LossyTransport(self)

    def instructions(self) -> int | None:
        return 4321

    @property
    def info(self) -> Info:
        graph = self.image.program.graph
        return replace(
            Info(
                protocol=PROTOCOL_VERSION,
                instruction_cache=False,
                max_payload=64,
                clock_hz=32_000_000,
                arena_bytes=self.image.arena_bytes,
                input_bytes=graph.input_tensor.size_bytes,
                output_bytes=graph.output_tensor.size_bytes,
                stack_size=4096,
                operator_count=len(graph.operators),
                model_digest=self.image.program.digest,
                build_digest=self.image.build_digest,
                unit_id=b"REALUNIT",
                firmware_version="1.2",
                board=self.board.id,
            ),
            **self.script.info,
        )

    def infer(self, data: bytes) -> Inference:
        k = self.inferences
        self.inferences += 1
        cycles = self.script.cycles[min(k, len(self.script.cycles) - 1)]
        output = self.script.output(k, Reversed(self.info.output_bytes).run(data))
        count = self.info.operator_count
        return Inference(output, (cycles - (count - 1), *[1] * (count - 1)), 512 + k)


class LossyTransport(EndpointTransport):
    def __init__(self, device: FakeDevice) -> None:
        super().__init__(Endpoint(device))
        self._device = device
        self._open = True

    def read(self, timeout_s: float) -> bytes:
        data = super().read(min(timeout_s, 0.01))
        if data and self._device.script.lost_frames:
            self._device.script.lost_frames -= 1
            return b""
        return data

    def close(self) -> None:
        super().close()
        if self._open:
            self._open = False
            self._device.open_transports -= 1


def run(image, settings=None, reference=None, board=BOARD, **script):
    device = FakeDevice(Script(**script), board)
    reference = reference or Reversed(image.program.graph.output_tensor.size_bytes)
    try:
        return bench(image, device, settings or BenchSettings(), reference), device
    finally:
        assert device.open_transports == 0


def test_measurement_says_all_that_is_known(image):
    measured, device = run(image)
    assert device.flashes == 1
    assert measured.cycles == 64_000
    assert measured.latency_us == 2000.0
    assert (measured.latency_min_us, measured.latency_max_us) == (2000.0, 2000.0)
    assert measured.runs == 3
    assert measured.instructions == 4321
    assert measured.macs == 6 * 6 * 4 * 3 * 3 * 2
    assert (measured.code_bytes, measured.static_bytes) == (9000, 700)
    assert measured.ram_bytes == image.arena_bytes + 700 + measured.stack_bytes
    assert measured.stages_s["build"] == 1.5
    assert measured.check.passed
    assert measured.check.exact
    assert measured.check.reference == "reversed 1.0"
    origin = measured.origin
    assert origin.provenance is Provenance.HARDWARE
    assert (origin.device, origin.board_id, origin.clock_hz) == ("fake:board", BOARD.id, 32_000_000)
    assert origin.instruction_cache is False
    assert origin.firmware_version == "1.2"
    assert origin.model_digest == image.program.digest
    assert origin.image_digest == image.digest
    assert origin.profile_digest == BOARD.digest
    assert origin.tools == {"compiler": "1"}
    assert origin.settings["min_runs"] == 3.0
    assert origin.measured_at.endswith("+00:00")


def test_stack_is_the_deepest_of_all_runs(image):
    measured, device = run(image)
    assert measured.stack_bytes == 512 + device.inferences - 1


def test_energy_is_power_times_latency_and_says_so(image):
    measured, _ = run(image)
    assert measured.energy_uj == pytest.approx(BOARD.power.voltage_v * BOARD.power.active_current_a * 2000.0)
    assert measured.energy_provenance is Provenance.ESTIMATED


def test_no_power_in_the_profile_no_energy(image):
    measured, _ = run(image, board=replace(BOARD, power=None))
    assert measured.energy_uj is None
    assert measured.energy_provenance is None


def test_warmup_is_not_counted(image):
    measured, _ = run(image, cycles=[1_000_000, 64_000])
    assert (measured.cycles, measured.runs) == (64_000, 3)


def test_repeats_until_the_spread_is_small(image):
    noisy = [64_000, 64_000, 64_310, 64_100]  # the first is the warm-up
    measured, _ = run(image, cycles=noisy)
    assert measured.runs == 3
    measured, _ = run(image, BenchSettings(max_runs=7), cycles=[64_000, 64_000, 65_000, 64_100])
    assert measured.runs == 7
    assert measured.latency_max_us - measured.latency_min_us == pytest.approx(1000 / 32)


def test_latency_is_the_median(image):
    measured, _ = run(
        image, BenchSettings(warmup_runs=0, max_runs=5), cycles=[10_000, 50_000, 20_000, 90_000, 30_000]
    )
    assert measured.cycles == 30_000


def test_time_bounds_the_repeats(image):
    measured, _ = run(
        image, BenchSettings(max_run_s=0.0, max_runs=1000), cycles=list(range(10_000, 20_000, 100))
    )
    assert measured.runs == 3


def test_layers_only_when_asked_for(image):
    measured, _ = run(image)
    assert measured.layers == ()
    measured, _ = run(image, BenchSettings(per_layer=True))
    (layer,) = measured.layers
    assert (layer.operator, layer.cycles, layer.latency_us) == ("CONV_2D", 64_000, 2000.0)
    assert layer.macs == measured.macs
    assert layer.output_shape == (1, 6, 6, 4)
    assert layer.live_bytes == image.program.plan.live_bytes[0]
    assert layer.weight_bytes == 4 * 3 * 3 * 2 + 4 * 4
    assert layer.variant == image.program.variants[0]


def test_emulated_board_behind_a_port_is_not_taken_for_hardware(image):
    measured, _ = run(image, info={"unit_id": b"EMULATED"})
    assert measured.origin.provenance is Provenance.EMULATED


def test_other_model_that_answers_is_told(image):
    with pytest.raises(WrongImage, match="fake:board"):
        run(image, BenchSettings(retries=0), info={"model_digest": "ee" * 32})


def test_firmware_of_another_board_is_told(image):
    with pytest.raises(WrongImage, match="nano33ble"):
        run(image, BenchSettings(retries=0), info={"board": "nano33ble"})


def off_by(step):
    def change(k, data):
        first = (data[0] + step) % 256
        return bytes([first]) + data[1:]

    return change


def test_output_beyond_the_tolerance_is_told(image):
    with pytest.raises(WrongOutput) as caught:
        run(image, output=off_by(1))
    assert "1 of 144 output values" in caught.value.message
    assert "reversed 1.0" in caught.value.message


def test_output_within_the_tolerance_says_how_far(image):
    reference = Reversed(image.program.graph.output_tensor.size_bytes)
    reference.exact, reference.tolerance = False, 1
    measured, _ = run(image, reference=reference, output=off_by(1))
    assert measured.check.passed
    assert not measured.check.exact
    assert measured.check.max_difference == 1


def test_differences_do_not_wrap_around(image):
    reference = Reversed(image.program.graph.output_tensor.size_bytes)
    reference.exact, reference.tolerance = False, 1
    with pytest.raises(WrongOutput):
        run(image, reference=reference, output=lambda k, data: bytes((b + 128) % 256 for b in data))


def test_output_that_changes_from_run_to_run_is_told(image):
    with pytest.raises(UnstableOutput, match="same input") as caught:
        run(image, output=lambda k, data: data if k != 2 else bytes(len(data)))
    assert any("3 attempts" in note for note in caught.value.__notes__)


def test_failed_flash_is_tried_again(image):
    fault = FlashFailed("no", device="fake:board")
    measured, device = run(image, flash_faults=[fault, fault])
    assert device.flashes == 3
    assert measured.cycles == 64_000


def test_lost_answers_are_survived(image):
    measured, _ = run(image, lost_frames=1)
    assert measured.cycles == 64_000


def test_retries_have_an_end(image):
    faults = [DeviceTimeout("no", device="fake:board") for _ in range(10)]
    with pytest.raises(DeviceTimeout) as caught:
        run(image, connect_faults=faults)
    assert len(faults) == 7
    assert any("3 attempts" in note for note in caught.value.__notes__)


def test_fault_that_lasts_is_not_tried_again(image):
    faults = [PortBusy("no", device="fake:board") for _ in range(3)]
    with pytest.raises(PortBusy):
        run(image, connect_faults=faults)
    assert len(faults) == 2


def test_foreign_error_frees_the_port(image):
    def bug(k, data):
        raise RuntimeError("a bug")

    with pytest.raises((RuntimeError, DeviceError)):
        run(image, BenchSettings(retries=0), output=bug)


def test_input_is_the_documented_one():
    data = np.frombuffer(input_bytes(600), np.int8)
    assert [int(v) for v in data[:3]] == [41 - 128, 114 - 128, 187 - 128]
    assert all(int(data[k]) == (73 * k + 41) % 256 - 128 for k in range(600))


@pytest.mark.parametrize(
    "wrong", [{"min_runs": 0}, {"min_runs": 5, "max_runs": 4}, {"warmup_runs": -1}, {"retries": -1}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match="expected"):
        BenchSettings(**wrong)
