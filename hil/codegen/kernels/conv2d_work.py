"""How many instructions the kernels of a 3x3 convolution take, direct and by Winograd, on a core with DSP.

Counted from their inner loops; the emulator counts within 4 % of it at the shapes that matter (8 x 8 outputs
or more, 16 channels or more), and within 10 % at smaller ones.
"""

from __future__ import annotations

# Per column of three: fetching its values, and per pair of output channels multiplying and requantizing them.
_FETCH_VALUE, _FETCH = 5.3, 50
_MULTIPLY_FOUR, _REQUANTIZE = 17, 57

# Winograd: of a tile, of a group of three tiles and two output channels, of the weights of an output channel.
_INPUT_CHANNEL, _TILE = 58, 80
_POSITION_CHANNEL, _POSITION, _WIDE_POSITION, _GROUP = 4, 5, 5, 35
_OUTPUTS = 118
_WEIGHTS_CHANNEL = 28.7


def direct(pixels: int, channels: int, output_c: int) -> int:
    """hil_conv2d_dsp_s8, of so many outputs."""
    depth = 9 * channels
    column = _FETCH_VALUE * depth + _FETCH
    pair = _MULTIPLY_FOUR * depth / 4 + _REQUANTIZE
    return round(-(-pixels // 3) * (column + output_c / 2 * pair))


def winograd(
    tiles: int, channels: int, depth: int, output_c: int, band: int, *, transforms_weights: bool
) -> int:
    """hil_conv2d_winograd_dsp_s8, of so many tiles, `band` at a time."""
    bands = -(-tiles // band)
    whole, rest = divmod(tiles, band)
    groups = whole * -(-band // 3) + -(-rest // 3)
    position = _POSITION_CHANNEL * depth + _POSITION + (_WIDE_POSITION + 3 * (depth // 16 - 1)) * (depth > 16)
    weights = bands * output_c * _WEIGHTS_CHANNEL * depth if transforms_weights else 0
    return round(
        tiles * (_INPUT_CHANNEL * channels + _TILE)
        + weights
        + output_c / 2 * (groups * (16 * position + _GROUP) + tiles * _OUTPUTS)
    )
