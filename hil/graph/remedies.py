"""What to use instead of an operator that the runtime does not have."""

from __future__ import annotations

from collections.abc import Mapping

_RELU = "use ReLU or ReLU(max_value=6), which cost nothing behind a convolution"
_UPSAMPLING = (
    "keep the resolution by using smaller strides before it; there is no operator that enlarges a map"
)
_RESIZE = "resize the input before the model; inside of it, " + _UPSAMPLING
_RECURRENT = "use Conv1D layers (causal and dilated ones see far back) instead of a recurrent layer"
_GLOBAL_MAX = (
    "use MaxPooling with the size of the map and Flatten instead of a global maximum, or GlobalAveragePooling"
)
_NORM = "use BatchNormalization, which the converter folds into the convolution before it"
_TRANSPOSE = "order the axes before the model, or leave out Permute"
_SLICE = "hand over only the part of the input that is used, or split the model into branches of convolutions"
_REWRITE = "express it with Add, Multiply and convolutions, or move it out of the model"
_FLOAT = "convert with full int8 (`hilnas measure` takes the .keras file and does it)"
_FLEX = "use standard Keras layers only, so that the converter needs no custom or Flex operators"
_DILATED = (
    "convert again with a fixed batch of 1 and a recent TensorFlow, which keeps a dilated convolution whole"
)

REMEDIES: Mapping[str, str] = {
    "TRANSPOSE_CONV": "use strides in an encoder only; " + _UPSAMPLING,
    "RESIZE_NEAREST_NEIGHBOR": _RESIZE,
    "RESIZE_BILINEAR": _RESIZE,
    "TILE": _UPSAMPLING,
    "DEPTH_TO_SPACE": _UPSAMPLING,
    "SPACE_TO_DEPTH": "use a convolution with stride 2 instead",
    "BROADCAST_TO": "let Add or Multiply broadcast by themselves",
    "ELU": _RELU,
    "GELU": _RELU,
    "PRELU": _RELU,
    "RELU_N1_TO_1": _RELU,
    "RELU_0_TO_1": _RELU,
    "EXP": _RELU,
    "LOG_SOFTMAX": "use softmax; the logarithm can be taken on the host",
    "REDUCE_MAX": _GLOBAL_MAX,
    "REDUCE_MIN": _GLOBAL_MAX,
    "SUM": "use an average (MEAN) and scale it in the next layer",
    "REDUCE_PROD": _REWRITE,
    "LSTM": _RECURRENT,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _RECURRENT,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _RECURRENT,
    "RNN": _RECURRENT,
    "SVDF": _RECURRENT,
    "WHILE": _RECURRENT,
    "IF": "give the model one way through: no conditionals on data",
    "BATCH_MATMUL": "use Dense or convolutions instead of attention: it multiplies two activations",
    "EMBEDDING_LOOKUP": "look the embedding up before the model and hand over its vectors",
    "GATHER": _SLICE,
    "GATHER_ND": _SLICE,
    "SLICE": _SLICE,
    "STRIDED_SLICE": _SLICE,
    "SPLIT": _SLICE,
    "SPLIT_V": _SLICE,
    "UNPACK": f"{_RECURRENT}; else {_SLICE}",
    "PACK": "use Concatenate instead of stacking, and Dense without TimeDistributed",
    "TRANSPOSE": _TRANSPOSE,
    "REVERSE_V2": _TRANSPOSE,
    "MIRROR_PAD": "use ZeroPadding2D",
    "DIV": "use Multiply with the reciprocal",
    "MAXIMUM": "use ReLU, or MaxPooling2D",
    "MINIMUM": "use ReLU(max_value=6)",
    "SQUARED_DIFFERENCE": _NORM,
    "RSQRT": _NORM,
    "SQRT": _NORM,
    "SQUARE": _REWRITE,
    "NEG": _REWRITE,
    "ABS": _REWRITE,
    "L2_NORMALIZATION": "normalise the output on the host",
    "L2_POOL_2D": "use AveragePooling2D or MaxPooling2D",
    "LOCAL_RESPONSE_NORMALIZATION": _NORM,
    "CONV_3D": "use Conv2D with the third axis among the channels",
    "SPACE_TO_BATCH_ND": _DILATED,
    "BATCH_TO_SPACE_ND": _DILATED,
    "ARG_MAX": "leave the arg max to the host: end with softmax or Dense",
    "ARG_MIN": "leave the arg min to the host",
    "TOPK_V2": "leave the choice of the best to the host",
    "CAST": _FLOAT,
    "DEQUANTIZE": _FLOAT,
    "SHAPE": "convert with a fixed batch of 1, so that all shapes are constants",
}


def remedy_for(operator: str) -> str:
    """What to use instead of `operator`, a TFLite name."""
    if operator.startswith("CUSTOM"):
        return _FLEX
    return REMEDIES.get(operator, _REWRITE)
