"""The emulated board as a device: in this process, and behind a pseudo-terminal like a real one."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hil
from hil.board import Board, load_board
from hil.device import Device, Transport
from hil.devices import open_device
from hil.devices.emulated import EmulatedDevice
from hil.devices.emulated_pty import EmulatedPtyDevice
from hil.emulator.control import STATUS, ask, socket_of
from hil.errors import BadDevice, DeviceError, DeviceFault, DeviceTimeout, EmulationError, FlashFailed
from hil.image import Image
from hil.link import Link
from hil.program import Program
from hil.testing.device_suite import DeviceSuite
from tests.hil.small_models import small_cnn
from tests.support.arm_programs import c_elf, dk, needs_compiler
from tests.support.firmware import conv_program, needs_toolchain, with_source

MODELS = Path(hil.__file__).resolve().parents[2] / "shared" / "models"
GOLDEN = {
    "kws": "9fa3943ae13e7b8b",
    "ic": "62a3b576d8d56498",
    "vww": "29aa0a9061563b8e",
    "ad": "a057d960e98de659",
}
HANG = "void handler(void) {} int main(void) { for (;;) { } }"
TOUCH = "void handler(void) {} int main(void) { return (int)REG(0x40003000); }"
# Answers each "?" with "hi".
HELLO = """
void handler(void) {}
int main(void) {
  static volatile uint8_t text[3];
  open_line();
  for (;;) {
    REG(0x40002534) = (uintptr_t)(text + 2); REG(0x40002538) = 1; REG(0x40002110) = 0;
    REG(0x40002000) = 1;
    while (REG(0x40002110) == 0) { }
    text[0] = 'h'; text[1] = 'i';
    if (text[2] == '?') send(text, 2);
  }
}
"""


def image_of(elf: Path, board_id: str = "nrf52840_dk") -> Image:
    """An image whose firmware is one of the small programs."""
    return Image(conv_program(), board_id, "0" * 64, elf, 1, 1, 0, 0, 0, bytes(8))


def greeting(transport: Transport) -> bytes:
    """What the program HELLO answers."""
    transport.write(b"?")
    return transport.read(10)


@pytest.fixture(params=["emulated", "emulated+pty"])
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    device = open_device(f"{request.param}:nrf52840_dk")
    yield device
    device.close()


@needs_toolchain
class TestEmulatedDevice(DeviceSuite):
    """In this process."""

    @pytest.fixture
    def device_of(self) -> Callable[[Board], Device]:
        return lambda board: EmulatedDevice(f"emulated:{board.id}", board)

    @pytest.fixture
    def board(self) -> Board:
        return dk()

    @pytest.fixture
    def model(self) -> bytes:
        return small_cnn()

    @pytest.fixture
    def other_model(self) -> bytes:
        return small_cnn(seed=2)


@needs_toolchain
@pytest.mark.slow
class TestEmulatedPtyDevice(TestEmulatedDevice):
    """Behind a pseudo-terminal, flashed by PlatformIO."""

    @pytest.fixture
    def device_of(self) -> Callable[[Board], Device]:
        return lambda board: EmulatedPtyDevice(f"emulated+pty:{board.id}", board)


@needs_compiler
def test_firmware_is_heard(device: Device, tmp_path: Path) -> None:
    device.flash(image_of(c_elf(HELLO, tmp_path)), timeout_s=60)
    assert greeting(device.connect()) == b"hi"


@needs_compiler
def test_hang_becomes_a_timeout(device: Device, tmp_path: Path) -> None:
    device.flash(image_of(c_elf(HANG, tmp_path)), timeout_s=60)
    transport = device.connect()
    began = time.monotonic()
    assert transport.read(0.2) == b""
    assert time.monotonic() - began >= 0.2
    with pytest.raises(DeviceTimeout):
        Link(transport, device.name, reply_timeout_s=0.1, retries=1).hello()


@needs_compiler
def test_access_to_what_is_not_modelled_reaches_the_caller(device: Device, tmp_path: Path) -> None:
    device.flash(image_of(c_elf(TOUCH, tmp_path)), timeout_s=60)
    with pytest.raises(EmulationError) as caught:
        Link(device.connect(), device.name, reply_timeout_s=0.5).hello()
    assert caught.value.address == 0x4000_3000
    assert caught.value.device == device.name
    assert str(caught.value).count("address 0x40003000") == 1


@needs_compiler
def test_board_that_failed_can_be_flashed_again(device: Device, tmp_path: Path) -> None:
    device.flash(image_of(c_elf(TOUCH, tmp_path)), timeout_s=60)
    transport = device.connect()
    with pytest.raises(EmulationError):
        transport.read(2)
    transport.close()
    device.flash(image_of(c_elf(HELLO, tmp_path)), timeout_s=60)
    assert greeting(device.connect()) == b"hi"


def test_image_without_firmware_is_refused(device: Device) -> None:
    image = Image(conv_program(), "nrf52840_dk", "0" * 64, None, 1, 1, 0, 0, 0, bytes(8))
    with pytest.raises(FlashFailed):
        device.flash(image, timeout_s=60)


@needs_compiler
def test_file_that_is_no_firmware_is_refused(device: Device, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.elf"
    wrong.write_bytes(b"this is no ELF file")
    with pytest.raises(FlashFailed) as caught:
        device.flash(image_of(wrong), timeout_s=60)
    assert "ELF" in f"{caught.value} {caught.value.log}"


def test_image_of_another_board_is_refused_in_process(tmp_path: Path) -> None:
    device = open_device("emulated:nrf52840_dk")
    with pytest.raises(FlashFailed, match="nano33ble"):
        device.flash(image_of(tmp_path / "x.elf", "nano33ble"), timeout_s=1)


def test_nothing_flashed_is_told() -> None:
    with pytest.raises(DeviceError, match="nothing was flashed"):
        open_device("emulated:nrf52840_dk").connect()


@needs_compiler
def test_board_whose_chip_is_not_modelled_is_refused(tmp_path: Path) -> None:
    board = load_board("nano33ble")
    device = EmulatedDevice("emulated:nano33ble", board)
    with pytest.raises(BadDevice) as caught:
        device.flash(image_of(c_elf(HELLO, tmp_path), board.id), timeout_s=1)
    assert "nrf52840_dk" in (caught.value.remedy or "")


def crashing(program: Program) -> Program:
    """`program`, whose first operator reads where nothing is."""
    text = program.sources["model.c"]
    head, brace, tail = text.partition("void hil_model_run_operator(uint16_t index) {")
    assert brace
    return with_source(
        Program(
            **{**program.__dict__, "sources": {**program.sources, "model.c": head + brace + CRASH + tail}}
        ),
        "",
    )


CRASH = "\n  *(volatile int *)0x30000000;\n"


@needs_toolchain
def test_fault_of_the_firmware_reaches_the_host(tmp_path: Path) -> None:
    device = open_device("emulated:nrf52840_dk")
    device.flash(device.build(crashing(conv_program(seed=3))), timeout_s=60)
    link = Link(device.connect(), device.name)
    info = link.hello()
    link.write_input(bytes(info.input_bytes))
    with pytest.raises(DeviceFault) as caught:
        link.run()
    assert caught.value.registers["bfar"] == 0x3000_0000
    assert link.hello().model_digest == info.model_digest


@needs_toolchain
def test_both_ways_give_the_same_figures() -> None:
    program = conv_program(seed=1)
    found = []
    for kind in ("emulated", "emulated+pty"):
        device = open_device(f"{kind}:nrf52840_dk")
        try:
            device.flash(device.build(program), timeout_s=60)
            link = Link(device.connect(), device.name)
            info = link.hello()
            assert info.unit_id == b"EMULATED"
            assert device.instructions() is None
            link.write_input(bytes(info.input_bytes))
            result = link.run()
            link.read_output()
            found.append((result, device.instructions()))
        finally:
            device.close()
    assert found[0] == found[1]
    cycles, instructions = found[0][0].cycles, found[0][1]
    assert instructions is not None
    assert 1 < cycles / instructions < 3


@needs_toolchain
@pytest.mark.slow
@pytest.mark.parametrize("name", list(GOLDEN))
def test_golden_models_give_their_golden_outputs(name: str) -> None:
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"needs {path}")
    device = open_device("emulated:nrf52840_dk")
    device.flash(device.build(hil.compile_model(path)), timeout_s=60)
    link = Link(device.connect(), device.name)
    info = link.hello()
    link.write_input(bytes(((73 * k + 41) % 256 - 128) & 0xFF for k in range(info.input_bytes)))
    link.run(timeout_s=300)
    assert hashlib.sha256(link.read_output()).hexdigest()[:16] == GOLDEN[name]


# --- the served board as a program of its own ---


def serve(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hil.emulator.serve",
            "--board",
            "nrf52840_dk",
            "--until-stdin-closes",
            str(folder),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(hil.__file__).resolve().parents[1],
    )


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "its parent ends"])
def test_served_board_ends_and_cleans_up(how: str, tmp_path: Path) -> None:
    server = serve(tmp_path)
    assert server.stdout is not None
    assert "port" in server.stdout.readline()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["control.sock", "port"]
    if how.startswith("SIG"):
        server.send_signal(getattr(signal, how))
    server.communicate(timeout=20)
    assert server.returncode == 0
    assert list(tmp_path.iterdir()) == []


@needs_compiler
def test_upload_goes_through_the_control_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("a folder whose name is far too long for the address of a socket " * 2)
    folder.mkdir()
    server = serve(folder)
    try:
        assert server.stdout is not None
        server.stdout.readline()
        port = str(folder / "port")
        assert ask(socket_of(port), STATUS, timeout_s=5).instructions is None
        done = upload(str(c_elf(HELLO, tmp_path)), port)
        assert (done.returncode, "flashed" in done.stdout) == (0, True), done.stderr
        line = os.open(port, os.O_RDWR | os.O_NOCTTY)
        os.write(line, b"?")
        assert os.read(line, 10) == b"hi"
        os.close(line)
        wrong = tmp_path / "wrong.elf"
        wrong.write_bytes(b"no")
        assert (upload(str(wrong), port).returncode, "ELF" in upload(str(wrong), port).stderr) == (1, True)
    finally:
        server.communicate(timeout=20)


def upload(elf: str, port: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hil.emulator.upload", elf, port],
        capture_output=True,
        text=True,
        cwd=Path(hil.__file__).resolve().parents[1],
        check=False,
    )


def test_upload_to_a_port_without_a_board_fails(tmp_path: Path) -> None:
    elf = tmp_path / "a.elf"
    elf.write_bytes(b"x")
    done = upload(str(elf), str(tmp_path / "port"))
    assert done.returncode == 1
    assert "no emulated board answers" in done.stderr
    assert upload(str(tmp_path / "missing.elf"), str(tmp_path / "port")).returncode == 1
