"""Image -> board, by `pio run -t upload`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePosixPath

from hil.board import Board
from hil.errors import BuildFailed, FlashFailed, FlashStalled
from hil.firmware import registry
from hil.firmware.environments import environment_of
from hil.firmware.slots import project_folder
from hil.firmware.template import load_template, write_files
from hil.image import Image
from hil.toolchain import run_platformio

# Read by firmware/platforms/*/builder and firmware/lib/port/arduino/given_elf.py.
COMMAND_VARIABLE = "HILNAS_UPLOAD_COMMAND"
ELF_VARIABLE = "HILNAS_UPLOAD_ELF"
_BOARD_INI = PurePosixPath("board.ini")
# Of `pio run`, by whether the platform is the project's own.  Those of the registry do not convert an ELF
# file that they are told not to build; lib/port/arduino/given_elf.py hands it to them as built.
_TARGETS = {True: ("-t", "nobuild", "-t", "upload"), False: ("-t", "upload")}


def upload(
    image: Image,
    board: Board,
    port: str,
    *,
    device: str,
    timeout_s: float,
    command: str | None = None,
    board_options: Mapping[str, str] | None = None,
) -> None:
    """Put the very ELF of `image` on the board behind `port`; nothing is compiled.

    Args:
        port: the serial port; handed to the uploader.
        device: what errors call it.
        command: run with the ELF file and the port as its last arguments, instead of a probe tool.  None
            leaves it to the environment variable HILNAS_UPLOAD_COMMAND, or else to the first probe tool
            installed.
        board_options: options of PlatformIO's board file to be replaced, e.g. {"upload.speed": "115200"}.

    Raises:
        FlashFailed: the uploader failed, or none is installed; `log` holds what was printed.
        FlashStalled: it did not end within `timeout_s`.
    """
    if image.elf is None:
        raise FlashFailed(
            f"the image for {image.board_id} holds no firmware",
            device=device,
            remedy="build it for this device",
        )
    environment = environment_of(board)
    variables = {ELF_VARIABLE: str(image.elf.resolve())}
    wanted = command if command is not None else os.environ.get(COMMAND_VARIABLE)
    if wanted is not None:
        variables[COMMAND_VARIABLE] = wanted
    arguments = ["run", "-s", "-e", environment.name, *_TARGETS[environment.is_local], "--upload-port", port]
    if not environment.is_local:
        variables |= registry.folders()
    template = load_template()
    with project_folder(f"upload-{environment.name}", template.digest) as folder:
        write_files({**template.files, _BOARD_INI: board_ini(environment.name, board_options or {})}, folder)
        try:
            run = run_platformio(arguments, folder=folder, timeout_s=timeout_s, variables=variables)
        except BuildFailed as error:
            raise FlashStalled(
                f"the upload did not end within {timeout_s:g} s",
                device=device,
                remedy="is the debug probe free and the board powered?",
            ) from error
    if run.returncode != 0:
        lines = [line.strip() for line in run.stdout.splitlines() if line.strip()]
        raise FlashFailed(
            f"the upload failed: {lines[0] if lines else 'nothing was printed'}",
            device=device,
            log=run.stdout,
            remedy="check the cable, and that pyocd, nrfjprog, openocd or JLinkExe is installed",
        )


def board_ini(environment: str, options: Mapping[str, str]) -> bytes:
    """A board.ini with `options` of the board, which PlatformIO reads over those of platformio.ini."""
    lines = [f"[env:{environment}]", *(f"board_{name} = {value}" for name, value in options.items())]
    return "".join(line + "\n" for line in lines).encode()
