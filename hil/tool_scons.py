"""PlatformIO's package `tool-scons`, made from the SCons of this Python environment.

PlatformIO fetches the package from its registry at the first build.  Where the registry cannot be reached it
would wait a minute and fail, although SCons itself is a plain Python package.  So it is put in place before
PlatformIO looks for it, in the very version that PlatformIO asks for; where this environment has another
version, PlatformIO is left to fetch its own.
"""

from __future__ import annotations

import compileall
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from hil.errors import CacheError

_SCRIPT = '''\
"""Entry point that PlatformIO calls."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from SCons.Script import main

if __name__ == "__main__":
    main()
'''


@dataclass(frozen=True)
class SconsFinding:
    """Whether PlatformIO will find its SCons without the network."""

    ok: bool
    found: str
    remedy: str = ""


def package_version(scons: str) -> str:
    """The version of PlatformIO's package for an SCons version: "4.11.1" -> "4.41101.0"."""
    major, minor, patch = (int(n) for n in scons.split(".")[:3])
    return f"{major}.{major}{minor:02d}{patch:02d}.0"


def scons_version(package: str) -> str:
    """The inverse of `package_version`, also of a requirement: "~4.41101.0" -> "4.11.1"."""
    match = re.search(r"(\d+)\.\1(\d\d)(\d\d)\.", package)
    if match is None:
        raise ValueError(f"'{package}' is not a version of tool-scons, e.g. '~4.41101.0'")
    return f"{match[1]}.{int(match[2])}.{int(match[3])}"


def required_scons() -> str:
    """The SCons that the installed PlatformIO asks for, e.g. "4.11.1"."""
    from platformio.dependencies import get_core_dependencies

    return scons_version(get_core_dependencies()["tool-scons"])


def _installed() -> str | None:
    try:
        return version("scons")
    except PackageNotFoundError:
        return None


def scons_finding(core_dir: Path) -> SconsFinding:
    """For `hilnas doctor`: is tool-scons there, or can it be made?"""
    if find_spec("platformio") is None:
        return SconsFinding(False, "unknown without PlatformIO")
    if (core_dir / "packages" / "tool-scons" / "package.json").is_file():
        return SconsFinding(True, "in place")
    wanted, installed = required_scons(), _installed()
    if installed == wanted:
        return SconsFinding(True, installed)
    found = "not installed" if installed is None else f"{installed}, PlatformIO asks for {wanted}"
    return SconsFinding(False, found, f"python -m pip install scons=={wanted}")


def provide_scons(core_dir: Path) -> None:
    """Put tool-scons into PlatformIO's core folder, unless it is there or the right SCons is missing here.

    Raises:
        CacheError: the folder cannot be written.
    """
    target = core_dir / "packages" / "tool-scons"
    if (target / "package.json").is_file():
        return
    installed = _installed()
    spec = find_spec("SCons")
    if installed is None or installed != required_scons() or spec is None or spec.origin is None:
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".tool-scons-", dir=target.parent))
        try:
            _fill(staging, Path(spec.origin).parent, package_version(installed))
            _move_into_place(staging, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise CacheError(
            f"SCons cannot be put into {target}: {error.strerror}",
            remedy="free some space, or name another cache folder: export HILNAS_CACHE=/some/folder",
        ) from error


def _fill(folder: Path, scons: Path, package: str) -> None:
    shutil.copytree(scons, folder / "SCons")
    # Where Python is told to write no bytecode, compiling SCons anew would cost 0.2 s of every build.  What
    # pip has compiled was copied with its times, and is skipped.
    compileall.compile_dir(folder / "SCons", quiet=2, stripdir=str(folder))
    (folder / "scons.py").write_text(_SCRIPT, encoding="utf-8")
    manifest = {"name": "tool-scons", "version": package, "system": "*", "description": "SCons"}
    (folder / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    # Without the owner PlatformIO asks its registry who it is.
    spec = {"owner": "platformio", "id": None, "name": "tool-scons", "requirements": None, "uri": None}
    note = {"type": "tool", "name": "tool-scons", "version": package, "spec": spec}
    (folder / ".piopm").write_text(json.dumps(note), encoding="utf-8")


def _move_into_place(staging: Path, target: Path) -> None:
    """Two processes may get here at once; whoever comes second finds the work done."""
    staging.chmod(0o755)
    try:
        os.rename(staging, target)
    except OSError:
        if not (target / "package.json").is_file():
            raise
