"""How an image reaches the board: a command of the user's, or the first probe tool that is installed."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile

ENVIRONMENT_VARIABLE = "HILNAS_UPLOAD_COMMAND"


def _pyocd(elf, debug, _folder):
    return ["pyocd", "flash", "--target", debug["pyocd_target"], elf]


def _openocd(elf, debug, _folder):
    interface = debug.get("openocd_interface", "jlink.cfg")
    # ST's probe brings its own transport.
    transport = [] if interface == "stlink.cfg" else ["-c", "transport select swd"]
    steps = f"program {{{elf}}} verify reset exit"
    return [
        "openocd",
        "-f",
        f"interface/{interface}",
        *transport,
        "-f",
        f"target/{debug['openocd_target']}",
        "-c",
        steps,
    ]


def _stm32_programmer(elf, _debug, _folder):
    return ["STM32_Programmer_CLI", "-c", "port=SWD", "-w", elf, "-v", "-rst"]


def _st_flash(elf, _debug, folder):
    return ["st-flash", "--reset", "--format", "ihex", "write", _hex(elf, folder)]


def _nrfjprog(elf, _debug, folder):
    return ["nrfjprog", "--program", _hex(elf, folder), "--sectorerase", "--verify", "--reset"]


def _jlink(elf, debug, folder):
    script = os.path.join(folder, "flash.jlink")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"loadfile {_hex(elf, folder)}\nr\ng\nexit\n")
    return [
        "JLinkExe",
        "-device",
        debug["jlink_device"],
        "-if",
        "SWD",
        "-speed",
        "4000",
        "-autoconnect",
        "1",
        "-ExitOnError",
        "1",
        "-NoGui",
        "1",
        "-CommandFile",
        script,
    ]


# By the probe that a board carries or wants, as openocd names it; in the order of preference.
TOOLS = {
    "jlink.cfg": {"pyocd": _pyocd, "nrfjprog": _nrfjprog, "openocd": _openocd, "JLinkExe": _jlink},
    "cmsis-dap.cfg": {"pyocd": _pyocd, "openocd": _openocd},
    "stlink.cfg": {
        "STM32_Programmer_CLI": _stm32_programmer,
        "pyocd": _pyocd,
        "openocd": _openocd,
        "st-flash": _st_flash,
    },
}


def _tools(board):
    return TOOLS[board.get("debug.openocd_interface", "jlink.cfg")]


def _hex(elf, folder):
    target = os.path.join(folder, "firmware.hex")
    subprocess.run(["arm-none-eabi-objcopy", "-O", "ihex", elf, target], check=True)
    return target


def _command(elf, port, board, folder):
    own = os.environ.get(ENVIRONMENT_VARIABLE)
    if own:
        return [*shlex.split(own), elf, port]
    for program, arguments in _tools(board).items():
        if shutil.which(program):
            return arguments(elf, board.get("debug"), folder)
    return None


def upload_action(target, source, env):
    """SCons action; returns the exit status of the uploader."""
    elf = str(source[0])
    board = env.BoardConfig()
    with tempfile.TemporaryDirectory() as folder:
        command = _command(elf, env.subst("$UPLOAD_PORT"), board, folder)
        if command is None:
            sys.stderr.write(
                f"no flashing tool found: install one of {', '.join(_tools(board))}, "
                f"e.g. `pip install pyocd`; or name a command in {ENVIRONMENT_VARIABLE}, "
                "which is run with the ELF file and the port as its last two arguments\n"
            )
            return 1
        try:
            return subprocess.run(command, check=False).returncode
        except OSError as error:
            sys.stderr.write(f"{command[0]} cannot be run: {error.strerror}\n")
            return 1
