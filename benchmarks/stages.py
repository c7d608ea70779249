"""Seconds per stage of one candidate of about 1 M MACs on the emulated nRF52840, warm.

Run: make bench-stages

One candidate is run first and not counted: it loads TensorFlow, fills PlatformIO's folders and compiles the
kernels.  Those that count differ in their weights and widths, so that no stage finds its work done.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from hil.bench import BenchSettings, bench
from hil.board import load_board
from hil.codegen import Target, generate
from hil.devices import open_device
from hil.graph import read
from hil.interpreter import truth
from hil.macs import model_macs
from hil.quantize import quantize
from search import network
from search.space import make_space
from search.space.base import Architecture

DEVICE = "emulated:nrf52840_dk"
BOARD = load_board("nrf52840_dk")
INPUT = (32, 32, 3)
WIDTHS = (24, 20, 28, 32, 36, 40)  # the first is the warm-up
GROUPS = {  # what stands together in the target -> seconds to reach
    "quantize, graph, plan, codegen": (("quantize", "graph", "plan and codegen"), 1.5),
    "build": (("build",), 1.5),
    "flash and measure": (("flash and measure",), 2.0),
}


def stages_of(width: int) -> tuple[dict[str, float], int]:
    """Seconds of each stage of one candidate, and its MACs."""
    space = make_space("chain", {"filters": [16, 48, *WIDTHS]}, input_shape=INPUT, classes=10)
    layers = space.layers(Architecture("chain", f"conv3-16/2 ds3-{width} ds3-{width}/2 ds3-48 ir3-48x2"))
    network.forget_models()
    model = network.build(layers, INPUT, seed=width)
    samples = np.random.default_rng(width).random((100, *INPUT), dtype=np.float32)
    seconds: dict[str, float] = {}
    start = time.perf_counter()

    def stop(stage: str) -> None:
        nonlocal start
        seconds[stage] = time.perf_counter() - start
        start = time.perf_counter()

    tflite = quantize(model, samples)
    stop("quantize")
    graph = read(tflite)
    stop("graph")
    program = generate(graph, Target.of(BOARD))
    stop("plan and codegen")
    device = open_device(DEVICE)
    image = device.build(program)
    stop("build")
    bench(image, device, BenchSettings(), truth(graph))
    stop("flash and measure")
    device.close()
    return seconds, model_macs(graph)


def main() -> None:
    stages_of(WIDTHS[0])
    runs = [stages_of(width) for width in WIDTHS[1:]]
    macs = [count / 1e6 for _, count in runs]
    sizes = f"{len(runs)} candidates of {min(macs):.2f} to {max(macs):.2f} M MACs"
    table = Table(title=f"wall seconds per stage, {sizes}, {DEVICE}")
    for heading in ("stage", "median", "min", "max", "to reach"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for group, (stages, target_s) in GROUPS.items():
        for stage in stages:
            times = [seconds[stage] for seconds, _ in runs]
            if len(stages) > 1:
                table.add_row(f"  {stage}", *_row(times), "")
        sums = [sum(seconds[stage] for stage in stages) for seconds, _ in runs]
        table.add_row(group, *_row(sums), f"<= {target_s}", style="bold")
    Console().print(table)


def _row(times: list[float]) -> list[str]:
    return [f"{value:.2f}" for value in (statistics.median(times), min(times), max(times))]


if __name__ == "__main__":
    main()
