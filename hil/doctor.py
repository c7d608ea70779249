"""What this computer has of what measuring needs, and the command that mends what is missing."""

from __future__ import annotations

import grp
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil import toolchain
from hil.errors import HilError


@dataclass(frozen=True)
class Finding:
    """One check.

    Attributes:
        needed: whether measuring on real or emulated boards needs it.
        found: what is there, or what is missing, in a few words.
        remedy: the command that mends it; "" where nothing is to be mended.
    """

    name: str
    ok: bool
    needed: bool
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """All checks, cheapest first.  Never raises for what it finds."""
    findings = [_python()]
    findings += [Finding(c.name, c.ok, True, c.found, c.remedy) for c in toolchain.check()]
    return [
        *findings,
        _avr_compiler(),
        _avr_emulator(),
        _host_compiler(),
        _interpreter(),
        _truth(),
        _tensorflow(),
        _serial_permission(),
    ]


def _python() -> Finding:
    version = ".".join(str(n) for n in sys.version_info[:3])
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", ok, True, version, "" if ok else "use Python 3.11, 3.12 or 3.13")


def _avr_compiler() -> Finding:
    name = "AVR compiler (uno, mega2560)"
    try:
        compiler = toolchain.find_compiler("avr-")
    except HilError as error:
        return Finding(name, False, False, error.message, error.remedy or "")
    return Finding(name, True, False, f"{compiler.path} {compiler.version}")


def _avr_emulator() -> Finding:
    from hil.emulator.avr.library import library

    name = "AVR emulator (simavr)"
    try:
        library()
    except HilError as error:
        return Finding(name, False, False, error.message, error.remedy or "")
    return Finding(name, True, False, "libsimavr")


def _host_compiler() -> Finding:
    import shutil

    path = shutil.which("cc")
    return Finding(
        "host C compiler (a faster emulator)",
        path is not None,
        False,
        path or "no `cc` on PATH",
        "sudo apt-get install gcc libc6-dev",
    )


def _named(name: str, needed: bool, look: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(name, True, needed, look())
    except (ImportError, HilError) as error:
        return Finding(name, False, needed, str(error), remedy)


def _interpreter() -> Finding:
    from hil import interpreter

    return _named(
        "host interpreter",
        True,
        interpreter.host_name,
        "pip install tflite-runtime  (ai-edge-litert from Python 3.12 on)",
    )


def _truth() -> Finding:
    from hil import interpreter

    return _named(
        "exact reference (tflite-micro)",
        False,
        interpreter.truth_name,
        "pip install --pre tflite-micro  (Linux, Python 3.11)",
    )


def _tensorflow() -> Finding:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Finding("TensorFlow (training, quantization)", True, True, version("tensorflow"))
    except PackageNotFoundError:
        return Finding(
            "TensorFlow (training, quantization)",
            False,
            True,
            "not installed",
            "pip install 'tensorflow>=2.18,<2.22'",
        )


def _serial_permission() -> Finding:
    """Serial ports belong to a group (Debian: dialout); root needs none."""
    name = "serial port permission"
    ports = sorted(Path("/dev").glob("ttyACM*")) + sorted(Path("/dev").glob("ttyUSB*"))
    barred = [p for p in ports if not os.access(p, os.R_OK | os.W_OK)]
    if barred:
        group = grp.getgrgid(barred[0].stat().st_gid).gr_name
        return Finding(
            name,
            False,
            True,
            f"{barred[0]} belongs to group {group}",
            f"sudo usermod -aG {group} $USER, then log in again",
        )
    if ports:
        return Finding(name, True, True, ", ".join(str(p) for p in ports))
    if os.geteuid() == 0:
        return Finding(name, True, False, "root; no port attached")
    try:
        dialout = grp.getgrnam("dialout")
    except KeyError:
        return Finding(name, True, False, "no port attached")
    member = dialout.gr_gid in os.getgroups()
    return Finding(
        name,
        member,
        False,
        "in group dialout" if member else "not in group dialout",
        "sudo usermod -aG dialout $USER, then log in again",
    )
