"""Program + Board -> Image: the firmware template and the generated C, through `pio run`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hil.board import Board
from hil.elf import Elf, read_elf
from hil.errors import BuildFailed, HostError
from hil.firmware import registry
from hil.firmware.environments import Environment, environment_of
from hil.firmware.images import build_digest, find_image, image_key, keep_image
from hil.firmware.link_errors import raise_if_too_large
from hil.firmware.slots import project_folder
from hil.firmware.template import fixed_digest, load_template, project_files, write_files
from hil.fit import arena_peak, check_fit
from hil.image import Image
from hil.program import Program
from hil.toolchain import Compiler, find_compiler, platformio_version, run_platformio

_TIMEOUT_S = 300.0


def build(program: Program, board: Board) -> Image:
    """Build the firmware that runs `program` on `board`.

    What cannot fit is told before anything is compiled; what was built before, by the same compiler from the
    same sources, is not built again.  Any number of builds may run at the same time.

    Returns:
        An Image with sizes as linked; `build_s` is 0.0 where it was found in the cache.

    Raises:
        InputError: no firmware for this board yet.
        DoesNotFit: RAM or flash would overflow.
        ToolMissing: no compiler or no PlatformIO, or no way to the registry for a board that needs it.
        BuildFailed: it did not compile, link, or end in time; `log` holds what was printed.
        CacheError: the cache cannot be written.
    """
    started = time.perf_counter()
    environment = environment_of(board)
    check_fit(
        board,
        arena_bytes=program.plan.arena_bytes,
        static_bytes=board.simulator.static_bytes,
        stack_bytes=board.build.stack_bytes,
        code_bytes=0,
        weight_bytes=program.weight_bytes,
        peak=arena_peak(program),
    )
    compiler = _compiler(environment, board.build.toolchain)
    template = load_template()
    key = image_key(program, board, template.digest, compiler)
    kept = _kept(key)
    if kept is not None:
        return _image(program, board, *kept, key=key, compiler=compiler, build_s=0.0)
    with project_folder(environment.name, fixed_digest(template, board)) as folder:
        write_files(project_files(template, program, board, build_digest(key)), folder)
        linked = _compile(folder, environment, program, board)
        path = keep_image(key, linked)
    build_s = time.perf_counter() - started
    return _image(program, board, path, read_elf(path), key=key, compiler=compiler, build_s=build_s)


def _compiler(environment: Environment, prefix: str) -> Compiler:
    return find_compiler(prefix) if environment.is_local else registry.provide(environment, prefix)


def _kept(key: str) -> tuple[Path, Elf] | None:
    path = find_image(key)
    if path is None:
        return None
    try:
        return path, read_elf(path)
    except HostError:  # damaged; built anew and replaced
        return None


def _compile(folder: Path, environment: Environment, program: Program, board: Board) -> Path:
    linked = folder / ".pio" / "build" / environment.name / "firmware.elf"
    run = run_platformio(
        ["run", "-s", "-e", environment.name],
        folder=folder,
        timeout_s=_TIMEOUT_S,
        variables={} if environment.is_local else registry.folders(),
    )
    if run.returncode != 0:
        raise_if_too_large(run.stdout, program, board)
        raise BuildFailed(
            f"the firmware for {board.id} did not build: {_first_error(run.stdout)}",
            log=run.stdout,
            remedy="`hilnas doctor` looks at the set-up; if all is well there, please report this log",
        )
    if not linked.is_file():
        raise BuildFailed(
            f"`pio run` for {board.id} ended well but left no firmware.elf",
            log=run.stdout,
            remedy="`hilnas doctor` looks at the set-up",
        )
    return linked


def _first_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()]
    return (telling or lines or ["nothing was printed"])[0]


def _image(
    program: Program, board: Board, path: Path, elf: Elf, *, key: str, compiler: Compiler, build_s: float
) -> Image:
    return Image(
        program=program,
        board_id=board.id,
        digest=elf.digest,
        elf=path,
        code_bytes=elf.code_bytes,
        weight_bytes=elf.weight_bytes,
        static_bytes=elf.static_bytes,
        arena_bytes=elf.arena_bytes,
        stack_reserved_bytes=elf.stack_bytes,
        build_digest=build_digest(key),
        tools=_tools(compiler),
        build_s=build_s,
    )


def _tools(compiler: Compiler) -> Mapping[str, str]:
    tools = {f"{compiler.prefix}gcc": compiler.version, "platformio": platformio_version()}
    try:
        tools["hilnas"] = version("hilnas")
    except PackageNotFoundError:  # run from a checkout that is not installed
        tools["hilnas"] = "unknown"
    return tools
