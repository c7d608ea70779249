"""Execution in stripes, in figures: what is cut where, and what a plan promises before anything is built."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hil.codegen import PORTABLE, Target, generate
from hil.codegen.fuse_pad import fuse_pad
from hil.errors import ArenaOverLimit
from hil.graph import read
from hil.graph.types import Graph, RowJoin, RowSlice
from hil.macs import model_macs, operator_macs
from hil.memory import ALIGNMENT
from hil.patches import Patches
from hil.stripes import all_plans, compile_plan, cut, fit, stages
from hil.stripes.arena import Arenas
from hil.stripes.stage import boundaries
from tests.support.network_cases import NetworkBuilder
from tests.support.operator_models import Case
from tests.support.stripe_cases import Link, chain, chains, fixed_chains

TARGETS = (PORTABLE, Target(dsp=True))


def two_convolutions(height: int = 32, width: int = 8) -> Graph:
    """3x3 and 3x3, on maps that are narrow before and wide between."""
    links = [Link("conv", channels=16), Link("conv", channels=4)]
    return read(chain(1, (height, width, 4), links).model)


def test_stages_begin_with_the_first_operator_and_end_where_one_tensor_is_left() -> None:
    case = chain(4, (16, 16, 4), [Link("residual"), Link("max_pool", (2, 2), (2, 2))])
    graph = read(case.model)
    names = [operator.name for operator in graph.operators]
    assert names[:3] == ["CONV_2D", "ADD", "MAX_POOL_2D"]
    # Not behind the convolution: the sum reads the input as well, which stays, so it may; the mean takes all.
    assert [(stage.first, stage.last) for stage in stages(graph)] == [(0, 0), (0, 1), (0, 2)]


def test_a_stage_ends_before_an_inner_tensor_that_is_read_later() -> None:
    n = NetworkBuilder(3)
    x = n.b.input((1, 8, 8, 4), scale=0.02, zero_point=0)
    first = n.conv(x, 4, (3, 3))
    second = n.conv(first, 4, (3, 3))
    y = n.b.mean(n.add(first, second), (1, 2), out_scale=0.02, out_zero_point=0)
    graph = read(n.b.finish(y))
    assert [(stage.first, stage.last) for stage in stages(graph)] == [(0, 0), (0, 2)]


def test_stripes_need_the_rows_around_them_and_no_more() -> None:
    graph = two_convolutions()
    stage = list(stages(graph))[1]
    striped = cut(graph, stage, (0, 10, 20, 32))
    shares = [
        (op.stripe.operator, op.stripe.first_row, op.stripe.end_row)
        for op in striped.operators
        if op.stripe is not None and not isinstance(op.options, RowSlice | RowJoin)
    ]
    assert shares == [(0, 0, 11), (1, 0, 10), (0, 9, 21), (1, 10, 20), (0, 19, 32), (1, 20, 32)]
    slices = [
        (op.options.first_row, striped.tensors[op.output].shape[1])
        for op in striped.operators
        if isinstance(op.options, RowSlice)
    ]
    assert slices == [(0, 12), (8, 14), (18, 14)]
    macs_per_row = 8 * 16 * 3 * 3 * 4
    assert model_macs(striped) - model_macs(graph) == macs_per_row * (11 + 12 + 13 - 32)
    assert striped.digest == graph.digest


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=chains, stripes=st.integers(2, 8))
def test_boundaries_are_in_order_and_nearly_even(case: Case, stripes: int) -> None:
    graph = read(case.model)
    for stage in stages(graph):
        edges = boundaries(graph, stage, stripes)
        height = graph.tensors[stage.output].shape[1]
        if edges is not None:
            assert (edges[0], edges[-1], len(edges)) == (0, height, stripes + 1)
            assert all(first < end for first, end in pairwise(edges))
            assert all(
                abs(edge - part * height / stripes) <= 4 * ALIGNMENT for part, edge in enumerate(edges)
            )


def test_an_odd_row_is_cut_where_bytes_are_aligned() -> None:
    """Rows of 3 bytes: only every fourth begins at a word."""
    graph = read(chain(1, (16, 3, 1), [Link("tanh")]).model)
    (stage,) = stages(graph)
    assert boundaries(graph, stage, 3) == (0, 4, 12, 16)
    assert boundaries(graph, stage, 5) is None


def test_plans_are_a_front_and_keep_their_word() -> None:
    """What a plan says is what its program needs."""
    graph = two_convolutions()
    for target in TARGETS:
        plans = all_plans(graph, target)
        assert len(plans) >= 3
        assert plans[0].patches is None
        for cheaper, smaller in pairwise(plans):
            assert cheaper.macs < smaller.macs
            assert cheaper.arena_bytes > smaller.arena_bytes
        for plan in plans:
            program = compile_plan(plan, target)
            assert program.plan.arena_bytes == plan.arena_bytes
            assert sum(operator_macs(program.graph, op) for op in program.graph.operators) == plan.macs
            assert program.digest == graph.digest
            assert program.patches == plan.patches
            if plan.patches is not None:
                assert plan.patches.recomputed_macs == plan.macs - model_macs(graph)
                assert plan.patches.plain_arena_bytes == plans[0].arena_bytes


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=chains, target=st.sampled_from(TARGETS), data=st.data())
def test_the_cheap_bound_is_one(case: Case, target: Target, data: st.DataObject) -> None:
    """No candidate is left out that could have been better."""
    graph = fuse_pad(read(case.model))
    possible = [
        (stage, edges)
        for stage in stages(graph)
        for stripes in range(2, graph.tensors[stage.output].shape[1] + 1)
        if (edges := boundaries(graph, stage, stripes)) is not None
    ]
    assume(possible)
    stage, edges = data.draw(st.sampled_from(possible))
    arenas = Arenas(graph, target)
    striped = cut(graph, stage, edges)
    assert arenas.at_least(striped, stage) <= arenas.bytes_of(striped)
    assert arenas.bytes_of(striped) == generate(striped, target).plan.arena_bytes


def test_the_cheapest_plan_that_fits_is_taken() -> None:
    graph = two_convolutions()
    plans = all_plans(graph, PORTABLE)
    plain, first, second = plans[:3]
    assert fit(graph, PORTABLE, plain.arena_bytes).patches is None
    assert fit(graph, PORTABLE, plain.arena_bytes - 1).patches == first.patches
    assert fit(graph, PORTABLE, second.arena_bytes).patches == second.patches
    with pytest.raises(ArenaOverLimit, match=f"{plans[-1].arena_bytes:,}") as refusal:
        fit(graph, PORTABLE, plans[-1].arena_bytes - 1)
    assert refusal.value.needed_bytes == plans[-1].arena_bytes


def test_a_network_that_cannot_be_cut_has_its_plain_plan() -> None:
    n = NetworkBuilder(1)
    x = n.b.input((1, 16), scale=0.02, zero_point=0)
    graph = read(n.b.finish(n.dense(x, 4)))
    assert [str(plan) for plan in all_plans(graph, PORTABLE)] == ["in one piece"]


def test_stripes_share_weights_and_equal_parameters() -> None:
    """Flash grows by the calls, not by copies of what they have in common."""
    graph = two_convolutions()
    stage = list(stages(graph))[1]
    edges = boundaries(graph, stage, 8)
    assert edges is not None
    plain, striped = generate(graph), generate(cut(graph, stage, edges))
    assert striped.weight_bytes == plain.weight_bytes
    params = striped.sources["model.c"].count("static const HIL_FLASH hil_conv2d_params")
    assert params == 2 * 3  # of the first stripe, of those inside, of the last one


@pytest.mark.parametrize("case", fixed_chains(), ids=lambda case: case.name)
def test_plain_plan_is_that_of_the_compiler(case: Case) -> None:
    for target in TARGETS:
        graph = read(case.model)
        arena_bytes = generate(graph, target).plan.arena_bytes
        plan = fit(graph, target, arena_bytes)
        assert (plan.arena_bytes, plan.patches) == (arena_bytes, None)


def test_patches_are_told_in_one_line_and_survive_settings() -> None:
    patches = Patches(first=0, last=3, stripes=4, macs=1061, recomputed_macs=61, plain_arena_bytes=4000)
    assert str(patches) == "operators 0-3 in 4 stripes, +6.1% MACs"
    assert Patches.from_settings({"warmup_runs": 1.0, **patches.to_settings()}) == patches
    assert Patches.from_settings({"warmup_runs": 1.0}) is None
    assert Patches.from_dict(patches.to_dict()) == patches
