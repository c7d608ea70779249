"""The name of the Keras layer that an operator came from, as far as a .tflite file tells.

`hil.quantize` knows the Keras model and writes "layer:OPERATOR" (hil.keras_names); then nothing is left to
find.  The converter itself keeps no layer names, only names of output tensors, which are paths of TensorFlow
operations, joined by ";" where several were fused:

    functional_2_1/re_lu_6_1/Relu;functional_2_1/conv2d_3_1/convolution

Three rules find the layer, best effort:

1. Of fused operations the one that does the work names the layer (the convolution, not its activation).
2. Within a path "model/layer/operation" the layer is the last part that is no operation.  Operations are
   capitalised, or one of a few known names.
3. Keras 3 adds a number to each part ("conv2d_3_1" for the layer "conv2d_3").  It is taken off where every
   path of the file has one.

The last operator is called "Identity" whatever its layer; then its constants are asked, and at last the
operator's own name in lower case stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# What does the work in a fused operator, in the order of trust.
_WORKERS = ("BiasAdd", "convolution", "Conv2D", "Conv1D", "depthwise", "separable_conv2d", "MatMul")
_OPERATIONS = frozenset(
    ("batchnorm", "conv_transpose", "convolution", "depthwise", "moments", "separable_conv2d")
)
_OUTPUTS = re.compile(r"^(Identity|StatefulPartitionedCall|PartitionedCall|tfl\.|arith\.)")
_NUMBER = re.compile(r"_\d+$")

#: Between a layer's name and its operator, where hil.keras_names has written them.
STAMP = ":"
_STAMPED = re.compile(rf"(?P<layer>[^/;]+?){STAMP}[A-Z][A-Za-z0-9_]*({STAMP}\d+)?")


def layer_namer(tensor_names: Iterable[str]) -> LayerNamer:
    """The namer for one file, from the names of all outputs of its operators."""
    layers = [layer for name in tensor_names for path in name.split(";") if (layer := _layer_of(path))]
    return LayerNamer(numbered=bool(layers) and all(_NUMBER.search(layer) for layer in layers))


class LayerNamer:
    """Tensor names -> layer name.

    Args:
        numbered: whether each part of each path carries a number that is not the layer's own.
    """

    def __init__(self, numbered: bool) -> None:
        self._numbered = numbered

    def name(self, operator: str, output_name: str, constant_names: Sequence[str]) -> str:
        """The layer of one operator.

        Args:
            operator: TFLite name, the last resort.
            constant_names: names of its weights and bias.
        """
        if stamped := _STAMPED.fullmatch(output_name):
            return stamped["layer"]
        for name in (output_name, *constant_names):
            if name and not _OUTPUTS.match(name):
                path = _working_path(name)
                layer = _layer_of(path)
                if layer is None:
                    return path
                return _NUMBER.sub("", layer) if self._numbered else layer
        return operator.lower()


def paths_in_order(name: str) -> list[str]:
    """The paths of a tensor's name, that of the operation which does the work first."""
    working = _working_path(name)
    return [working, *(path for path in reversed(name.split(";")) if path != working)]


def _working_path(name: str) -> str:
    paths = name.split(";")
    for worker in _WORKERS:
        # The converter lists its own path last; before it may stand those of layers that share a constant.
        for path in reversed(paths):
            # It appends a number to a name that is taken: ".../MatMul2".
            if re.fullmatch(rf"{worker}\d*", path.rsplit("/", 1)[-1]):
                return path
    return paths[-1]


def _layer_of(path: str) -> str | None:
    """The layer within a path; None where the name is no path."""
    parts = path.split("/")
    if len(parts) < 3:
        return parts[0] if len(parts) == 2 else None
    inner = parts[1:-1]
    named = [part for part in inner if part not in _OPERATIONS and not part[:1].isupper()]
    return named[-1] if named else inner[0]
