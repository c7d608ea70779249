"""Platforms of PlatformIO's registry: fetched once, then there for good.

Fetching downloads some hundred megabytes into PlatformIO's folder within the cache.  Where the registry does
not answer, that is said within seconds: PlatformIO itself would go on trying for a minute.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hil.errors import BuildFailed, ToolMissing
from hil.firmware.environments import Environment
from hil.firmware.failures import cache_error
from hil.firmware.slots import project_folder
from hil.firmware.template import load_template, write_files
from hil.toolchain import Compiler, core_dir, platformio_version, run_platformio

_FETCH_TIMEOUT_S = 1800.0
_PROBE_TIMEOUT_S = 4.0
_PLATFORMS = "platforms"


def folders() -> Mapping[str, str]:
    """Environment variables of PlatformIO runs that use platforms of the registry: one folder for all."""
    return {"PLATFORMIO_PLATFORMS_DIR": str(core_dir() / _PLATFORMS)}


def provide(
    environment: Environment, prefix: str, *, reachable: Callable[[], bool] | None = None
) -> Compiler:
    """The compiler that the platform of `environment` brings; platform and packages are fetched if need be.

    Args:
        prefix: of the compiler's programs, e.g. "arm-none-eabi-".
        reachable: whether the registry answers.

    Returns:
        A Compiler whose version is that of the platform, which settles it: "of nordicnrf52 10.6.0".

    Raises:
        ToolMissing: they are not here, and the registry does not answer or does not give them.
        CacheError: the cache cannot be written.
    """
    version = _fetched_version(environment)
    if version is None:
        if not (reachable or registry_answers)():
            raise ToolMissing(
                f"the platform that builds {environment.name} ({environment.platform}) is not installed, and "
                "PlatformIO's registry cannot be reached to fetch it",
                remedy="connect this computer to the internet once and build again: "
                f"`pio pkg install -e {environment.name}` is then run for you",
            )
        version = _fetch(environment)
    return Compiler(Path(f"{prefix}gcc"), prefix, f"of {version}")


def registry_answers(within_s: float = _PROBE_TIMEOUT_S) -> bool:
    """Whether any host of the registry answers."""
    platformio_version()
    import platformio

    return any_answers(platformio.__registry_mirror_hosts__, _answers, within_s=within_s)


def any_answers(hosts: Sequence[str], probe: Callable[[str, float], bool], *, within_s: float) -> bool:
    """Whether `probe` finds that one of `hosts` answers, asked side by side.

    A name server that is out of reach can hold a probe for long, whatever limit is set, so it is left behind.
    """
    done, lock, silent = threading.Event(), threading.Lock(), set(hosts)
    answered = []

    def ask(host: str) -> None:
        found = probe(host, within_s)
        with lock:
            silent.discard(host)
            if found:
                answered.append(host)
            if found or not silent:
                done.set()

    for host in hosts:
        threading.Thread(target=ask, args=(host,), daemon=True).start()
    done.wait(within_s)
    return bool(answered)


def _answers(host: str, within_s: float) -> bool:
    try:
        with urllib.request.urlopen(f"https://{host}/", timeout=within_s):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # it is there, whatever it thinks of the question
    except (OSError, ValueError):
        return False


def _note(environment: Environment) -> Path:
    return core_dir() / "fetched" / f"{environment.name}.json"


def _fetched_version(environment: Environment) -> str | None:
    """E.g. "nordicnrf52 10.6.0"; None where the packages were not all fetched, or were removed since."""
    try:
        note = json.loads(_note(environment).read_text())
        return note["version"] if note["platform"] == environment.platform and _is_there(note) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_there(note: Mapping[str, str]) -> bool:
    return _installed().get(note["name"]) == note["version"]


def _installed() -> dict[str, str]:
    """Name -> "name version" of the registry's platforms that are installed."""
    found = {}
    for manifest in sorted((core_dir() / _PLATFORMS).glob("*/platform.json")):
        facts = json.loads(manifest.read_text())
        found[facts["name"]] = f"{facts['name']} {facts['version']}"
    return found


def _fetch(environment: Environment) -> str:
    template = load_template()
    arguments = ["pkg", "install", "-e", environment.name]
    with project_folder(f"fetch-{environment.name}", template.digest) as folder:
        write_files(template.files, folder)
        try:
            run = run_platformio(arguments, folder=folder, timeout_s=_FETCH_TIMEOUT_S, variables=folders())
        except BuildFailed as error:
            raise ToolMissing(error.message, remedy="try again where the internet is faster") from error
    name = environment.platform.partition("@")[0].strip().rpartition("/")[2]
    version = _installed().get(name)
    if run.returncode != 0 or version is None:
        lines = [line.strip() for line in run.stdout.splitlines() if line.strip()]
        raise ToolMissing(
            f"PlatformIO's registry did not give what builds {environment.name}: "
            f"{lines[-1] if lines else 'nothing was printed'}",
            remedy="try again; if it stays so, run `pio pkg install -e "
            f"{environment.name}` in a project that `hilnas export` wrote, and read what it prints",
        )
    note = {"platform": environment.platform, "name": name, "version": version}
    path = _note(environment)
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(note) + "\n")
    except OSError as error:
        raise cache_error(f"{path} cannot be written", error) from error
    return version
