"""Instructions, cycles and bytes of models on the emulated nRF52840, beside those of others.

    make bench-device                       the MLPerf Tiny models in MODELS=DIR -> build/bench-device.json
    make bench-device MODEL=path.tflite     any one model
    make bench-device UPDATE=1              renews the committed table, benchmarks/device.json

Figures of the emulator are exact counts (instructions) or come from its timing model (cycles).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import committed, mlperf_tiny
from benchmarks.device_tables import Result, layer_table, load_peers, memory_table, sources, work_table
from hil.errors import HilError
from tests.support.bench_models import BENCH_MODELS

_WIDTH = 125  # that the tables need; on a narrower terminal they are wrapped rather than cut


def main(folder: Path, model: Path | None, *, update: bool) -> int:
    present = {model.stem: model} if model is not None else mlperf_tiny.present(folder)
    if not present:
        print(mlperf_tiny.none_there(folder, "make bench-device"))
        return 2
    results = [Result(name, mlperf_tiny.measure(path), path.stat().st_size) for name, path in present.items()]
    show(results, with_peers=model is None)
    found = {result.name: mlperf_tiny.figures(result.measurement) for result in results}
    mlperf_tiny.write(Path("build/bench-device.json"), found)
    if model is None:
        small = {name: mlperf_tiny.measure(make()) for name, make in BENCH_MODELS.items()}
        found |= {name: mlperf_tiny.figures(m) for name, m in small.items()}
        compare(found)
        if update:
            renew(found, committed.compiler_of(results[0].measurement))
    return 0


def show(results: list[Result], *, with_peers: bool) -> None:
    """Print the tables."""
    console = Console()
    console.width = max(console.width, _WIDTH)
    peers = load_peers() if with_peers else None
    console.print(f"on {mlperf_tiny.DEVICE}, {committed.compiler_of(results[0].measurement)}")
    console.print(work_table(results, peers))
    console.print(memory_table(results, peers))
    for result in results:
        console.print(layer_table(result))
    for line in sources(peers or {}):
        console.print(line, style="dim", highlight=False)


def compare(found: dict[str, mlperf_tiny.Figures]) -> None:
    """Say what is worse than committed."""
    before = committed.load().models if committed.PATH.is_file() else {}
    lines = [
        line for name in found if name in before for line in committed.worse(name, found[name], before[name])
    ]
    print("\n".join(["worse than committed:", *lines] if lines else ["nothing is worse than committed"]))


def renew(found: dict[str, mlperf_tiny.Figures], compiler: str) -> None:
    """Write the committed table; a model that was not there keeps its figures."""
    before = committed.load().models if committed.PATH.is_file() else {}
    committed.save(compiler, {**before, **found})
    print(f"renewed {committed.PATH.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=mlperf_tiny.FOLDER)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    try:
        sys.exit(main(arguments.folder, arguments.model, update=arguments.update))
    except HilError as error:  # a model that is not one, or that no kernel serves
        sys.exit(f"error: {error}")
