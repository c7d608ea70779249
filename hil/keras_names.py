"""Which layer of a Keras model each operator of its .tflite file came from.

The converter keeps only paths of TensorFlow operations, "functional_1/tail_1/conv2d_3_1/BiasAdd": the model,
nested models, the layer, and what the layer does, each with a number that makes it unique.  With the model at
hand the path is followed from the outside inwards; hil.graph.layers, which has the file only, must guess.

What was found is written into the file as the names of the operators' outputs, "conv2d_3:CONV_2D", where
`hil.graph.read` finds it whatever way the file takes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hil.graph.layers import STAMP, paths_in_order

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_NUMBER = re.compile(r"_\d+$")


def name_tensors(model: Any, file: Any, operator_names: Sequence[str]) -> None:
    """Rename the outputs of all operators after their layers, and the input after the model's.

    Args:
        model: the keras.Model that was converted.
        file: its .tflite file in the object form of the schema ("ModelT"); changed in place.
        operator_names: TFLite name of each operator code of the file.
    """
    taken: Counter[str] = Counter()
    for graph in file.subgraphs[:1]:
        for operator in graph.operators or ():
            kind = operator_names[operator.opcodeIndex]
            constants = [
                _text(graph.tensors[index])
                for index in operator.inputs
                if index >= 0 and file.buffers[graph.tensors[index].buffer].data is not None
            ]
            is_last = any(index in graph.outputs for index in operator.outputs)
            for index in operator.outputs:
                tensor = graph.tensors[index]
                layer = _layer(model, kind, _text(tensor), constants, is_last=is_last)
                if layer is None:
                    continue
                stamped = f"{layer}{STAMP}{kind.replace(' ', '_')}"
                taken[stamped] += 1
                tensor.name = stamped if taken[stamped] == 1 else f"{stamped}{STAMP}{taken[stamped]}"
        if len(graph.inputs) == 1 == len(model.inputs):
            graph.tensors[graph.inputs[0]].name = str(model.inputs[0].name)


def _text(tensor: Any) -> str:
    name = tensor.name or b""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _layer(model: Any, kind: str, output: str, constants: Sequence[str], *, is_last: bool) -> str | None:
    """The layer's name; None where nothing tells."""
    if (found := _layer_in(model, output, kind)) is not None:
        return found
    # The last output is called "Identity".  Its weights tell most; behind a Dense may come a Dropout.
    last = _last_layer(model) if is_last else None
    if last is not None and kind not in _WEIGHTED:
        return last
    return next(
        (name for constant in constants if (name := _layer_in(model, constant, kind)) is not None), last
    )


def _layer_in(model: Any, tensor_name: str, kind: str) -> str | None:
    # Of fused operations the one that is called like the operator comes first, "multiply_1/Mul" for MUL.
    paths = sorted(paths_in_order(tensor_name), key=lambda path: _operation(path).lower() != kind.lower())
    for path in paths:
        parts = path.split("/")
        if (found := _follow(model, parts[1:-1])) is not None:
            return found
        if len(parts) == 2:  # an operation between layers, such as x * y, bears no other name than its own
            return _operation(path).lower() or None
    return None


def _operation(path: str) -> str:
    """The last part, without the numbers that make it unique."""
    return re.sub(r"_?\d+$", "", path.rsplit("/", 1)[-1])


def _follow(model: Any, parts: Sequence[str]) -> str | None:
    """The layer that a path without its first and its last part leads to, through nested models."""
    layers = {layer.name: layer for layer in model.layers}
    for position, part in enumerate(parts):
        for name in (_NUMBER.sub("", part), part):
            if name in layers:
                layer = layers[name]
                inner = _follow(layer, parts[position + 1 :]) if hasattr(layer, "layers") else None
                return inner or str(name)
    return None


def _last_layer(model: Any) -> str | None:
    """The layer that the model's output comes from, seen through nested models."""
    operation = getattr(getattr(model.outputs[0], "_keras_history", None), "operation", None)
    if operation is None:
        return None
    if hasattr(operation, "layers") and getattr(operation, "outputs", None):
        return _last_layer(operation)
    return str(operation.name)
