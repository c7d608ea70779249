"""DEPTHWISE_CONV_2D 3x3 and 5x5 on a core with DSP, four channels at a time in bands of rows.

What the kernel does with the numbers made here is told in hil_depthwise_conv2d_tiles_dsp_s8.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from hil.codegen.call import Arguments, Constant, Symbol, Variant
from hil.codegen.depthwise_stream import GROUP, four_times, shared_addend, stream, sums_and_weights, takes
from hil.codegen.geometry import window_of
from hil.codegen.kernels.depthwise_conv2d_dsp import lines_of
from hil.graph.types import Graph, Operator
from hil.memory import Overlap

#: Scratch may take so much, or a quarter of the input's bytes: more would make an arena grow.
_SCRATCH_BYTES = 2560
_BLOCK_BYTES = {3: 60, 5: 116}
#: (kernel, stride) -> outputs side by side -> cycles for one row of them.
_TILES = {
    (3, 1): {6: 104, 4: 80, 3: 70},
    (3, 2): {6: 114, 3: 77},
    (5, 1): {4: 156, 3: 135},
    (5, 2): {3: 145},
}


@dataclass(frozen=True)
class _Tiles:
    """How a map is cut.

    Attributes:
        kernel, stride: of rows as of columns.
        width, height: of the output.
        outputs: of a tile, side by side.
        band_rows: rows of outputs for which the input is in scratch.
    """

    kernel: int
    stride: int
    width: int
    height: int
    outputs: int
    band_rows: int

    @property
    def tiles(self) -> int:
        """That cover a row."""
        return -(-self.width // self.outputs)

    @property
    def row_words(self) -> int:
        """Pairs of values that a tile reads of a row."""
        return ((self.outputs - 1) * self.stride + self.kernel + 1) // 2

    @property
    def strip_words(self) -> int:
        return self.row_words * ((self.band_rows - 1) * self.stride + self.kernel)

    @property
    def bands(self) -> int:
        return -(-self.height // self.band_rows)

    @property
    def scratch_bytes(self) -> int:
        return GROUP * (_BLOCK_BYTES[self.kernel] + 4 * self.tiles * self.strip_words)

    @property
    def cycles(self) -> int:
        """Of a group of channels, about: laying, tiles, rows that are kept for the next band, weights."""
        laid = self.height * self.stride * (24 * self.row_words + 45)
        made = GROUP * (_TILES[self.kernel, self.stride][self.outputs] * self.height + 20 * self.bands)
        kept = (self.bands - 1) * GROUP * (self.kernel - self.stride) * self.row_words * 7
        return self.tiles * (laid + made + kept + 60 * self.bands) + 90 * _BLOCK_BYTES[self.kernel] // 14


def _tiles(window: Mapping[str, int]) -> _Tiles | None:
    """The fastest cut; None where the map is too narrow, or a band too large for scratch."""
    limit = max(_SCRATCH_BYTES, prod(window[size] for size in ("input_h", "input_w", "input_c")) // 4)
    found = [tiles for tiles in _cuts(window) if tiles.scratch_bytes <= limit]
    return min(found, key=lambda tiles: tiles.cycles, default=None)


def _cuts(window: Mapping[str, int]) -> Iterator[_Tiles]:
    kernel, stride = window["kernel_h"], window["stride_h"]
    width, height = window["output_w"], window["output_h"]
    for outputs in _TILES[kernel, stride]:
        if outputs <= width:
            for rows in range(1, height + 1):
                yield _Tiles(kernel, stride, width, height, outputs, rows)


def _accepts(graph: Graph, operator: Operator) -> bool:
    if not takes(graph, operator, kernels=(3, 5)):
        return False
    window = window_of(graph, operator)
    tiles = _tiles(window)
    return tiles is not None and (window["kernel_h"] == 5 or tiles.cycles < lines_of(window).cycles)


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    window = window_of(graph, operator)
    tiles, found = _tiles(window), sums_and_weights(graph, operator)
    assert tiles is not None
    assert found is not None
    sums, weights = found
    size = f"{tiles.kernel}x{tiles.kernel}"
    kind = "rectified" if sums.rectified else "signed"
    data = stream(sums, np.ascontiguousarray(weights))
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_depthwise_conv2d_tiles_dsp_params",
        params={
            "window": window,
            "groups": window["input_c"] // GROUP,
            "tile": Symbol(f"hil_depthwise_{size}_{tiles.stride}x{tiles.outputs}_{kind}_dsp_s8"),
            "outputs": tiles.outputs,
            "tiles": tiles.tiles,
            "row_words": tiles.row_words,
            "band_rows": tiles.band_rows,
            "bands": tiles.bands,
            "strip_words": tiles.strip_words,
            "block_bytes": _BLOCK_BYTES[tiles.kernel],
            "padding": four_times(window["padding_value"]),
            "filling": 0x10001 * 4 * (window["padding_value"] + 128),
            "addend": shared_addend(sums),
            "expand": Symbol(f"hil_depthwise_expand_{size}_dsp_s8"),
            "channel_bytes": len(data) // window["input_c"],
            "channels": Constant("channels", data),
        },
    )


def _scratch(graph: Graph, operator: Operator) -> int:
    tiles = _tiles(window_of(graph, operator))
    assert tiles is not None
    return tiles.scratch_bytes


def _overlap(graph: Graph, operator: Operator) -> Overlap | None:
    """The output over the input from its start, where no band writes what a later one has to read first.

    Each group of channels is on its own, for its bytes are the same ones of every pixel in both.
    """
    window = window_of(graph, operator)
    tiles = _tiles(window)
    assert tiles is not None
    written = np.arange(1, tiles.bands) * tiles.band_rows  # rows of the output after each band but the last
    unread = (written - 1) * tiles.stride + tiles.kernel - window["pad_top"]
    safe = written * tiles.width <= unread * window["input_w"]
    return Overlap(0) if bool(np.all(safe | (unread >= window["input_h"]))) else None


VARIANTS = (
    Variant(
        "depthwise_conv2d_s8/tiles_dsp",
        "hil_depthwise_conv2d_tiles_dsp_s8",
        _arguments,
        accepts=_accepts,
        scratch_bytes=_scratch,
        overlap=_overlap,
    ),
)
