"""How an image reaches the board: a command of the user's, or avrdude through the bootloader."""

import os
import shlex
import subprocess
import sys
import tempfile

ENVIRONMENT_VARIABLE = "HILNAS_UPLOAD_COMMAND"


def _avrdude(elf, port, board, folder):
    image = os.path.join(folder, "firmware.hex")
    subprocess.run(["avr-objcopy", "-O", "ihex", elf, image], check=True)
    part = ["-p", board.get("build.mcu"), "-c", board.get("upload.protocol")]
    line = ["-P", port, "-b", str(board.get("upload.speed"))]
    # -D: the bootloader erases page by page.
    return ["avrdude", *part, *line, "-D", "-U", f"flash:w:{image}:i"]


def upload_action(target, source, env):
    """SCons action; returns the exit status of the uploader."""
    elf, port = str(source[0]), env.subst("$UPLOAD_PORT")
    own = os.environ.get(ENVIRONMENT_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        try:
            command = (
                [*shlex.split(own), elf, port] if own else _avrdude(elf, port, env.BoardConfig(), folder)
            )
            return subprocess.run(command, check=False).returncode
        except FileNotFoundError as error:
            sys.stderr.write(
                f"{error.filename} is not installed: `sudo apt-get install avrdude`, or name a command in "
                f"{ENVIRONMENT_VARIABLE}, which is run with the ELF file and the port as its last arguments\n"
            )
            return 1
        except (OSError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"the upload cannot be started: {error}\n")
            return 1
