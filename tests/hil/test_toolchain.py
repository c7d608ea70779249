"""Finding compiler, PlatformIO and SCons; telling what is missing."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil import tool_scons, toolchain
from hil.board import load_board
from hil.errors import BuildFailed, CacheError, ToolMissing
from hil.firmware.environments import can_build


def fake_compiler(folder: Path, *, version: str = "9.9.9", specs: str) -> Path:
    """A program that answers the two questions that a compiler is asked."""
    path = folder / "arm-none-eabi-gcc"
    path.write_text(f'#!/bin/sh\ncase "$1" in -dumpfullversion) echo {version};; *) echo {specs};; esac\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_without_a_compiler_the_remedy_is_the_command(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing) as error:
        toolchain.find_compiler()
    remedy = error.value.remedy or ""
    assert remedy.startswith("sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi")
    assert "pkg install" in remedy
    assert not toolchain.available()
    assert not can_build(load_board("nrf52840_dk"))


def test_a_compiler_without_c_library_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_compiler(tmp_path, specs="nano.specs")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ToolMissing, match="newlib"):
        toolchain.find_compiler()


def test_a_compiler_that_does_not_run_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "arm-none-eabi-gcc"
    path.write_text("#!/bin/sh\nexit 3\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ToolMissing, match="fails"):
        toolchain.find_compiler()


def test_a_whole_compiler_is_found_with_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake_compiler(tmp_path, version="12.3.4", specs="/somewhere/nano.specs")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert toolchain.find_compiler() == toolchain.Compiler(path, "arm-none-eabi-", "12.3.4")


def test_a_compiler_that_platformio_fetched_serves_where_path_has_none(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = cache / "platformio" / "packages" / "toolchain-gccarmnoneeabi" / "bin"
    folder.mkdir(parents=True)
    path = fake_compiler(folder, version="12.3.1", specs="/somewhere/nano.specs")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert toolchain.find_compiler().path == path
    assert toolchain.environment()["PATH"].split(os.pathsep) == ["/nonexistent", str(folder)]


def test_an_old_gcc_tells_its_version_the_old_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "avr-gcc"
    path.write_text(
        '#!/bin/sh\ncase "$1" in -dumpfull*) exit 1;; -dumpversion) echo 5.4.0;; *) echo /c/libc.a;; esac\n'
    )
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert toolchain.find_compiler("avr-") == toolchain.Compiler(path, "avr-", "5.4.0")


def test_check_names_every_missing_thing_and_never_raises(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = {check.name: check for check in toolchain.check()}
    assert set(checks) == {"ARM compiler", "PlatformIO", "SCons (for PlatformIO)"}
    assert not checks["ARM compiler"].ok
    assert "apt-get install" in checks["ARM compiler"].remedy
    assert checks["PlatformIO"].ok
    assert all(check.ok or check.remedy for check in checks.values())


def test_the_users_platformio_settings_do_not_lead_the_build_elsewhere(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMIO_BUILD_DIR", "/elsewhere")
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", "/elsewhere")
    monkeypatch.setenv("PLATFORMIO_BUILD_FLAGS", "-O0")
    monkeypatch.setenv("MY_OWN", "kept")
    environment = toolchain.environment()
    assert environment["PLATFORMIO_CORE_DIR"] == str(cache / "platformio")
    assert "PLATFORMIO_BUILD_DIR" not in environment
    assert "PLATFORMIO_BUILD_FLAGS" not in environment
    assert environment["PLATFORMIO_SETTING_ENABLE_TELEMETRY"] == "No"
    assert environment["MY_OWN"] == "kept"


def test_platformio_past_its_deadline_is_ended(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="did not end within"):
        toolchain.run_platformio(["--version"], folder=tmp_path, timeout_s=0.001)


@given(st.integers(1, 9), st.integers(0, 99), st.integers(0, 99))
def test_package_versions_and_scons_versions_are_inverse(major: int, minor: int, patch: int) -> None:
    scons = f"{major}.{minor}.{patch}"
    assert tool_scons.scons_version(f"~{tool_scons.package_version(scons)}") == scons


def test_the_version_of_platformio_6_2_is_understood() -> None:
    assert tool_scons.scons_version("~4.41101.0") == "4.11.1"
    with pytest.raises(ValueError, match="not a version"):
        tool_scons.scons_version("latest")


def test_scons_is_put_where_platformio_looks(tmp_path: Path) -> None:
    tool_scons.provide_scons(tmp_path)
    package = tmp_path / "packages" / "tool-scons"
    manifest = json.loads((package / "package.json").read_text())
    assert tool_scons.scons_version(manifest["version"]) == tool_scons.required_scons()
    assert json.loads((package / ".piopm").read_text())["spec"]["owner"] == "platformio"
    assert (package / "SCons" / "Script" / "__init__.py").is_file()
    assert [p.name for p in package.parent.iterdir()] == ["tool-scons"]


def test_scons_that_is_there_is_left_alone(tmp_path: Path) -> None:
    tool_scons.provide_scons(tmp_path)
    script = tmp_path / "packages" / "tool-scons" / "scons.py"
    script.write_text("# changed by hand\n")
    tool_scons.provide_scons(tmp_path)
    assert script.read_text() == "# changed by hand\n"


def test_scons_is_provided_once_by_many_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def provide() -> None:
        try:
            tool_scons.provide_scons(tmp_path)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=provide) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert os.listdir(tmp_path / "packages") == ["tool-scons"]


def test_another_scons_than_platformio_wants_is_not_passed_off_as_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_scons, "required_scons", lambda: "9.9.9")
    tool_scons.provide_scons(tmp_path)
    assert not (tmp_path / "packages").exists()
    finding = tool_scons.scons_finding(tmp_path)
    assert not finding.ok
    assert finding.remedy == "python -m pip install scons==9.9.9"


def test_a_core_folder_that_cannot_be_written_is_a_cache_error(tmp_path: Path) -> None:
    (tmp_path / "packages").write_text("a file where a folder is wanted")
    with pytest.raises(CacheError, match="SCons cannot be put"):
        tool_scons.provide_scons(tmp_path)
