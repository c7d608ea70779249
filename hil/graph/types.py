"""The typed, immutable picture of one int8 .tflite model.  Numpy only.

Shapes are NHWC as in TFLite and keep their batch dimension, which is always 1.  What a .tflite file keeps in
constant tensors beside an operator (the paddings of PAD, the axes of MEAN, the new shape of RESHAPE) is
resolved into the operator's options, so that a reader of a Graph never looks for it elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


class Activation(Enum):
    """Fused activation of an operator (`ActivationFunctionType` of the TFLite schema)."""

    NONE = "NONE"
    RELU = "RELU"
    RELU_N1_TO_1 = "RELU_N1_TO_1"
    RELU6 = "RELU6"


class Padding(Enum):
    """Padding scheme of convolutions and pools (`Padding` of the TFLite schema)."""

    SAME = "SAME"
    VALID = "VALID"


@dataclass(frozen=True)
class Borders:
    """How far the first windows reach beyond the input, where neither SAME nor VALID tells.

    No file holds this; passes that fuse a PAD or cut an operator into stripes leave it.  What is missing
    below and to the right follows from the sizes of input and output.

    Attributes:
        top: rows above the input.
        left: columns to the left of it.
    """

    top: int
    left: int


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero_point), per tensor (length 1) or per channel along `axis`."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor.

    Attributes:
        index: position in `Graph.tensors`.
        dtype: "int8", "int32", ... as numpy spells it.
        quantization: None for tensors that carry no scale (shapes, axes).
        data: read-only constant, shape `shape`; None for activations.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None = None
    data: NDArray[np.generic] | None = None

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return self.elements * np.dtype(self.dtype).itemsize

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def scale(self) -> float:
        """The per-tensor scale.  Raises ValueError where there is none."""
        if self.quantization is None or len(self.quantization.scale) != 1:
            raise ValueError(f"tensor '{self.name}' has no per-tensor scale")
        return self.quantization.scale[0]

    @property
    def zero_point(self) -> int:
        """The per-tensor zero point.  Raises ValueError where there is none."""
        if self.quantization is None or len(self.quantization.zero_point) != 1:
            raise ValueError(f"tensor '{self.name}' has no per-tensor zero point")
        return self.quantization.zero_point[0]


@dataclass(frozen=True)
class Conv2D:
    """inputs: activation (1,H,W,C), weights (O,KH,KW,C), bias (O) int32 (may be absent)."""

    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    padding: Padding
    activation: Activation
    borders: Borders | None = None  # in the place of `padding`


@dataclass(frozen=True)
class DepthwiseConv2D:
    """inputs: activation (1,H,W,C), weights (1,KH,KW,C*multiplier), bias (C*multiplier) int32 or absent."""

    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    padding: Padding
    multiplier: int
    activation: Activation
    borders: Borders | None = None  # in the place of `padding`


@dataclass(frozen=True)
class FullyConnected:
    """inputs: activation (..., I), weights (O, I), bias (O) int32 (may be absent)."""

    activation: Activation


@dataclass(frozen=True)
class Add:
    """Elementwise sum with TFLite broadcasting."""

    activation: Activation


@dataclass(frozen=True)
class Sub:
    """Elementwise difference, first minus second, with TFLite broadcasting."""

    activation: Activation


@dataclass(frozen=True)
class Mul:
    """Elementwise product with TFLite broadcasting."""

    activation: Activation


@dataclass(frozen=True)
class Concatenation:
    """`axis` is non-negative."""

    axis: int


@dataclass(frozen=True)
class Pad:
    """`paddings`: (before, after) per dimension; `value`: the int8 value that is filled in."""

    paddings: tuple[tuple[int, int], ...]
    value: int


@dataclass(frozen=True)
class AveragePool2D:
    filter_h: int
    filter_w: int
    stride_h: int
    stride_w: int
    padding: Padding
    activation: Activation
    borders: Borders | None = None  # in the place of `padding`


@dataclass(frozen=True)
class MaxPool2D:
    filter_h: int
    filter_w: int
    stride_h: int
    stride_w: int
    padding: Padding
    activation: Activation
    borders: Borders | None = None  # in the place of `padding`


@dataclass(frozen=True)
class Mean:
    """`axes` are non-negative and sorted."""

    axes: tuple[int, ...]
    keep_dims: bool


@dataclass(frozen=True)
class Reshape:
    """Same bytes under another shape (RESHAPE, EXPAND_DIMS, SQUEEZE): costs nothing."""


@dataclass(frozen=True)
class RowSlice:
    """Rows `first_row` and following of the input (1,H,W,C), as many as the output has.

    The output is a view: its bytes are those of the input at `first_row` * W * C.  Nothing runs.  No file
    holds this operator; it is for graphs that are executed in stripes.  The view's first byte must lie at a
    multiple of `hil.memory.ALIGNMENT`.
    """

    first_row: int


@dataclass(frozen=True)
class RowJoin:
    """The rows of all inputs (1,H_i,W,C), one input below the other.

    Every input is a view: it is written straight into its rows of the output.  Nothing runs.  No file holds
    this operator; it is for graphs that are executed in stripes.  An input's first byte must lie at a
    multiple of `hil.memory.ALIGNMENT`, and no input may have another place in other bytes
    (`hil.memory.views`).
    """


@dataclass(frozen=True)
class Softmax:
    """Along the last axis."""

    beta: float


@dataclass(frozen=True)
class Logistic:
    """Sigmoid."""


@dataclass(frozen=True)
class Tanh:
    """Hyperbolic tangent."""


@dataclass(frozen=True)
class HardSwish:
    """x * clamp(x + 3, 0, 6) / 6."""


@dataclass(frozen=True)
class LeakyRelu:
    """x where it is positive, `alpha` * x elsewhere; `alpha` >= 0."""

    alpha: float


@dataclass(frozen=True)
class Relu:
    """RELU or RELU6 as an operator of its own."""

    activation: Activation


@dataclass(frozen=True)
class Quantize:
    """int8 to int8 with another scale and zero point."""


Options: TypeAlias = (
    Conv2D
    | DepthwiseConv2D
    | FullyConnected
    | Add
    | Sub
    | Mul
    | Concatenation
    | Pad
    | AveragePool2D
    | MaxPool2D
    | Mean
    | Reshape
    | RowSlice
    | RowJoin
    | Softmax
    | Logistic
    | Tanh
    | HardSwish
    | LeakyRelu
    | Relu
    | Quantize
)


@dataclass(frozen=True)
class Stripe:
    """The share of one operator of a graph that is executed in stripes (`hil.stripes`).

    Attributes:
        operator: index of the operator in the graph that was cut.
        first_row, end_row: the rows of its output that this share computes, `end_row` excluded.
    """

    operator: int
    first_row: int
    end_row: int


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        index: position in `Graph.operators`, which is the order of execution.
        name: as TFLite spells it, e.g. "CONV_2D".
        layer: name of the layer as in the Keras model, as far as the file tells.
        inputs: tensor indices, activations first, then constants that the kernel reads (weights, bias).
        output: tensor index.  Every supported operator has exactly one output.
        options: what the kernel has to know.
        stripe: which share of which operator it is, where the graph is executed in stripes; None for a whole
            one.
    """

    index: int
    name: str
    layer: str
    inputs: tuple[int, ...]
    output: int
    options: Options
    stripe: Stripe | None = None


@dataclass(frozen=True, eq=False)
class Graph:
    """An int8 model with one input and one output.

    Attributes:
        digest: SHA-256 (hex) of the .tflite file it was read from.
        input: tensor index of the model's int8 input.
        output: tensor index of the model's int8 output.
        flatbuffer: the bytes of that file, for interpreters on the host; empty where there was none.
    """

    digest: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int
    flatbuffer: bytes = field(default=b"", repr=False)

    @property
    def input_tensor(self) -> Tensor:
        return self.tensors[self.input]

    @property
    def output_tensor(self) -> Tensor:
        return self.tensors[self.output]
