"""Requantization by `hil.codegen.dsp.by_preshift` within bounds of the pre-shift, also where p < 2.

    symbol   meaning
    x        a sum of products with its bias, low <= x <= high
    T(c)     the least x whose output is c or more; as requantization is monotone, the T(c) are all there is
    p, m, b  pre-shift, multiplier, bias of (x << p) + b
    A, S     addend and shift: the output is ((((x << p) + b) m >> 32) + A) >> S

Factors below 2^-S ask for a p below 2, where the addend would be no integer.  With a smaller m they get along
with p = 2 or more: the output is c or more exactly where

    (x << p) + b >= ceil(((c << S) - A) 2^32 / m) =: K(c)

so b has to be in K(c) - (T(c) << p) + [0, 2^p) for each c that occurs; where all these ranges have a value in
common the outputs are exact, by the definition of T, ties and all.  The ranges are as long as a step of x, so
a larger p makes it likelier that they have; it costs bits of m.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.codegen.dsp import OUTPUT_SHIFT, Sums, by_preshift, constant_output, requantize


@dataclass(frozen=True)
class BoundedRescale:
    """How the sums of one channel become outputs: S = `OUTPUT_SHIFT`, A = 2^(p - 2) + 2^(S - 1) + (z << S).

    z is the output's zero point.


    Attributes:
        bias: what the shifted sum begins with: the channel's bias << p, plus b.
        multiplier: m.
        preshift: p.
        ties: a negative sum has 2^(p - 1) less in the addend (unless the layer is rectified).
        steady: the output is constant; the sum is of the bias alone.
    """

    bias: int
    multiplier: int
    preshift: int
    ties: bool
    steady: bool = False


def bounded_rescale(sums: Sums, channel: int, preshifts: tuple[int, int]) -> BoundedRescale | None:
    """With p in `preshifts`, (least, largest); None where no exact one is found."""
    least, largest = preshifts
    constant = constant_output(sums, channel)
    if constant is not None:
        # With m = 2^30 a quarter of the bias is added to A, of which no more than the zero point shows.
        bias = (constant - sums.zero_point) << (OUTPUT_SHIFT + 2)
        return BoundedRescale(bias, 1 << 30, least, ties=False, steady=True)
    wanted = OUTPUT_SHIFT + 1 + sums.factors[channel].shift
    if wanted > largest:
        return None
    if wanted >= least:
        exact = by_preshift(sums, channel)
        if exact is None:
            return None
        return BoundedRescale(exact.bias << exact.preshift, exact.multiplier, exact.preshift, ties=True)
    tried = (_fitted(sums, channel, preshift, preshift - wanted) for preshift in range(least, largest + 1))
    return next((fitted for fitted in tried if fitted is not None), None)


def _fitted(sums: Sums, channel: int, preshift: int, lost: int) -> BoundedRescale | None:
    """With `lost` bits of the multiplier shifted out."""
    multiplier = ((sums.factors[channel].multiplier >> (lost - 1)) + 1) >> 1
    if multiplier == 0:
        return None
    addend = (1 << (preshift - 2)) + (1 << (OUTPUT_SHIFT - 1)) + (sums.zero_point << OUTPUT_SHIFT)
    low, high = int(sums.low[channel]), int(sums.high[channel])
    first, last = _output(sums, channel, low), _output(sums, channel, high)
    at_least, at_most = -(1 << 31), 1 << 31
    for output in range(first + 1, last + 1):
        reached = -(-(((output << OUTPUT_SHIFT) - addend) << 32) // multiplier)
        offset = reached - (_least_sum(sums, channel, output, low, high) << preshift)
        at_least, at_most = max(at_least, offset), min(at_most, offset + (1 << preshift) - 1)
    offset = (at_least + at_most) // 2
    if at_least > at_most or max(-(low << preshift) - offset, (high << preshift) + offset) >= 1 << 31:
        return None
    return BoundedRescale((int(sums.bias[channel]) << preshift) + offset, multiplier, preshift, ties=False)


def _output(sums: Sums, channel: int, value: int) -> int:
    return requantize(value, sums.factors[channel], sums.zero_point)


def _least_sum(sums: Sums, channel: int, output: int, low: int, high: int) -> int:
    """T(output), which lies in (low, high]."""
    while low + 1 < high:
        middle = (low + high) // 2
        if _output(sums, channel, middle) >= output:
            high = middle
        else:
            low = middle
    return high
