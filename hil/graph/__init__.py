"""The front end: .tflite files as typed, immutable graphs.  `hil.graph.read(path)` is the way in."""

from hil.graph.reader import read
from hil.graph.types import Graph, Operator, Quantization, Tensor

__all__ = ["Graph", "Operator", "Quantization", "Tensor", "read"]
