"""Keras -> int8 .tflite: the result, the silence, and the errors."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.errors import BadModel, QuantizationFailed, UnsupportedOperator
from hil.graph import read
from hil.interpreter import HostInterpreter
from hil.quantize import load_keras, quantize

keras: Any = None
layers: Any = None
DATA = np.random.default_rng(0).random((40, 8, 8, 3), dtype=np.float32)


@pytest.fixture(autouse=True, scope="module")
def tensorflow() -> None:
    """TensorFlow is loaded when these tests run, not whenever tests are collected."""
    global keras, layers
    keras = pytest.importorskip("keras")
    layers = keras.layers


def chain(*parts: Any, shape: tuple[int | None, ...] = (8, 8, 3)) -> Any:
    x = entry = keras.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(entry, x)


def classifier() -> Any:
    return chain(
        layers.Conv2D(8, 3, padding="same", use_bias=False, name="stem"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name="spatial"),
        layers.BatchNormalization(),
        layers.ReLU(6.0),
        layers.GlobalAveragePooling2D(name="pool"),
        layers.Dense(4, activation="softmax", name="head"),
    )


def test_the_int8_model_computes_what_the_float_model_does() -> None:
    model = classifier()
    graph = read(quantize(model, DATA))
    assert [operator.name for operator in graph.operators] == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "MEAN",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]
    assert [operator.layer for operator in graph.operators][:4] == ["stem", "spatial", "pool", "head"]
    weights = graph.tensors[graph.operators[0].inputs[1]]
    assert weights.quantization is not None
    assert len(weights.quantization.scale) == 8
    source, result = graph.input_tensor, graph.output_tensor
    inputs = np.clip(np.round(DATA / source.scale) + source.zero_point, -128, 127).astype(np.int8)
    outputs = HostInterpreter(graph).run(inputs)
    probabilities = (outputs.astype(float) - result.zero_point) * result.scale
    assert np.abs(probabilities - np.asarray(model(DATA))).max() < 0.05


def test_one_dimensional_convolutions() -> None:
    model = chain(
        layers.Conv1D(8, 3, padding="causal", name="first"),
        layers.ReLU(),
        layers.Conv1D(4, 3, dilation_rate=2),
        layers.MaxPooling1D(),
        layers.Flatten(),
        layers.Dense(2),
        shape=(16, 3),
    )
    names = {operator.name for operator in read(quantize(model, DATA.reshape(-1, 16, 3))).operators}
    assert {"CONV_2D", "PAD", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED"} <= names


def test_branches_gates_and_concatenation() -> None:
    entry = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(entry)
    y = layers.Add()([x, layers.Conv2D(4, 1)(entry)])
    y = layers.Concatenate()([layers.ReLU()(y), x])
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    y = layers.AveragePooling2D(2)(layers.ZeroPadding2D(1)(layers.Multiply()([y, gate])))
    graph = read(
        quantize(keras.Model(entry, layers.Dense(1, activation="sigmoid")(layers.Flatten()(y))), DATA)
    )
    names = {operator.name for operator in graph.operators}
    assert {"ADD", "CONCATENATION", "MEAN", "LOGISTIC", "MUL", "PAD", "AVERAGE_POOL_2D"} <= names


def test_a_free_input_size_is_taken_from_the_data() -> None:
    model = chain(layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), shape=(None, None, 3))
    assert read(quantize(model, DATA)).input_tensor.shape == (1, 8, 8, 3)


def test_any_number_type_will_do() -> None:
    model = chain(layers.Rescaling(1 / 255), layers.Conv2D(4, 3), layers.Flatten())
    read(quantize(model, (DATA * 255).astype(np.uint8)))


def test_nothing_reaches_the_terminal(
    capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    quantize(classifier(), DATA)  # the first use of TensorFlow may talk before the conversion begins
    capfd.readouterr()
    recwarn.clear()
    caplog.clear()
    quantize(chain(layers.Conv2D(4, 3), layers.Flatten()), DATA)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    assert not caplog.records


# ---- representative data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (DATA[..., :2], r"shape \(40, 8, 8, 2\), the model takes \(n, 8, 8, 3\)"),
        (DATA[0], "shape"),
        (DATA[:0], "0 representative samples"),
        (np.where(np.arange(40)[:, None, None, None] == 7, np.nan, DATA), "1 of 40.*the first is number 7"),
        (np.full_like(DATA, np.inf), "40 of 40"),
        (np.zeros_like(DATA), "all representative values are 0"),
        (np.full((4, 8, 8, 3), "a"), "expected numbers"),
    ],
)
def test_data_that_gives_no_ranges(data: np.ndarray[Any, Any], reason: str) -> None:
    with pytest.raises(QuantizationFailed, match=reason) as caught:
        quantize(chain(layers.Flatten()), data)
    assert caught.value.remedy


# ---- models


def test_several_inputs_or_outputs() -> None:
    one, two = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    with pytest.raises(QuantizationFailed, match="2 inputs"):
        quantize(keras.Model([one, two], layers.Add()([one, two])), DATA)
    with pytest.raises(QuantizationFailed, match="2 outputs"):
        quantize(keras.Model(one, [layers.Flatten()(one), layers.ReLU()(one)]), DATA)


def test_model_that_is_not_built() -> None:
    with pytest.raises(QuantizationFailed, match="not built"):
        quantize(keras.Sequential([layers.Flatten()]), DATA)


def test_unsupported_layers_are_all_named() -> None:
    model = chain(layers.Conv2D(4, 3), layers.ELU(name="curved"), layers.Conv2DTranspose(4, 3, name="up"))
    with pytest.raises(UnsupportedOperator) as caught:
        quantize(model, DATA)
    assert (caught.value.operator, caught.value.layer) == ("ELU", "curved")
    assert "TRANSPOSE_CONV" in str(caught.value)


def test_recurrent_layer_is_an_error_not_a_crash() -> None:
    model = chain(layers.Conv1D(4, 3), layers.LSTM(4, name="memory"), shape=(8, 3))
    with pytest.raises(UnsupportedOperator, match="memory") as caught:
        quantize(model, DATA[:, 0])
    assert "Conv1D" in (caught.value.remedy or "")


def test_layer_that_diverged_in_training_is_named() -> None:
    diverged = layers.Conv2D(4, 3, name="diverged")
    model = chain(layers.Conv2D(4, 3), diverged, layers.Flatten(), layers.Dense(2))
    diverged.set_weights([np.full_like(weights, np.nan) for weights in diverged.get_weights()])
    with pytest.raises(QuantizationFailed, match="'diverged' gives NaN or infinite"):
        quantize(model, DATA)


def test_operation_that_tensorflow_lite_lacks_is_named_with_its_layer() -> None:
    import tensorflow as tf

    class Beta(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return tf.math.betainc(tf.abs(x) + 1.0, tf.abs(x) + 1.0, tf.sigmoid(x))

    with pytest.raises(QuantizationFailed, match=r"layer 'strange'.*Betainc"):
        quantize(chain(layers.Conv2D(4, 3), Beta(name="strange")), DATA)


# ---- .keras files


def test_a_saved_model_comes_back(tmp_path: Path) -> None:
    model = classifier()
    model.save(tmp_path / "m.keras")
    again = load_keras(tmp_path / "m.keras")
    assert np.allclose(model(DATA), again(DATA))


def test_keras_files_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="does not exist"):
        load_keras(tmp_path / "none.keras")
    whole = tmp_path / "whole.keras"
    classifier().save(whole)
    half = tmp_path / "half.keras"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(BadModel, match="cannot be loaded"):
        load_keras(half)
    empty = tmp_path / "empty.keras"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("config.json", "{")
    with pytest.raises(BadModel, match="cannot be loaded"):
        load_keras(empty)


def test_keras_file_with_a_class_of_the_users(tmp_path: Path) -> None:
    class Own(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    chain(layers.Conv2D(4, 3), Own()).save(tmp_path / "own.keras")
    with pytest.raises(BadModel, match="'Own'") as caught:
        load_keras(tmp_path / "own.keras")
    assert "register_keras_serializable" in (caught.value.remedy or "")
