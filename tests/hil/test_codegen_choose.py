"""Faster kernels where the arena has the room: never more RAM than asked for, and the room is used."""

from __future__ import annotations

import numpy as np
import pytest

from hil.codegen import PORTABLE, Target, generate
from hil.codegen import choose as choose_module
from hil.graph import Graph, read
from hil.memory import plan
from tests.support.network_cases import NetworkBuilder

DSP = Target(dsp=True)


def network(*sizes: int, first: int = 16) -> Graph:
    """3x3 convolutions one after the other, of so many channels, on a map of `first` by `first`."""
    b = NetworkBuilder(1)
    x = b.b.input((1, first, first, sizes[0]), scale=0.05, zero_point=-128)
    for channels in sizes[1:]:
        x = b.conv(x, channels, (3, 3))
    return read(b.b.finish(x))


def winograd(variants: tuple[str, ...]) -> list[bool]:
    return ["winograd" in variant for variant in variants]


def least(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> int:
    with monkeypatch.context() as patch:
        patch.setattr(choose_module, "faster", lambda *_: ())
        return generate(graph, DSP).plan.arena_bytes


def test_an_operator_away_from_the_peak_gets_the_faster_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(16, 16, 64)
    program = generate(graph, DSP)
    assert winograd(program.variants) == [True, False]
    assert program.plan.arena_bytes == least(graph, monkeypatch)


def test_the_room_that_is_granted_is_used_and_not_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(32, 32, 32)
    smallest = least(graph, monkeypatch)
    served = []
    for more in range(0, 30000, 1500):
        program = generate(graph, DSP, arena_limit=smallest + more)
        assert program.plan.arena_bytes <= smallest + more
        served.append(sum(winograd(program.variants)))
    assert served[0] == 0
    assert served[-1] == 2


def test_a_limit_below_the_least_arena_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(16, 16, 16)
    assert generate(graph, DSP, arena_limit=1).plan.arena_bytes == least(graph, monkeypatch)


def test_a_core_without_dsp_has_no_use_for_the_room() -> None:
    assert not any(winograd(generate(network(16, 16), PORTABLE, arena_limit=1 << 20).variants))


def test_what_would_be_slower_is_not_offered() -> None:
    program = generate(network(4, 4, 2), DSP, arena_limit=1 << 20)
    assert not any(winograd(program.variants))


def test_plans_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search compiles thousands of networks."""
    graph = network(*[16] * 24)
    calls = []

    def counted(*arguments: object) -> object:
        calls.append(1)
        return plan(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(choose_module, "plan", counted)
    for more in range(0, 20000, 2500):
        calls.clear()
        generate(graph, DSP, arena_limit=10000 + more)
        assert 0 < len(calls) <= 17


def test_weights_transformed_in_flash_are_those_that_the_kernel_would_make() -> None:
    """Against the definition: 4 Y = A' [(G' g G'^T) * (B^T d B)] A'^T, for one channel of integers."""
    from hil.codegen.kernels.conv2d_winograd_dsp import transformed_words

    random = np.random.default_rng(2)
    weights = random.integers(-128, 128, (2, 3, 3, 16)).astype(np.int8)
    pairs = transformed_words(weights).view(np.int16).reshape(16, 8, 2, 2).astype(np.int64)
    b = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    a = np.array([[2, 1, 1, 0], [0, 1, -1, -2]])
    d = random.integers(-128, 128, (4, 4))
    for position, channel in enumerate([0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15]):
        for output in range(2):
            u = pairs[:, position // 2, output, position % 2].reshape(4, 4)
            got = a @ (u * (b @ d @ b.T)) @ a.T
            g = weights[output, :, :, channel].astype(np.int64)
            expected = [[(g * d[y : y + 3, x : x + 3]).sum() for x in range(2)] for y in range(2)]
            np.testing.assert_array_equal(got, 4 * np.array(expected))
