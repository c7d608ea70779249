"""The depthwise kernels for DSP cores: each inner loop has a case, and their requantization is exact."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codegen import Target, generate
from hil.codegen.dsp import OUTPUT_SHIFT, Sums, requantize
from hil.codegen.dsp_steps import bounded_rescale
from hil.codegen.fixed_point import Factor
from hil.graph import read
from hil.resources import firmware_dir
from tests.support.operator_cases import fixed_cases

KERNELS = firmware_dir() / "lib" / "kernels"
PRESHIFTS = (2, 10)


def test_every_inner_loop_has_a_case() -> None:
    """The host and the emulated board run the fixed cases; a loop that none of them calls would go unheld."""
    declared = set(
        re.findall(
            r"^(?:extern const hil_depthwise_sweeps|hil_depthwise_tile) (\w+);",
            "".join((KERNELS / f"hil_depthwise_{kind}_dsp_s8.h").read_text() for kind in ("sweeps", "tiles")),
            re.MULTILINE,
        )
    )
    assert len(declared) == 20
    sources = "".join(
        text
        for case in fixed_cases()
        if case.name.startswith("depthwise")
        for text in generate(read(case.model), Target(dsp=True)).sources.values()
    )
    assert declared <= set(re.findall(r"\w+", sources))


@st.composite
def _channels(draw: st.DrawFn) -> Sums:
    """One channel, dead or alive, narrow or wide, with any zero point."""
    shift = draw(st.integers(-18, 0))
    reach = 1 << 7 - shift  # a sum of about that makes the largest output
    bias = draw(st.integers(-reach // 2, reach // 2))
    spread = reach >> draw(st.integers(0, 6)) & 0x3FFFF
    factor = Factor(draw(st.integers(1 << 30, (1 << 31) - 1)), shift)
    zero_point = draw(st.just(-128) | st.integers(-128, 127))
    array = lambda value: np.array([value], dtype=np.int64)  # noqa: E731
    return Sums(
        bias=array(bias),
        low=array(bias - spread),
        high=array(bias + spread),
        factors=(factor,),
        zero_point=zero_point,
        rectified=zero_point == -128,
    )


@settings(max_examples=300, deadline=None)
@given(_channels(), st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_bounded_rescale_is_what_two_roundings_give(sums: Sums, places: list[float]) -> None:
    rescale = bounded_rescale(sums, 0, PRESHIFTS)
    if rescale is None:
        return
    low, high, bias = int(sums.low[0]), int(sums.high[0]), int(sums.bias[0])
    preshift = rescale.preshift
    assert PRESHIFTS[0] <= preshift <= PRESHIFTS[1]
    addend = (1 << (preshift - 2)) + (1 << (OUTPUT_SHIFT - 1)) + (sums.zero_point << OUTPUT_SHIFT)
    for value in {low, high, *(low + round(place * (high - low)) for place in places)}:
        products = 0 if rescale.steady else value - bias
        shifted = rescale.bias + (products << preshift)
        assert -(1 << 31) <= shifted < 1 << 31
        lost = 1 << (preshift - 1) if rescale.ties and not sums.rectified and shifted < 0 else 0
        scaled = (shifted * rescale.multiplier >> 32) + addend - lost
        assert -(1 << 31) <= scaled < 1 << 31
        made = min(max(scaled >> OUTPUT_SHIFT, -128), 127)
        assert made == requantize(value, sums.factors[0], sums.zero_point)
