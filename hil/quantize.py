"""Keras -> full-int8 .tflite: int8 in and out, per-channel weights.  The only file of `hil` with TensorFlow.

The model is traced at a batch of 1 before it is converted.  So no operator depends on the batch, every
shape is a constant, and conversion takes a third of a second instead of the seconds that a SavedModel costs.

TensorFlow talks while it converts: Python warnings, log records, and lines that C++ writes to file
descriptor 2.  All of it is caught.  It is thrown away when the conversion works and is part of the error
when it does not.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hil.errors import BadModel, HilError, QuantizationFailed, UnsupportedOperator
from hil.graph import read
from hil.graph.remedies import remedy_for
from hil.keras_names import name_tensors

if TYPE_CHECKING:
    import keras

# More samples hardly move the ranges of the activations, but each costs an inference of the float model.
MAX_SAMPLES = 128

_CONTROL_FLOW = ("While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase")
_TALKERS = ("tensorflow", "absl")
_NOISE = re.compile(
    r"^[IW]\d{4} |^WARNING: All log|^To enable the following|^fully_quantize"
    r"|trackable_obj|Statistics for quantized|^\s*warnings.warn"
)
# Enough of what TensorFlow said to see the cause, little enough for a terminal.
_LOG_CHARACTERS = 2000


def quantize(model: keras.Model, representative: NDArray[Any], *, max_samples: int = MAX_SAMPLES) -> bytes:
    """Quantize a Keras model to int8.

    Args:
        model: built, one input, one output.  Its weights may be untrained: what a board needs for it does not
            depend on them.
        representative: inputs as the model meets them in use, shape (n, ...), any number type.  The ranges of
            all activations are taken from them.
        max_samples: of more samples, so many are taken, evenly spread.

    Returns:
        The .tflite file.  `hil.graph.read` has read it, so every operator in it is supported.

    Raises:
        QuantizationFailed: the model has several inputs or outputs, the data does not fit it, or TensorFlow
            cannot convert it; names the layer where TensorFlow tells.
        UnsupportedOperator: the runtime lacks an operator of the converted model.
    """
    shape, dtype = input_of(model)
    samples = _checked(representative, shape, dtype, max_samples)
    log = StringIO()
    try:
        with _caught(log):
            content = _convert(model, samples)
    except HilError:
        raise
    except Exception as error:  # TensorFlow raises whatever the failing layer raises
        raise _failure(model, error, log.getvalue()) from error
    try:
        read(content)
    except BadModel as error:
        layer = _first_broken_layer(model, samples)
        if layer is None:
            raise QuantizationFailed(
                f"TensorFlow's result is not what the runtime takes: {error.message}", remedy=error.remedy
            ) from error
        raise QuantizationFailed(
            f"layer '{layer}' gives NaN or infinite values for the representative data, so it has no range",
            remedy="look for divisions, logarithms and very large weights in this layer and its inputs",
        ) from error
    return content


def load_keras(path: str | os.PathLike[str]) -> keras.Model:
    """Load a .keras file.

    Raises:
        BadModel: the file is missing or damaged, or needs classes that are not registered.
    """
    file = Path(path)
    if not file.is_file():
        raise BadModel(f"{file} does not exist", remedy="check the path of the .keras file")
    log = StringIO()
    try:
        with _caught(log):
            import keras

            return keras.saving.load_model(file, compile=False)
    except Exception as error:  # a damaged archive fails in whatever part of Keras meets the damage
        what = _first_line(error)
        remedy = "save the model again with model.save('name.keras')"
        unknown = re.search(r"Could not locate \w+ '[^']+'", str(error))
        if unknown:
            what = unknown.group(0)
            remedy = "register its classes (keras.saving.register_keras_serializable) and load it from Python"
        raise BadModel(f"{file} cannot be loaded as a Keras model: {what}", remedy=remedy) from error


# ---- what goes in


def input_of(model: keras.Model) -> tuple[tuple[int | None, ...], str]:
    """Shape of one sample (None where it is free) and dtype of the model's only input.

    Raises:
        QuantizationFailed: the model has no input yet, or several ends, or computes in types that cannot be
            quantized.
    """
    try:
        inputs, outputs = list(model.inputs), list(model.outputs)
    except (AttributeError, TypeError, ValueError):
        inputs, outputs = [], []
    name = getattr(model, "name", type(model).__name__)
    if not inputs or not outputs:
        raise QuantizationFailed(
            f"model '{name}' is not built, or is a subclass without a graph of layers",
            remedy="begin a Sequential with keras.Input; give a subclass an input: "
            "x = keras.Input(shape); model = keras.Model(x, model(x))",
        )
    for what, ends in (("inputs", inputs), ("outputs", outputs)):
        if len(ends) != 1:
            raise QuantizationFailed(
                f"model '{name}' has {len(ends)} {what} ({', '.join(end.name for end in ends)}), expected 1",
                remedy=f"concatenate the {what}, or make one model for each",
            )
    dtype = str(inputs[0].dtype)
    if not dtype.startswith("float"):
        raise QuantizationFailed(
            f"model '{name}' takes {dtype} values in its input '{inputs[0].name}', expected floats",
            remedy="begin with keras.Input(shape), which takes whole numbers as well; look embeddings up "
            "before the model and hand over their vectors",
        )
    for layer in model.layers:
        if getattr(layer, "compute_dtype", "float32") in ("float16", "bfloat16"):
            raise QuantizationFailed(
                f"layer '{layer.name}' computes in {layer.compute_dtype}, which TensorFlow cannot quantize",
                remedy="build the model again with keras.config.set_dtype_policy('float32') and copy the "
                "weights: model.set_weights(trained.get_weights())",
            )
    return tuple(inputs[0].shape[1:]), dtype


def _checked(
    representative: NDArray[Any], shape: tuple[int | None, ...], dtype: str, max_samples: int
) -> NDArray[Any]:
    """At most `max_samples` samples of the model's input type, known to fit."""
    remedy = "hand over some of the training inputs, scaled as for training, as one array (n, ...)"
    samples = np.asarray(representative)
    wanted = "(n, " + ", ".join("any" if size is None else str(size) for size in shape) + ")"
    if samples.dtype.kind not in "fiub":
        raise QuantizationFailed(f"representative data is {samples.dtype}, expected numbers", remedy=remedy)
    fits = samples.ndim == len(shape) + 1 and all(
        size in (None, given) for size, given in zip(shape, samples.shape[1:], strict=True)
    )
    if not fits:
        raise QuantizationFailed(
            f"representative data has shape {samples.shape}, the model takes {wanted}", remedy=remedy
        )
    if len(samples) < 1 or max_samples < 1:
        raise QuantizationFailed(
            f"{len(samples)} representative samples, at most {max_samples} to be used; expected at least one",
            remedy=remedy,
        )
    broken = np.flatnonzero(~np.isfinite(samples.reshape(len(samples), -1)).all(axis=1))
    if broken.size:
        raise QuantizationFailed(
            f"{broken.size} of {len(samples)} representative samples hold NaN or infinite values; "
            f"the first is number {broken[0]}",
            remedy="remove or repair them",
        )
    if samples.min() == samples.max():
        raise QuantizationFailed(
            f"all representative values are {samples.min()}: no range can be taken from them", remedy=remedy
        )
    if len(samples) > max_samples:
        samples = samples[np.linspace(0, len(samples) - 1, max_samples).astype(int)]
    return samples.astype(dtype)


# ---- conversion


def _convert(model: keras.Model, samples: NDArray[Any]) -> bytes:
    import tensorflow as tf

    function = tf.function(lambda x: model(x, training=False))
    one = tf.TensorSpec((1, *samples.shape[1:]), samples.dtype)
    traced = function.get_concrete_function(one)
    definition = traced.graph.as_graph_def()
    bodies = (node for body in definition.library.function for node in body.node_def)
    _refuse_control_flow([*definition.node, *bodies], [layer.name for layer in model.layers])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8

    def calibration() -> Iterator[list[NDArray[Any]]]:
        for index in range(len(samples)):
            yield [samples[index : index + 1]]

    converter.representative_dataset = calibration
    return _with_layer_names(model, bytes(converter.convert()))


def _with_layer_names(model: keras.Model, content: bytes) -> bytes:
    """The same file, whose tensors are called after the layers that compute them."""
    import flatbuffers  # type: ignore[import-untyped]  # it has no stubs
    from tensorflow.lite.python import schema_py_generated as schema

    file = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in file.operatorCodes]
    name_tensors(model, file, [kinds.get(code, "CUSTOM") for code in codes])
    builder = flatbuffers.Builder(len(content))
    builder.Finish(file.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _refuse_control_flow(nodes: Iterable[Any], layers: list[str]) -> None:
    """Refuse loops here: at best they become subgraphs; some crash the converter and the process with it."""
    for node in nodes:
        if node.op in _CONTROL_FLOW:
            layer = _layer_named_in(node.name, layers) or node.name
            raise UnsupportedOperator(
                node.op.removeprefix("Stateless").upper(),
                layer,
                "the runtime has no loops and no conditionals, which recurrent layers need",
                remedy=remedy_for("WHILE"),
            )


def _first_broken_layer(model: keras.Model, samples: NDArray[Any]) -> str | None:
    """The first layer whose output is not finite; None where all are."""
    import keras

    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    try:
        with _caught(StringIO()):
            probe = keras.Model(model.inputs[0], [layer.output for layer in layers])
            outputs = probe(samples, training=False)
    except Exception:  # a layer may fail here in whatever way it likes; then none can be blamed
        return None
    for layer, output in zip(layers, outputs, strict=True):
        if not np.isfinite(np.asarray(output)).all():
            return str(layer.name)
    return None


def _failure(model: keras.Model, error: Exception, log: str) -> QuantizationFailed:
    said = f"{error}\n{log}"
    layer = _layer_named_in(said, [layer.name for layer in model.layers])
    where = f"layer '{layer}'" if layer else f"model '{model.name}'"
    tail = _without_noise(log)[-_LOG_CHARACTERS:]
    return QuantizationFailed(
        f"TensorFlow cannot convert {where} to int8: {_first_line(error)}"
        + (f"\nTensorFlow said:\n{tail}" if tail else ""),
        remedy="use standard layers: Conv2D, DepthwiseConv2D, Dense, pooling, Add, Multiply, Concatenate, "
        "ReLU, softmax, sigmoid",
    )


def _layer_named_in(text: str, layers: list[str]) -> str | None:
    """The layer whose operations TensorFlow blames: paths like "functional_1/conv2d_3_1/Foo"."""
    for path in re.findall(r"[\w.]+(?:/[\w.]+)+", text):
        parts = path.split("/")
        for part in parts[1:]:
            for name in (part, re.sub(r"_\d+$", "", part)):
                if name in layers:
                    return name
    for name in layers:
        if f"'{name}'" in text or f'"{name}"' in text:
            return name
    return None


def _without_noise(log: str) -> str:
    """What TensorFlow said about the model, without what it says about itself in every conversion."""
    return "\n".join(line for line in log.splitlines() if line.strip() and not _NOISE.search(line))


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


# ---- TensorFlow's chatter


@contextmanager
def _caught(log: StringIO) -> Iterator[None]:
    """Keep warnings, log records and what is written to file descriptor 2 in `log`.

    Other threads that write to standard error meanwhile are caught as well.
    """
    handler = logging.StreamHandler(log)
    loggers = [logging.getLogger(name) for name in _TALKERS]
    before = [(logger.handlers[:], logger.propagate) for logger in loggers]
    with warnings.catch_warnings(record=True) as caught, _descriptor_2_caught(log.write):
        warnings.simplefilter("always")
        for logger in loggers:
            logger.handlers, logger.propagate = [handler], False
        try:
            yield
        finally:
            log.writelines(f"{warning.category.__name__}: {warning.message}\n" for warning in caught)
            for logger, (handlers, propagate) in zip(loggers, before, strict=True):
                logger.handlers, logger.propagate = handlers, propagate


@contextmanager
def _descriptor_2_caught(write: Callable[[str], object]) -> Iterator[None]:
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # a process without standard error has nothing to disturb
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            with suppress(OSError, ValueError):
                sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            write(file.read().decode(errors="replace"))
