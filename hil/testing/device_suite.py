"""What every device has to do: a suite of tests to inherit from.

    class TestMyDevice(DeviceSuite):
        @pytest.fixture
        def device_of(self):
            return lambda board: MyDevice("mine:" + board.id, board)

        @pytest.fixture
        def board(self): return load_board("my_board")

        @pytest.fixture
        def model(self): return Path("a.tflite").read_bytes()

        @pytest.fixture
        def other_model(self): return Path("b.tflite").read_bytes()

Only pytest is needed beside hil.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from hil.bench import BenchSettings, bench, input_bytes
from hil.board import Board
from hil.codegen import generate
from hil.device import Device, Transport
from hil.errors import DeviceRefused, DoesNotFit, WrongImage
from hil.graph import read
from hil.image import Image
from hil.interpreter import truth
from hil.link import Link
from hil.measurement import Provenance
from hil.program import Program
from hil.protocol import ErrorCode

FLASH_TIMEOUT_S = 60.0
# Reading the counter around each operator costs cycles that the total does not have.
CYCLES_AROUND_AN_OPERATOR = 200


@dataclass
class FlashesAnother:
    """A device on which a flash is reported as done, but another image runs."""

    device: Device
    image: Image

    @property
    def name(self) -> str:
        return self.device.name

    @property
    def board(self) -> Board:
        return self.device.board

    @property
    def provenance(self) -> Provenance:
        return self.device.provenance

    def build(self, program: Program) -> Image:
        return self.device.build(program)

    def flash(self, image: Image, *, timeout_s: float) -> None:
        self.device.flash(self.image, timeout_s=timeout_s)

    def connect(self) -> Transport:
        return self.device.connect()

    def instructions(self) -> int | None:
        return self.device.instructions()

    def close(self) -> None:
        self.device.close()


class DeviceSuite:
    """Inherit, and override the four fixtures that raise."""

    @pytest.fixture
    def device_of(self) -> Callable[[Board], Device]:
        """Makes the device under test for a board; for changed boards too, which are only built for."""
        raise NotImplementedError("override the fixture device_of")

    @pytest.fixture
    def board(self) -> Board:
        """The board under test."""
        raise NotImplementedError("override the fixture board")

    @pytest.fixture
    def model(self) -> bytes:
        """An int8 .tflite model that fits the board."""
        raise NotImplementedError("override the fixture model")

    @pytest.fixture
    def other_model(self) -> bytes:
        """Another one."""
        raise NotImplementedError("override the fixture other_model")

    @pytest.fixture
    def device(self, device_of: Callable[[Board], Device], board: Board) -> Iterator[Device]:
        device = device_of(board)
        yield device
        device.close()

    @pytest.fixture
    def program(self, model: bytes) -> Program:
        return generate(read(model))

    @pytest.fixture
    def image(self, device: Device, program: Program) -> Image:
        return device.build(program)

    def test_says_what_it_is(self, device: Device, board: Board) -> None:
        assert device.board == board
        assert isinstance(device.provenance, Provenance)
        assert device.name

    def test_image_tells_its_sizes(self, image: Image, program: Program, board: Board) -> None:
        assert image.program is program
        assert image.board_id == board.id
        assert image.arena_bytes >= program.plan.arena_bytes
        assert image.code_bytes > 0
        assert image.weight_bytes > 0
        assert image.stack_reserved_bytes == board.build.stack_bytes
        assert len(bytes.fromhex(image.digest)) == 32

    def test_same_program_gives_the_same_image(self, device: Device, model: bytes, image: Image) -> None:
        assert device.build(generate(read(model))).digest == image.digest

    def test_another_program_gives_another_image(
        self, device: Device, other_model: bytes, image: Image
    ) -> None:
        assert device.build(generate(read(other_model))).digest != image.digest

    def test_measures(self, device: Device, image: Image, program: Program) -> None:
        measured = bench(image, device, BenchSettings(), truth(program.graph))
        assert measured.check.passed
        assert measured.check.elements == program.graph.output_tensor.elements
        assert measured.cycles > 0
        assert measured.latency_us == pytest.approx(measured.cycles / measured.origin.clock_hz * 1e6)
        assert measured.latency_min_us <= measured.latency_us <= measured.latency_max_us
        assert measured.runs >= 3
        assert 0 < measured.stack_bytes <= image.stack_reserved_bytes
        assert measured.arena_bytes == image.arena_bytes
        assert measured.layers == ()
        assert measured.origin.image_digest == image.digest
        assert measured.origin.model_digest == program.digest
        assert {"build", "flash", "connect", "run", "check"} <= set(measured.stages_s)

    def test_profile_sums_up_to_the_total(self, device: Device, image: Image, program: Program) -> None:
        measured = bench(image, device, BenchSettings(per_layer=True), truth(program.graph))
        assert len(measured.layers) == len(program.graph.operators)
        total = sum(layer.cycles for layer in measured.layers)
        slack = 0.02 * measured.cycles + CYCLES_AROUND_AN_OPERATOR * len(measured.layers)
        assert math.isclose(total, measured.cycles, rel_tol=0, abs_tol=slack)
        assert sum(layer.macs for layer in measured.layers) == measured.macs

    def test_computes_what_it_is_given(self, device: Device, image: Image, program: Program) -> None:
        device.flash(image, timeout_s=FLASH_TIMEOUT_S)
        reference = truth(program.graph)
        transport = device.connect()
        try:
            link = Link(transport, device.name)
            info = link.hello()
            for data in (input_bytes(info.input_bytes), bytes(info.input_bytes)):
                link.write_input(data)
                link.run()
                found, expected = link.read_output(info.output_bytes), reference.run(data)
                differences = [
                    abs(a - b)
                    for a, b in zip(memoryview(found).cast("b"), memoryview(expected).cast("b"), strict=True)
                ]
                assert max(differences) <= reference.tolerance
        finally:
            transport.close()

    def test_window_runs_the_same_inference_again_and_again(
        self, device: Device, image: Image, program: Program
    ) -> None:
        device.flash(image, timeout_s=FLASH_TIMEOUT_S)
        transport = device.connect()
        try:
            link = Link(transport, device.name)
            info = link.hello()
            data = input_bytes(info.input_bytes)
            for _ in range(2):  # the first fills caches
                link.write_input(data)
                one = link.run().cycles
            output = link.read_output(info.output_bytes)
            link.write_input(data)
            window = link.run_window(5, expected_s=5 * one / info.clock_hz, timeout_s=60.0)
            assert window.inferences == 5
            assert math.isclose(window.cycles, 5 * one, rel_tol=0.02)
            assert window.cycles <= window.window_cycles
            if window.input_restored:
                assert link.read_output(info.output_bytes) == output
            with pytest.raises(DeviceRefused):  # the input is used up
                link.run_window(5, expected_s=0.0, timeout_s=60.0)
        finally:
            transport.close()

    def test_can_be_connected_to_again(self, device: Device, image: Image) -> None:
        device.flash(image, timeout_s=FLASH_TIMEOUT_S)
        for _ in range(3):
            transport = device.connect()
            info = Link(transport, device.name).hello()
            transport.close()
            transport.close()
            assert info.model_digest == image.program.digest
            assert info.board == device.board.id

    def test_flash_replaces_the_image(self, device: Device, image: Image, other_model: bytes) -> None:
        other = device.build(generate(read(other_model)))
        for flashed in (image, other, image):
            device.flash(flashed, timeout_s=FLASH_TIMEOUT_S)
            transport = device.connect()
            info = Link(transport, device.name).hello()
            transport.close()
            assert info.model_digest == flashed.program.digest

    def test_image_that_was_not_flashed_is_told(
        self, device: Device, image: Image, other_model: bytes, program: Program
    ) -> None:
        another = FlashesAnother(device, device.build(generate(read(other_model))))
        with pytest.raises(WrongImage):
            bench(image, another, BenchSettings(retries=0), truth(program.graph))

    def test_run_without_input_is_refused(self, device: Device, image: Image) -> None:
        device.flash(image, timeout_s=FLASH_TIMEOUT_S)
        transport = device.connect()
        try:
            link = Link(transport, device.name)
            link.hello()
            with pytest.raises(DeviceRefused) as caught:
                link.run()
            assert caught.value.code == ErrorCode.NO_INPUT
        finally:
            transport.close()

    def test_survives_garbage_on_the_line(self, device: Device, image: Image) -> None:
        device.flash(image, timeout_s=FLASH_TIMEOUT_S)
        transport = device.connect()
        try:
            transport.write(b"\x00HL\xffgarbage H HL")
            assert Link(transport, device.name).hello().model_digest == image.program.digest
        finally:
            transport.close()

    def test_too_large_for_ram_is_told(
        self, device_of: Callable[[Board], Device], board: Board, program: Program
    ) -> None:
        room = board.build.stack_bytes + program.plan.arena_bytes - 1
        self._refuses(device_of(replace(board, ram=replace(board.ram, size_bytes=room))), program, "ram")

    def test_too_large_for_flash_is_told(
        self, device_of: Callable[[Board], Device], board: Board, program: Program
    ) -> None:
        room = program.weight_bytes - 1
        small = replace(board, flash=replace(board.flash, size_bytes=room))
        self._refuses(device_of(small), program, "flash")

    def _refuses(self, device: Device, program: Program, resource: str) -> None:
        try:
            with pytest.raises(DoesNotFit) as caught:
                device.build(program)
        finally:
            device.close()
        assert caught.value.resource == resource
        assert caught.value.needed_bytes > caught.value.available_bytes
        assert sum(caught.value.parts.values()) == caught.value.needed_bytes

    def test_closing_twice_is_harmless(self, device: Device, image: Image) -> None:
        device.flash(image, timeout_s=FLASH_TIMEOUT_S)
        device.close()
        device.close()
