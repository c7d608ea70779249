"""The operators that the runtime has: one converter each, from the file's form to typed options.

A converter takes a `Site` and returns the tensor indices that the kernel reads and the operator's options.
It raises UnsupportedOperator for a form that the kernels do not have, BadModel for one that contradicts
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hil.graph.operators import elementwise, maps, weighted
from hil.graph.operators.site import Site
from hil.graph.types import Options

Converter = Callable[[Site], tuple[tuple[int, ...], Options]]

CONVERTERS: Mapping[str, Converter] = {
    "ADD": elementwise.binary,
    "AVERAGE_POOL_2D": maps.pool2d,
    "CONCATENATION": maps.concatenation,
    "CONV_2D": weighted.conv2d,
    "DEPTHWISE_CONV_2D": weighted.depthwise_conv2d,
    "EXPAND_DIMS": maps.reshape,
    "FULLY_CONNECTED": weighted.fully_connected,
    "HARD_SWISH": elementwise.hard_swish,
    "LEAKY_RELU": elementwise.leaky_relu,
    "LOGISTIC": elementwise.logistic,
    "MAX_POOL_2D": maps.pool2d,
    "MEAN": maps.mean,
    "MUL": elementwise.binary,
    "PAD": maps.pad,
    "PADV2": maps.pad,
    "QUANTIZE": elementwise.quantize,
    "RELU": elementwise.relu,
    "RELU6": elementwise.relu,
    "RESHAPE": maps.reshape,
    "SOFTMAX": elementwise.softmax,
    "SQUEEZE": maps.reshape,
    "SUB": elementwise.binary,
    "TANH": elementwise.tanh,
}
