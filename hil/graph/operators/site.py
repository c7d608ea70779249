"""One operator of a file in its surroundings, and the checks that converters share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose, isfinite
from typing import Any

from hil.errors import BadModel, UnsupportedOperator
from hil.graph.schema import RawOperator, damaged
from hil.graph.types import Activation, Padding, Tensor

# Order of the schema's enumerations.
_ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
_PADDINGS = (Padding.SAME, Padding.VALID)

_REQUANTIZE = "convert the model again with full int8 (`hilnas measure` takes the .keras file and does it)"


@dataclass(frozen=True, eq=False)
class Site:
    """What a converter sees of one operator.

    Args:
        where: how error messages name the file.
        layer: name of the layer, best effort.
        tensors: all tensors of the file.
    """

    where: str
    raw: RawOperator
    layer: str
    tensors: Sequence[Tensor]

    # ---- errors

    def unsupported(self, reason: str, remedy: str) -> UnsupportedOperator:
        """The error for a form of the operator that the kernels do not have."""
        return UnsupportedOperator(self.raw.name, self.layer, reason, remedy=remedy)

    def damaged(self, what: str) -> BadModel:
        """The error for an operator that contradicts itself."""
        return damaged(self.where, f"operator {self.raw.name} of layer '{self.layer}': {what}")

    # ---- tensors

    def expect_inputs(self, lowest: int, highest: int) -> None:
        """Raise BadModel unless the operator has so many inputs."""
        if not lowest <= len(self.raw.inputs) <= highest:
            raise self.damaged(f"it has {len(self.raw.inputs)} inputs, expected {lowest} to {highest}")

    def optional(self, position: int) -> Tensor | None:
        """The input at `position`; None where it is absent."""
        if position >= len(self.raw.inputs) or self.raw.inputs[position] < 0:
            return None
        return self.tensors[self.raw.inputs[position]]

    def input(self, position: int) -> Tensor:
        """The input at `position`.  Raises BadModel where it is absent."""
        tensor = self.optional(position)
        if tensor is None:
            raise self.damaged(f"its input {position} is missing")
        return tensor

    @property
    def output(self) -> Tensor:
        """The only output (the reader has counted them)."""
        return self.tensors[self.raw.outputs[0]]

    def quantized(self, tensor: Tensor) -> Tensor:
        """`tensor`, once it is known to be int8 with one scale and one zero point."""
        if tensor.dtype != "int8":
            raise self.unsupported(f"tensor '{tensor.name}' is {tensor.dtype}, expected int8", _REQUANTIZE)
        self._check_quantization(tensor)
        if tensor.quantization is None or len(tensor.quantization.scale) != 1:
            raise self.unsupported(
                f"activation '{tensor.name}' has no single scale and zero point", _REQUANTIZE
            )
        return tensor

    def activation(self, position: int) -> Tensor:
        """The input at `position`: int8, computed, not constant."""
        tensor = self.quantized(self.input(position))
        if tensor.is_constant:
            raise self.unsupported(
                f"its input '{tensor.name}' is a constant, so its output is one too",
                "leave the layer out, or put its result into the weights of the next one",
            )
        return tensor

    def quantized_output(self) -> Tensor:
        """The output: int8 with one scale."""
        return self.quantized(self.output)

    def weights(self, position: int, rank: int, axis: int, channels_axis: int) -> Tensor:
        """Constant int8 weights, symmetric, with one scale or one per output channel.

        Args:
            axis: along which the scales run.
            channels_axis: which dimension counts the output channels.
        """
        if self.raw.inputs[position] < 0:
            raise self.damaged(f"its input {position} is missing")
        tensor = self.input(position)
        if tensor.dtype != "int8":
            raise self.unsupported(f"its weights are {tensor.dtype}, expected int8", _REQUANTIZE)
        if not tensor.is_constant:
            raise self.unsupported(
                "its weights are computed or sparse, expected a constant",
                "use a layer with weights of its own, and convert without sparsity",
            )
        self._check_quantization(tensor)
        if len(tensor.shape) != rank or min(tensor.shape) < 1:
            raise self.damaged(f"its weights have shape {tensor.shape}, expected {rank} dimensions")
        quantization = tensor.quantization
        if quantization is None:
            raise self.damaged("its weights have no scale")
        scales = len(quantization.scale)
        if scales not in (1, tensor.shape[channels_axis]):
            raise self.damaged(f"{scales} weight scales for {tensor.shape[channels_axis]} output channels")
        if scales > 1 and quantization.axis != axis:
            raise self.damaged(f"its weight scales run along axis {quantization.axis}, expected {axis}")
        if any(quantization.zero_point):
            raise self.unsupported("its weights have a zero point other than 0", _REQUANTIZE)
        return tensor

    def bias(self, position: int, channels: int) -> Tensor | None:
        """The int32 constant bias, or None."""
        tensor = self.optional(position)
        if tensor is None:
            return None
        if tensor.dtype != "int32" or not tensor.is_constant:
            state = "constant" if tensor.is_constant else "computed"
            raise self.unsupported(
                f"its bias is {state} {tensor.dtype}, expected constant int32", _REQUANTIZE
            )
        if tensor.elements != channels:
            raise self.damaged(f"its bias has {tensor.elements} values for {channels} output channels")
        return tensor

    def integers(self, position: int, what: str) -> tuple[int, ...]:
        """The values of a constant int32 or int64 input, flattened."""
        tensor = self.input(position)
        if tensor.data is None or tensor.dtype not in ("int32", "int64"):
            raise self.unsupported(
                f"its {what} are computed while it runs, expected constants",
                "convert with a fixed batch of 1 and fixed shapes",
            )
        return tuple(int(value) for value in tensor.data.reshape(-1))

    def _check_quantization(self, tensor: Tensor) -> None:
        quantization = tensor.quantization
        if quantization is None:
            return
        if len(quantization.scale) != len(quantization.zero_point):
            raise self.damaged(f"tensor '{tensor.name}' has not as many scales as zero points")
        if not all(isfinite(scale) and scale > 0 for scale in quantization.scale):
            raise self.damaged(f"tensor '{tensor.name}' has a scale that is not a positive number")
        if not all(-128 <= point <= 127 for point in quantization.zero_point):
            raise self.damaged(f"tensor '{tensor.name}' has a zero point outside of int8")

    # ---- options

    def option(self, field: str) -> Any:
        """A field of the operator's options."""
        return self.raw.options[field]

    def positive(self, field: str) -> int:
        """A field that counts something."""
        value = int(self.option(field))
        if value < 1:
            raise self.damaged(f"{field} is {value}, expected at least 1")
        return value

    def fused_activation(self) -> Activation:
        """The fused activation."""
        number = self.option("FusedActivationFunction")
        name = _ACTIVATIONS[number] if 0 <= number < len(_ACTIVATIONS) else f"number {number}"
        if name not in Activation.__members__:
            raise self.unsupported(f"its fused activation is {name}", "use ReLU or ReLU(max_value=6)")
        return Activation[name]

    def padding(self) -> Padding:
        """SAME or VALID."""
        number = self.option("Padding")
        if not 0 <= number < len(_PADDINGS):
            raise self.damaged(f"padding scheme number {number}")
        return _PADDINGS[number]

    # ---- shapes

    def expect_map(self, tensor: Tensor) -> tuple[int, int, int]:
        """(height, width, channels) of a 4-D activation with batch 1."""
        if len(tensor.shape) != 4:
            raise self.damaged(f"tensor '{tensor.name}' has shape {tensor.shape}, expected 4 dimensions")
        if tensor.shape[0] != 1:
            raise self.unsupported(
                f"it works on a batch of {tensor.shape[0]}, expected 1",
                "leave out TimeDistributed and what else moves an axis into the batch",
            )
        return tensor.shape[1:]

    def expect_output_shape(self, *shapes: tuple[int, ...]) -> None:
        """Raise BadModel unless the output has one of `shapes`."""
        if self.output.shape not in shapes:
            raise self.damaged(f"its output has shape {self.output.shape}, expected {shapes[0]}")

    def expect_same_quantization(self, *tensors: Tensor) -> None:
        """Raise UnsupportedOperator unless all tensors share scale and zero point; the bytes are copied."""
        first = tensors[0]
        for tensor in tensors[1:]:
            if tensor.zero_point != first.zero_point or not isclose(tensor.scale, first.scale, rel_tol=1e-6):
                raise self.unsupported(
                    f"'{first.name}' has scale {first.scale:.6g} and zero point {first.zero_point}, "
                    f"'{tensor.name}' {tensor.scale:.6g} and {tensor.zero_point}; they have to be the same, "
                    "because the operator does not rescale",
                    "convert again with a recent TensorFlow, which puts a QUANTIZE operator between them",
                )


def window_output(size: int, kernel: int, stride: int, dilation: int, padding: Padding) -> int:
    """Output size of a convolution or pool along one axis; below 1 where the kernel does not fit."""
    if padding is Padding.SAME:
        return -(-size // stride)
    return (size - (kernel - 1) * dilation - 1) // stride + 1
