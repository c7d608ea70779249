"""Pools, and the mean over all pixels, for cores with the DSP extension: four channels to a word."""

from __future__ import annotations

from hil.codegen.call import Variant
from hil.codegen.kernels import mean, pool2d
from hil.graph.types import Graph, Operator

_CHANNELS = 4


def _whole_words(graph: Graph, operator: Operator) -> bool:
    return graph.tensors[operator.inputs[0]].shape[-1] % _CHANNELS == 0


def _is_mean_of_pixels(graph: Graph, operator: Operator) -> bool:
    """All pixels into one, channel by channel."""
    reduced = [run[2] for run in mean.runs_of(graph, operator)]
    return reduced == [True, False] and _whole_words(graph, operator)


AVERAGE_VARIANTS = (
    Variant("average_pool2d_s8/dsp", "hil_average_pool2d_dsp_s8", pool2d.arguments, accepts=_whole_words),
)
MAX_VARIANTS = (
    Variant("max_pool2d_s8/dsp", "hil_max_pool2d_dsp_s8", pool2d.arguments, accepts=_whole_words),
)
MEAN_VARIANTS = (Variant("mean_s8/dsp", "hil_mean_dsp_s8", mean.arguments, accepts=_is_mean_of_pixels),)
