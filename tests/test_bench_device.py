"""No change may make a model slower or larger unnoticed: figures against the committed table.

Instructions and cycles of the emulator are exact counts of what the image does, so this is no timing test.
After a change that is meant to cost something: make bench-device UPDATE=1
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import committed, mlperf_tiny
from benchmarks.committed import COSTS
from benchmarks.mlperf_tiny import Figures
from tests.support.bench_models import BENCH_MODELS
from tests.support.firmware import needs_toolchain

MODELS = Path(__file__).parents[1] / mlperf_tiny.FOLDER


def model(name: str) -> Path | bytes:
    if name in BENCH_MODELS:
        return BENCH_MODELS[name]()
    path = MODELS / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"the MLPerf Tiny models are not here: {path}")
    return path


@needs_toolchain
@pytest.mark.parametrize("name", [*mlperf_tiny.MODELS, *BENCH_MODELS])
def test_no_figure_is_worse_than_committed(name: str) -> None:
    before = committed.load()
    measured = mlperf_tiny.measure(model(name))
    compiler = committed.compiler_of(measured)
    if compiler != before.compiler:
        pytest.skip(f"the committed figures are those of {before.compiler}, this is {compiler}")
    assert committed.worse(name, mlperf_tiny.figures(measured), before.models[name]) == []


BEFORE: Figures = {**dict.fromkeys(COSTS, 1000), "output_sha256": "ab"}


@pytest.mark.parametrize("cost", COSTS)
def test_two_percent_are_allowed_and_more_is_told(cost: str) -> None:
    assert committed.worse("kws", {**BEFORE, cost: 1020}, BEFORE) == []
    assert committed.worse("kws", {**BEFORE, cost: 900}, BEFORE) == []
    (line,) = committed.worse("kws", {**BEFORE, cost: 1021}, BEFORE)
    assert line == f"kws: {cost} 1,021, committed 1,000, +2.1%"


def test_another_output_is_told() -> None:
    assert len(committed.worse("kws", {**BEFORE, "output_sha256": "cd"}, BEFORE)) == 1


def test_small_models_are_the_same_every_time() -> None:
    for make in BENCH_MODELS.values():
        assert make() == make()
