"""What an operator is lowered to: one call of one kernel with constant parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hil.graph.types import Graph, Operator
from hil.memory import Needs, Overlap


@dataclass(frozen=True, eq=False)
class Constant:
    """Bytes of the model that stay in flash.

    Attributes:
        name: what it is to the kernel, e.g. "weights"; unique within a call.
        data: int8 or int32; its shape is of no matter.
    """

    name: str
    data: NDArray[np.int8] | NDArray[np.int32]


@dataclass(frozen=True)
class Symbol:
    """Something that hil_kernels.h declares, by its C name."""

    name: str


#: A field of a parameter struct: a number, an array of numbers, a nested struct, a pointer to a constant, or
#: a name that the kernels define.
Field: TypeAlias = "int | tuple[int, ...] | Constant | Symbol | Mapping[str, Field]"

#: Tensor index of an activation, or a constant tensor.
Operand: TypeAlias = int | Constant


@dataclass(frozen=True, eq=False)
class Arguments:
    """What a kernel is called with.

    Attributes:
        inputs: in the order of the C function.
        params_type: name of the C struct.
        params: its fields, by the names of hil_kernels.h.
        input_array: the inputs are passed as one array of pointers.
    """

    inputs: tuple[Operand, ...]
    params_type: str
    params: Mapping[str, Field]
    input_array: bool = False

    @property
    def constants(self) -> tuple[Constant, ...]:
        """Operands that are constant, then what the parameters point to."""
        operands = (operand for operand in self.inputs if isinstance(operand, Constant))
        return (*operands, *_constants_of(self.params))


@dataclass(frozen=True)
class Variant:
    """One way to serve an operator.

    Attributes:
        name: e.g. "conv2d_s8/1x1"; shown in reports.
        function: the C function, in the file of the same name.
        arguments: makes the call's arguments.
        accepts: the precondition; the first variant in the registry whose precondition holds is taken.
        scratch_bytes: work space in the arena.
        overlap: where the output may lie over an input.
        scratch_over: position in `Operator.inputs` of the input that the scratch may start at, or None.
        general: a DSP variant that stands behind a faster one, for weights that the faster one cannot take.
        copies_constants: constant operands are copied from flash to the scratch before the kernel is called,
            behind what the kernel itself asks for (hil.codegen.kernels.copied).
    """

    name: str
    function: str
    arguments: Callable[[Graph, Operator], Arguments]
    accepts: Callable[[Graph, Operator], bool] = lambda graph, operator: True
    scratch_bytes: Callable[[Graph, Operator], int] = lambda graph, operator: 0
    overlap: Callable[[Graph, Operator], Overlap | None] = lambda graph, operator: None
    scratch_over: int | None = None
    general: bool = False
    copies_constants: bool = False


@dataclass(frozen=True)
class Faster:
    """A variant that asks for more scratch than the one that serves an operator otherwise.

    Attributes:
        variant: whose precondition holds.
        saved_instructions: of one inference, estimated; > 0.
    """

    variant: Variant
    saved_instructions: int


@dataclass(frozen=True, eq=False)
class Call:
    """One operator, lowered.

    Attributes:
        operator: position in `Graph.operators`.
        function: C function; "" where nothing runs (RESHAPE).
        variant: as in reports; "" where nothing runs.
        output: tensor index.
        general: on the general path, see `hil.codegen.registry.on_general_path`.
        copies_constants: see `Variant`.
    """

    operator: int
    function: str
    variant: str
    arguments: Arguments
    output: int
    needs: Needs = field(default_factory=Needs)
    general: bool = False
    copies_constants: bool = False

    @property
    def constants(self) -> tuple[Constant, ...]:
        """All constants, in the order in which they are emitted."""
        return self.arguments.constants

    @property
    def weight_bytes(self) -> int:
        """Flash that the constants take."""
        return sum(constant.data.nbytes for constant in self.constants)


def _constants_of(fields: Mapping[str, Field]) -> Iterator[Constant]:
    for value in fields.values():
        if isinstance(value, Constant):
            yield value
        elif isinstance(value, Mapping):
            yield from _constants_of(value)


def operand(graph: Graph, tensor: int, name: str) -> Operand:
    """The tensor as an operand: its index, or its data where it is constant."""
    data = graph.tensors[tensor].data
    return tensor if data is None else Constant(name, np.ascontiguousarray(data, dtype=np.int8))
