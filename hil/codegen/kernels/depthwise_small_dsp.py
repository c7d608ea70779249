"""DEPTHWISE_CONV_2D 3x3 on a core with DSP, for maps that fit into scratch, four channels at a time.

What the kernel does with the numbers made here is told in hil_depthwise_conv2d_small_dsp_s8.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hil.codegen.call import Arguments, Constant, Symbol, Variant
from hil.codegen.depthwise_stream import GROUP, four_times, shared_addend, stream, sums_and_weights, takes
from hil.codegen.geometry import window_of
from hil.codegen.kernels.depthwise_conv2d_dsp import lines_of
from hil.graph.types import Graph, Operator
from hil.memory import Overlap

#: More would rather make an arena grow than save time: maps this large have long lines.
_LARGEST_SCRATCH_BYTES = 2560
_BLOCK_BYTES = 56
#: Outputs side by side -> cycles for one row of them, by stride.
_TILES = {1: {6: 104, 4: 80, 3: 70}, 2: {6: 114, 3: 77}}


@dataclass(frozen=True)
class _Tiles:
    """How a map is cut.

    Attributes:
        outputs: of a tile, side by side.
        tiles: that cover a row.
        row_words: pairs of values that a tile reads of a row.
        rows: that the outputs read, padding included.
        cycles: of a group of channels, about.
    """

    outputs: int
    tiles: int
    row_words: int
    rows: int
    cycles: int

    @property
    def scratch_bytes(self) -> int:
        return GROUP * (_BLOCK_BYTES + 4 * self.tiles * self.row_words * self.rows)


def _tiles(window: Mapping[str, int]) -> _Tiles | None:
    """The fastest cut; None where the map is too small or too large."""
    stride, width = window["stride_h"], window["output_w"]
    found = []
    for outputs, cycles in _TILES[stride].items():
        if outputs > width:
            continue
        row_words = outputs + 1 if stride == 2 else (outputs + 3) // 2
        rows = (window["output_h"] - 1) * stride + 3
        laid = min(rows, window["input_h"]) * (24 * row_words + 45)
        tiles = -(-width // outputs)
        found.append(
            _Tiles(
                outputs, tiles, row_words, rows, tiles * (laid + GROUP * cycles * window["output_h"]) + 400
            )
        )
    found = [tiles for tiles in found if tiles.scratch_bytes <= _LARGEST_SCRATCH_BYTES]
    return min(found, key=lambda tiles: tiles.cycles, default=None)


def _accepts(graph: Graph, operator: Operator) -> bool:
    if not takes(graph, operator):
        return False
    window = window_of(graph, operator)
    tiles = _tiles(window)
    return tiles is not None and tiles.cycles < lines_of(window).cycles


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    window = window_of(graph, operator)
    tiles, found = _tiles(window), sums_and_weights(graph, operator)
    assert tiles is not None
    assert found is not None
    sums, weights = found
    kind = "rectified" if sums.rectified else "signed"
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_depthwise_conv2d_small_dsp_params",
        params={
            "window": window,
            "groups": window["input_c"] // GROUP,
            "tile": Symbol(f"hil_depthwise_tile_{window['stride_h']}x{tiles.outputs}_{kind}_dsp_s8"),
            "outputs": tiles.outputs,
            "tiles": tiles.tiles,
            "row_words": tiles.row_words,
            "strip_words": tiles.row_words * tiles.rows,
            "padding": four_times(window["padding_value"]),
            "addend": shared_addend(sums),
            "channels": Constant("channels", stream(sums, np.ascontiguousarray(weights))),
        },
    )


def _scratch(graph: Graph, operator: Operator) -> int:
    tiles = _tiles(window_of(graph, operator))
    assert tiles is not None
    return tiles.scratch_bytes


VARIANTS = (
    Variant(
        "depthwise_conv2d_s8/small_dsp",
        "hil_depthwise_conv2d_small_dsp_s8",
        _arguments,
        accepts=_accepts,
        scratch_bytes=_scratch,
        overlap=lambda graph, operator: Overlap(0),  # a group of channels is in scratch before it is written
    ),
)
