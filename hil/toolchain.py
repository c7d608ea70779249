"""What builds firmware: PlatformIO and the cross compiler.  Finds them, or says how to get them.

PlatformIO runs in a core folder of its own inside the user's cache, quietly: no telemetry, no update check,
and with SCons taken from this Python environment, so that no network is needed.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from hil.errors import BuildFailed, HilError, ToolMissing
from hil.resources import cache_dir
from hil.tool_scons import provide_scons, scons_finding

# Toolchain prefix of a board profile -> Debian packages that hold it.
DEBIAN_PACKAGES: Mapping[str, str] = {
    "arm-none-eabi-": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "avr-": "gcc-avr avr-libc arduino-core-avr",
}
# The same compiler as a package of PlatformIO's registry.
PACKAGES: Mapping[str, tuple[str, str]] = {
    "arm-none-eabi-": ("toolchain-gccarmnoneeabi", "~1.120301.0"),
    "avr-": ("toolchain-atmelavr", "~1.70300.0"),
}
# A file of the C library, and what to call it.
_C_LIBRARIES: Mapping[str, tuple[str, str]] = {
    "arm-none-eabi-": ("nano.specs", "newlib's nano.specs"),
    "avr-": ("libc.a", "avr-libc"),
}

_QUIET = {
    "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "No",
    "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "36500",
    "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
    "PLATFORMIO_NO_ANSI": "true",
}
# Settings of the user's shell that would lead a build elsewhere.
_REDIRECTIONS = re.compile(r"PLATFORMIO_(.*_DIR|BUILD_.*|EXTRA_SCRIPTS|DEFAULT_ENVS|UPLOAD_.*|RUN_JOBS)$")
_PROBE_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Compiler:
    """A cross compiler.  `version` as it prints it, e.g. "12.2.1"."""

    path: Path
    prefix: str
    version: str


@dataclass(frozen=True)
class Check:
    """One thing that building needs; `remedy` is the command that mends it, "" where all is well."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def find_compiler(prefix: str = "arm-none-eabi-") -> Compiler:
    """The cross compiler `prefix`gcc with its C library: on PATH, or else as PlatformIO's package.

    Raises:
        ToolMissing: there is none, it does not run, or its C library is missing; the remedy is the command.
    """
    path = shutil.which(f"{prefix}gcc") or shutil.which(f"{prefix}gcc", path=str(_package_bin(prefix)))
    if path is None:
        raise ToolMissing(f"{prefix}gcc is not on PATH", remedy=_install(prefix))
    return _examined(path, prefix)


@functools.lru_cache(maxsize=8)
def _examined(path: str, prefix: str) -> Compiler:
    try:
        number = _ask(path, prefix, "-dumpfullversion")
    except ToolMissing:  # GCC before 7, as of Debian's avr-gcc, tells all of it here
        number = _ask(path, prefix, "-dumpversion")
    file, library = _C_LIBRARIES.get(prefix, ("libc.a", "libc.a"))
    # A compiler without the library prints the bare name back.
    if not Path(_ask(path, prefix, f"-print-file-name={file}")).is_absolute():
        raise ToolMissing(f"{path} has no C library ({library})", remedy=_install(prefix))
    return Compiler(Path(path), prefix, number)


def _ask(path: str, prefix: str, option: str) -> str:
    try:
        answer = subprocess.run(
            [path, option], capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"{path} {option} fails: {error}", remedy=_install(prefix)) from error
    return answer.stdout.strip()


def _install(prefix: str) -> str:
    packages = DEBIAN_PACKAGES.get(prefix)
    if packages is None:
        return f"install {prefix}gcc and put its folder on PATH"
    name, requirement = PACKAGES[prefix]
    fetch = f"{sys.executable} -m platformio pkg install -g -t 'platformio/{name}@{requirement}'"
    return (
        f"sudo apt-get install {packages}"
        f"  (or without root, from PlatformIO's registry: PLATFORMIO_CORE_DIR='{core_dir()}' {fetch})"
    )


def _package_bin(prefix: str) -> Path | None:
    """Where PlatformIO keeps the compiler that it fetched, if it did."""
    if prefix not in PACKAGES:
        return None
    return core_dir() / "packages" / PACKAGES[prefix][0] / "bin"


def platformio_version() -> str:
    """The installed PlatformIO.

    Raises:
        ToolMissing: it is not installed in this Python environment.
    """
    try:
        return version("platformio")
    except PackageNotFoundError as error:
        raise ToolMissing(
            f"PlatformIO is not installed for {sys.executable}",
            remedy=f"{sys.executable} -m pip install 'platformio>=6.2,<6.3' 'scons>=4.11.1,<4.12'",
        ) from error


def core_dir() -> Path:
    """PlatformIO's core folder, in the user's cache.

    Raises:
        CacheError: it cannot be made.
    """
    return cache_dir("platformio")


def environment(*, platforms_dir: Path | None = None) -> dict[str, str]:
    """Environment variables under which PlatformIO runs quietly and keeps to its own folders.

    Args:
        platforms_dir: where PlatformIO notes which local platform it uses.  It notes the absolute path, so
            each project folder has its own.
    """
    kept = {name: value for name, value in os.environ.items() if not _REDIRECTIONS.match(name)}
    kept |= _QUIET | {"PLATFORMIO_CORE_DIR": str(core_dir())}
    if platforms_dir is not None:
        kept["PLATFORMIO_PLATFORMS_DIR"] = str(platforms_dir)
    # Behind PATH, as `find_compiler` looks for them.
    fetched = [str(folder) for prefix in PACKAGES if (folder := _package_bin(prefix)) and folder.is_dir()]
    kept["PATH"] = os.pathsep.join([kept.get("PATH", os.defpath), *fetched])
    return kept


def run_platformio(
    arguments: list[str], *, folder: Path, timeout_s: float, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run PlatformIO in the project `folder`, stderr within stdout.  A failing run is the caller's to judge.

    Args:
        arguments: e.g. ["run", "-s", "-e", "nrf52840_dk"].
        variables: environment variables on top of `environment`.

    Raises:
        ToolMissing: PlatformIO is not installed.
        BuildFailed: it did not end within `timeout_s`.
        CacheError: the core folder cannot be written.
    """
    platformio_version()
    provide_scons(core_dir())
    command = [sys.executable, "-m", "platformio", *arguments]
    env = environment(platforms_dir=folder / ".pio" / "platforms") | dict(variables or {})
    # A session of its own, so that a deadline ends the compilers too.
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)
            output, _ = process.communicate()
            raise BuildFailed(
                f"`pio {' '.join(arguments)}` did not end within {timeout_s:g} s",
                log=output,
                remedy="look at the computer's load, then try again",
            ) from None
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, "")


def _end(process: subprocess.Popen[str]) -> None:
    import signal

    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def available(prefix: str = "arm-none-eabi-") -> bool:
    """Whether firmware can be built here at all."""
    try:
        find_compiler(prefix)
    except ToolMissing:
        return False
    return find_spec("platformio") is not None


def check() -> tuple[Check, ...]:
    """What building needs, for `hilnas doctor`.  Never raises for what it finds."""
    return (_compiler_check(), _platformio_check(), _scons_check())


def _compiler_check() -> Check:
    name = "ARM compiler"
    try:
        compiler = find_compiler()
    except HilError as error:
        return Check(name, False, error.message, error.remedy or "")
    return Check(name, True, f"{compiler.path} {compiler.version}")


def _platformio_check() -> Check:
    try:
        return Check("PlatformIO", True, platformio_version())
    except ToolMissing as error:
        return Check("PlatformIO", False, error.message, error.remedy or "")


def _scons_check() -> Check:
    name = "SCons (for PlatformIO)"
    try:
        finding = scons_finding(core_dir())
    except HilError as error:
        return Check(name, False, error.message, error.remedy or "")
    return Check(name, finding.ok, finding.found, finding.remedy)
