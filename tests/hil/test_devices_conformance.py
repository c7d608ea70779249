"""The conformance suite on the devices that run real firmware: emulated, behind a port, virtual, and yours.

HILNAS_TEST_DEVICE=serial:/dev/ttyACM0 (and HILNAS_TEST_BOARD=ID where the USB id does not tell) runs it on
the board on your desk.
"""

import os

import pytest

from hil import toolchain
from hil.board import load_board
from hil.devices import open_device
from hil.devices.hardware import SerialDevice
from hil.measurement import Provenance
from hil.testing.device_suite import DeviceSuite
from hil.testing.virtual_board.kinds import ON_THE_LINE
from hil.testing.virtual_board.plan import FaultPlan
from tests.hil.small_models import small_cnn
from tests.support.avr import needs_avr_toolchain

needs_toolchain = pytest.mark.skipif(
    not toolchain.available(), reason="no ARM toolchain is installed (`hilnas doctor`)"
)
HARDWARE = os.environ.get("HILNAS_TEST_DEVICE", "")


class RealFirmware(DeviceSuite):
    @pytest.fixture
    def board(self):
        return load_board("nrf52840_dk")

    @pytest.fixture
    def model(self):
        return small_cnn()

    @pytest.fixture
    def other_model(self):
        return small_cnn(seed=2)


@needs_toolchain
class TestEmulated(RealFirmware):
    @pytest.fixture
    def device_of(self):
        from hil.devices.emulated import EmulatedDevice

        return lambda board: EmulatedDevice(f"emulated:{board.id}", board)

    def test_counts_instructions(self, device, image, program):
        from hil.bench import BenchSettings, bench
        from hil.interpreter import truth

        measured = bench(image, device, BenchSettings(), truth(program.graph))
        assert measured.origin.provenance is Provenance.EMULATED
        assert 0 < measured.instructions < measured.cycles
        assert measured.latency_min_us == measured.latency_max_us


@needs_toolchain
class TestEmulatedCortexM7(TestEmulated):
    @pytest.fixture
    def board(self):
        return load_board("disco_f746ng")


@needs_toolchain
class TestEmulatedCortexM33(TestEmulated):
    @pytest.fixture
    def board(self):
        return load_board("nucleo_u575zi")


class TestEmulatedPico(TestEmulated):
    """A core without a cycle counter or DSP instructions, and a UART without DMA."""

    @pytest.fixture
    def board(self):
        return load_board("pico")


@needs_avr_toolchain
class TestEmulatedUno(RealFirmware):
    """2 kB of RAM, constants in an address space of their own, frames of 64 bytes."""

    @pytest.fixture
    def board(self):
        return load_board("uno")

    @pytest.fixture
    def device_of(self):
        from hil.devices.emulated import EmulatedDevice

        return lambda board: EmulatedDevice(f"emulated:{board.id}", board)

    def test_runs_do_not_differ_by_a_cycle(self, device, image, program):
        from hil.bench import BenchSettings, bench
        from hil.interpreter import truth

        measured = bench(image, device, BenchSettings(), truth(program.graph))
        assert measured.origin.provenance is Provenance.EMULATED
        assert measured.instructions is None  # simavr counts cycles
        assert measured.latency_min_us == measured.latency_max_us
        assert "simavr" in measured.origin.tools

    def test_measures_the_same_behind_a_port(self, device, image, program, board):
        from hil.bench import BenchSettings, bench
        from hil.devices.emulated_pty import EmulatedPtyDevice
        from hil.interpreter import truth

        settings = BenchSettings(warmup_runs=0, min_runs=1, max_runs=1)
        served = EmulatedPtyDevice(f"emulated+pty:{board.id}", board)
        try:
            behind_a_port = bench(image, served, settings, truth(program.graph))
        finally:
            served.close()
        assert behind_a_port.check.exact
        assert behind_a_port.cycles == bench(image, device, settings, truth(program.graph)).cycles


@needs_toolchain
@pytest.mark.slow
class TestEmulatedBehindAPort(RealFirmware):
    @pytest.fixture
    def device_of(self):
        from hil.devices.emulated_pty import EmulatedPtyDevice

        return lambda board: EmulatedPtyDevice(f"emulated+pty:{board.id}", board)


@pytest.fixture(scope="module")
def virtual():
    from hil.testing.virtual_board.client import VirtualBoard

    with VirtualBoard(load_board("nrf52840_dk")) as board:
        yield board


@needs_toolchain
@pytest.mark.slow
@pytest.mark.xdist_group("virtual_conformance")
class TestVirtualBoard(RealFirmware):
    """The code of a board on USB: found by its serial number, locked, asked, flashed, followed."""

    plan = FaultPlan()

    @pytest.fixture
    def device_of(self, virtual):
        from hil.testing.virtual_board.client import virtual_device

        virtual.plan(self.plan)
        return lambda board: virtual_device(virtual.folder, board, hello_timeout_s=0.5)


class TestVirtualBoardOnABadLine(TestVirtualBoard):
    """Trouble on the line is the link's affair: nobody above it may notice."""

    plan = FaultPlan(
        seed=4, rate=0.1, kinds=tuple(sorted(ON_THE_LINE, key=lambda kind: kind.name)), delay_s=(0.05, 0.5)
    )


@pytest.mark.hardware
@pytest.mark.skipif(not HARDWARE, reason="HILNAS_TEST_DEVICE names no device")
class TestHardware(RealFirmware):
    @pytest.fixture
    def board(self):
        return open_device(HARDWARE, board=os.environ.get("HILNAS_TEST_BOARD")).board

    @pytest.fixture
    def device_of(self):
        port = HARDWARE.partition(":")[2]
        return lambda board: SerialDevice(HARDWARE, board, port)
