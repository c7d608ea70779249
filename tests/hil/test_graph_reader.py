"""Reading .tflite files: what comes out of good ones, and which error bad ones give."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.errors import BadModel, UnsupportedOperator
from hil.graph import Graph, read
from hil.graph.types import (
    Activation,
    AveragePool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    Mean,
    Mul,
    Pad,
    Padding,
    Relu,
    Reshape,
    Softmax,
)
from tests.support.tflite_builder import Builder, TensorRef

RNG = np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.integers(-127, 128, shape, dtype=np.int8)


def convolution(b: Builder, x: TensorRef, **changes: Any) -> TensorRef:
    settings: dict[str, Any] = {"weight_scales": [0.01] * 6, "out_scale": 0.2, "out_zero_point": -7}
    return b.conv2d(x, weights(6, 3, 3, x.shape[3]), np.arange(6), **(settings | changes))


def model(
    make: Callable[[Builder, TensorRef], TensorRef], shape: tuple[int, ...] = (1, 8, 8, 4), **changes: Any
) -> bytes:
    b = Builder()
    x = b.input(shape, **({"scale": 0.1, "zero_point": 3} | changes))
    return b.finish(make(b, x))


def only(make: Callable[[Builder, TensorRef], TensorRef], shape: tuple[int, ...] = (1, 8, 8, 4)) -> Any:
    graph = read(model(make, shape))
    assert len(graph.operators) == 1
    return graph.operators[0].options


def test_reads_a_convolution_with_all_that_a_kernel_needs() -> None:
    b = Builder()
    x = b.input((1, 9, 8, 4), scale=0.1, zero_point=3)
    w, bias, scales = weights(5, 3, 2, 4), RNG.integers(-99, 99, 5), RNG.uniform(0.001, 0.1, 5)
    y = b.conv2d(
        x,
        w,
        bias,
        weight_scales=scales,
        out_scale=0.2,
        out_zero_point=-7,
        stride=(2, 1),
        padding="VALID",
        activation="RELU6",
        name="net/stem/convolution",
    )
    content = b.finish(y)
    graph = read(content)
    (operator,) = graph.operators
    assert operator.name == "CONV_2D"
    assert operator.layer == "stem"
    assert operator.options == Conv2D(2, 1, 1, 1, Padding.VALID, Activation.RELU6)
    data, kernel, offset = (graph.tensors[index] for index in operator.inputs)
    assert (data.index, operator.output) == (graph.input, graph.output)
    assert (data.shape, data.scale, data.zero_point) == ((1, 9, 8, 4), np.float32(0.1), 3)
    assert graph.output_tensor.shape == (1, 4, 7, 5)
    assert np.array_equal(kernel.data, w)
    assert np.array_equal(offset.data, bias)
    assert kernel.quantization is not None
    assert kernel.quantization.scale == tuple(float(np.float32(s)) for s in scales)
    assert graph.digest == hashlib.sha256(content).hexdigest()
    assert graph.flatbuffer == content


def test_constants_cannot_be_changed() -> None:
    graph = read(model(convolution))
    with pytest.raises(ValueError, match="read-only"):
        graph.tensors[graph.operators[0].inputs[1]].data[0] = 0  # type: ignore[index]


def test_reads_every_supported_operator() -> None:
    scale = {"out_scale": 0.2, "out_zero_point": 1}
    assert only(
        lambda b, x: b.depthwise_conv2d(x, weights(1, 3, 3, 8), weight_scales=[0.1], dilation=(2, 1), **scale)
    ) == DepthwiseConv2D(1, 1, 2, 1, Padding.SAME, 2, Activation.NONE)
    assert only(lambda b, x: b.mul(x, x, activation="RELU", **scale)) == Mul(Activation.RELU)
    assert only(lambda b, x: b.concatenation([x, x], axis=-1)) == Concatenation(3)
    assert only(lambda b, x: b.pad(x, [(0, 0), (1, 2), (0, 3), (0, 0)])) == Pad(
        ((0, 0), (1, 2), (0, 3), (0, 0)), 3
    )
    assert only(lambda b, x: b.pad(x, [(0, 0), (1, 0), (0, 0), (0, 0)], value=-9)) == Pad(
        ((0, 0), (1, 0), (0, 0), (0, 0)), -9
    )
    assert only(lambda b, x: b.average_pool2d(x, (3, 2), (2, 1), padding="SAME")) == AveragePool2D(
        3, 2, 2, 1, Padding.SAME, Activation.NONE
    )
    assert only(lambda b, x: b.mean(x, [-2, 1], keep_dims=True)) == Mean((1, 2), True)
    for shape_only in (
        lambda b, x: b.reshape(x, (1, 256)),
        lambda b, x: b.expand_dims(x, 1),
        lambda b, x: b.squeeze(x, 0),
    ):
        assert only(shape_only) == Reshape()
    assert only(lambda b, x: b.softmax(x, beta=2.0)) == Softmax(2.0)
    assert only(lambda b, x: b.relu6(x)) == Relu(Activation.RELU6)
    for rest in (
        lambda b, x: b.fully_connected(x, weights(3, 256), weight_scales=[0.1], **scale),
        lambda b, x: b.max_pool2d(x, (2, 2)),
        lambda b, x: b.logistic(x),
        lambda b, x: b.relu(x, **scale),
        lambda b, x: b.quantize(x, **scale),
        lambda b, x: b.add(x, x, **scale),
    ):
        only(rest)


def test_constant_operand_is_put_last() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        constant = b.constant(weights(4), dtype="int8", scale=0.1, zero_point=0)
        return b.add(constant, x, out_scale=0.2, out_zero_point=0)

    graph = read(model(make))
    assert graph.operators[0].inputs[0] == graph.input
    assert graph.tensors[graph.operators[0].inputs[1]].is_constant


def test_a_constant_can_be_concatenated_to_an_activation() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        constant = b.constant(weights(1, 8, 8, 2), dtype="int8", scale=x.scale, zero_point=x.zero_point)
        return b.concatenation([constant, x], axis=3)

    graph = read(model(make))
    first, second = (graph.tensors[index] for index in graph.operators[0].inputs)
    assert first.is_constant
    assert second.index == graph.input
    assert graph.output_tensor.shape == (1, 8, 8, 6)


def test_shape_arithmetic_of_a_free_batch_is_folded() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        shape = b.tensor((4,), dtype="int32")
        b.operator("SHAPE", [x], [shape], options="ShapeOptions", OutType=2)
        batch = b.tensor((), dtype="int32")
        ends = [b.constant([value]) for value in (0, 1, 1)]
        b.operator("STRIDED_SLICE", [shape, *ends], [batch], options="StridedSliceOptions", ShrinkAxisMask=1)
        size = b.tensor((2,), dtype="int32")
        b.operator("PACK", [batch, b.constant(np.int32(256))], [size], options="PackOptions", ValuesCount=2)
        y = b.tensor((1, 256), scale=x.scale, zero_point=x.zero_point)
        b.operator("RESHAPE", [x, size], [y], options="ReshapeOptions")
        return y

    graph = read(model(make))
    assert [operator.name for operator in graph.operators] == ["RESHAPE"]
    assert graph.operators[0].inputs == (graph.input,)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("functional_2_1/re_lu_6_1/Relu;functional_2_1/conv2d_3_1/convolution", "conv2d_3"),
        ("functional_1/separable_conv2d_1/separable_conv2d/depthwise1", "separable_conv2d"),
        (
            "functional_1_1/re_lu_3_1/Relu;functional_1_1/batch_normalization_1_1/batchnorm/mul_1",
            "batch_normalization_1",
        ),
        ("model/activation/Relu;model/conv2d/BiasAdd;model/conv2d_2/Conv2D;model/conv2d/Conv2D1", "conv2d"),
        ("functional_1/activation/Relu;functional_1/dense/BiasAdd", "dense"),
        ("my_tensor", "my_tensor"),
        ("Identity", "conv_2d"),
    ],
)
def test_layer_is_found_in_the_names_of_the_converter(name: str, layer: str) -> None:
    graph = read(model(lambda b, x: convolution(b, x, name=name)))
    # The constants of this file are named "tensor_1" and so on, so the last resort is one of them.
    assert graph.operators[0].layer == (layer if name != "Identity" else "tensor_1")


# ---- bad files


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="No such file"):
        read(tmp_path / "none.tflite")


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"short", b"\x00" * 100, b"PK\x03\x04" + b"\x00" * 64])
def test_file_of_another_kind(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    with pytest.raises(BadModel, match=r"not a \.tflite file"):
        read(path)


def test_truncated_file() -> None:
    content = model(convolution)
    with pytest.raises(BadModel, match="damaged"):
        read(content[: len(content) // 2])


def test_float_model() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        y = b.tensor(x.shape, dtype="float32")
        b.operator("RELU", [x], [y])
        return y

    with pytest.raises(BadModel, match="not int8: its input 'input' is float32") as caught:
        read(model(make, dtype="float32"))
    assert "hilnas measure" in (caught.value.remedy or "")


def test_int8_model_with_float_input_is_told_how_to_convert() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        return convolution(b, b.quantize(x, out_scale=0.1, out_zero_point=0))

    with pytest.raises(BadModel, match="not int8") as caught:
        read(model(make, dtype="float32"))
    assert "inference_input_type" in (caught.value.remedy or "")


def test_batch_other_than_one() -> None:
    with pytest.raises(BadModel, match="batch of 3"):
        read(model(lambda b, x: b.relu(x), (3, 4, 4, 1)))


def test_several_inputs_and_outputs_and_subgraphs() -> None:
    b = Builder()
    x, y = b.input((1, 4)), b.input((1, 4), name="second")
    with pytest.raises(BadModel, match="2 inputs"):
        read(b.finish(b.add(x, y, out_scale=1.0, out_zero_point=0)))
    b = Builder()
    x = b.input((1, 4))
    with pytest.raises(BadModel, match="2 outputs"):
        read(b.finish(b.relu(x), b.softmax(x)))
    b = Builder()
    with pytest.raises(BadModel, match="2 subgraphs"):
        read(b.finish(b.relu(b.input((1, 4))), subgraphs=2))


def test_model_without_operators() -> None:
    b = Builder()
    x = b.input((1, 4))
    with pytest.raises(BadModel, match="no operators"):
        read(b.finish(x))


def test_output_shape_that_contradicts_the_options() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        y = b.tensor((1, 7, 7, 4), scale=x.scale, zero_point=x.zero_point)
        b.operator(
            "MAX_POOL_2D",
            [x],
            [y],
            options="Pool2DOptions",
            Padding=1,
            StrideH=2,
            StrideW=2,
            FilterHeight=2,
            FilterWidth=2,
        )
        return y

    with pytest.raises(BadModel, match=r"expected \(1, 4, 4, 4\)"):
        read(model(make))


def test_tensor_that_nothing_computes() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        return b.add(x, b.tensor(x.shape, scale=1.0, zero_point=0), out_scale=1.0, out_zero_point=0)

    with pytest.raises(BadModel, match="nothing has computed"):
        read(model(make))


# ---- unsupported


def foreign(b: Builder, x: TensorRef, operator: str, name: str) -> TensorRef:
    y = b.tensor(x.shape, scale=1 / 128, zero_point=0, name=name)
    b.operator(operator, [x], [y])
    return y


def test_unsupported_operators_are_all_named_with_what_to_use_instead() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        x = foreign(b, x, "ELU", "net/squash/Elu")
        x = foreign(b, convolution(b, x), "GELU", "net/gauss/mul")
        return foreign(b, x, "TRANSPOSE_CONV", "net/up/conv_transpose")

    with pytest.raises(UnsupportedOperator) as caught:
        read(model(make))
    assert (caught.value.operator, caught.value.layer) == ("ELU", "squash")
    for word in ("ELU", "GELU", "gauss", "TRANSPOSE_CONV", "up"):
        assert word in str(caught.value)
    assert "ReLU" in (caught.value.remedy or "")
    assert "stride" in (caught.value.remedy or "")


def test_the_operator_between_casts_is_blamed() -> None:
    def make(b: Builder, x: TensorRef) -> TensorRef:
        real, result = b.tensor(x.shape, dtype="float32"), b.tensor(x.shape, dtype="float32", name="n/e/Elu")
        b.operator("DEQUANTIZE", [x], [real])
        b.operator("ELU", [real], [result])
        return b.quantize(result, out_scale=0.1, out_zero_point=0)

    with pytest.raises(UnsupportedOperator) as caught:
        read(model(make))
    assert (caught.value.operator, caught.value.layer) == ("ELU", "e")


def computed_weights(b: Builder, x: TensorRef) -> TensorRef:
    y = b.tensor((1, 1), scale=1.0, zero_point=0)
    rows = b.reshape(x, (1, 256))
    b.operator("FULLY_CONNECTED", [rows, rows, None], [y], options="FullyConnectedOptions")
    return y


def int16_output(b: Builder, x: TensorRef) -> TensorRef:
    y = b.tensor(x.shape, dtype="int16", scale=1.0, zero_point=0)
    b.operator("RELU", [x], [y])
    return b.quantize(y, out_scale=1.0, out_zero_point=0)


def grouped(b: Builder, x: TensorRef) -> TensorRef:
    y = b.tensor((1, 8, 8, 6), scale=1.0, zero_point=0)
    w = b.constant(weights(6, 3, 3, 2), dtype="int8", scale=1.0)
    b.operator("CONV_2D", [x, w], [y], options="Conv2DOptions", StrideH=1, StrideW=1)
    return y


def constants_only(b: Builder, x: TensorRef) -> TensorRef:
    constant = b.constant(weights(1, 8, 8, 4), dtype="int8", scale=x.scale, zero_point=x.zero_point)
    joined = b.concatenation([constant, constant], axis=1)
    return b.concatenation([x, joined], axis=1)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (computed_weights, "computed"),
        (constants_only, "all of its inputs are constants"),
        (int16_output, "int16"),
        (grouped, "grouped"),
        (lambda b, x: b.relu6(x, out_scale=0.5), "cannot rescale"),
        (lambda b, x: b.concatenation([x, b.relu(x, out_scale=0.5)], axis=3), "does not rescale"),
        (lambda b, x: b.concatenation([x, x], axis=3, activation="RELU"), "fused activation"),
        (lambda b, x: convolution(b, x, activation="TANH"), "TANH"),
        (lambda b, x: b.quantize(b.expand_dims(b.expand_dims(x, 1), 1), out_scale=1.0, out_zero_point=0), ""),
    ],
)
def test_forms_that_kernels_do_not_have(make: Callable[..., TensorRef], reason: str) -> None:
    if not reason:  # elementwise operators take any number of dimensions
        read(model(make))
        return
    with pytest.raises(UnsupportedOperator, match=reason):
        read(model(make))


# ---- the MLPerf Tiny models

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"


@pytest.mark.parametrize(
    ("name", "macs"), [("kws", 2656768), ("ic", 12501632), ("vww", 7489664), ("ad", 264192)]
)
def test_mlperf_tiny_models(name: str, macs: int) -> None:
    from hil.macs import model_macs

    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip("the MLPerf Tiny models are not beside the checkout")
    graph: Graph = read(path)
    assert model_macs(graph) == macs
    assert all("/" not in operator.layer for operator in graph.operators)
