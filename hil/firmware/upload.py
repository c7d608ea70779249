"""Image -> board, by `pio run -t upload`."""

from __future__ import annotations

import os

from hil.board import load_board
from hil.errors import BuildFailed, DeviceTimeout, FlashFailed
from hil.firmware.build import environment_of
from hil.firmware.slots import project_folder
from hil.firmware.template import load_template, write_files
from hil.image import Image
from hil.toolchain import run_platformio

# Read by firmware/platforms/*/builder.
COMMAND_VARIABLE = "HILNAS_UPLOAD_COMMAND"
ELF_VARIABLE = "HILNAS_UPLOAD_ELF"


def upload(image: Image, port: str, timeout_s: float, command: str | None = None) -> None:
    """Put the very ELF of `image` on the board behind `port`; nothing is compiled.

    Args:
        port: the serial port; handed to the uploader.
        command: run with the ELF file and the port as its last arguments, instead of a probe tool.  None
            leaves it to the environment variable HILNAS_UPLOAD_COMMAND, or else to the first probe tool
            installed.

    Raises:
        FlashFailed: the uploader failed, or none is installed; `log` holds what was printed.
        DeviceTimeout: it did not end within `timeout_s`.
    """
    device = f"serial:{port}"
    if image.elf is None:
        raise FlashFailed(
            f"the image for {image.board_id} holds no firmware",
            device=device,
            remedy="build it for this device",
        )
    environment = environment_of(load_board(image.board_id))
    variables = {ELF_VARIABLE: str(image.elf.resolve())}
    wanted = command if command is not None else os.environ.get(COMMAND_VARIABLE)
    if wanted is not None:
        variables[COMMAND_VARIABLE] = wanted
    arguments = ["run", "-s", "-e", environment, "-t", "nobuild", "-t", "upload", "--upload-port", port]
    template = load_template()
    with project_folder(f"upload-{environment}", template.digest) as folder:
        write_files(template.files, folder)
        try:
            run = run_platformio(arguments, folder=folder, timeout_s=timeout_s, variables=variables)
        except BuildFailed as error:
            raise DeviceTimeout(
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
