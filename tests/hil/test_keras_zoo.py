"""Any reasonable Keras model: quantized, compiled, run on the emulated board and exact; or refused in words.

The zoo is made of the families that people train for microcontrollers, small, with odd sizes.  Weights and
statistics of normalizations are random, so that no value is 0 or 1 by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hil
from hil.bench import BenchSettings
from hil.codegen import generate
from hil.errors import InputError, QuantizationFailed, UnsupportedOperator
from hil.graph import Graph, read
from hil.quantize import quantize
from tests.support.arm_models import ArmRunner
from tests.support.firmware import needs_toolchain
from tests.support.tflite_builder import truth

keras: Any = None
L: Any = None
DEVICE = "emulated:nrf52840_dk"
ONE_RUN = BenchSettings(warmup_runs=0, min_runs=1, max_runs=1)

Model = Any
Make = Callable[[], Model]


@pytest.fixture(autouse=True, scope="module")
def tensorflow() -> None:
    """TensorFlow is loaded when these tests run, not whenever tests are collected."""
    global keras, L
    keras = pytest.importorskip("keras")
    L = keras.layers


@pytest.fixture(autouse=True)
def names_from_one() -> None:
    keras.utils.clear_session()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> ArmRunner:
    return ArmRunner(tmp_path_factory.mktemp("zoo"))


# ---- building


def chain(shape: tuple[int, ...], *parts: Any) -> Model:
    x = entry = keras.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(entry, x)


def conv_bn(
    x: Any, filters: int, kernel: int | tuple[int, int], stride: int = 1, relu: float | None = None
) -> Any:
    x = L.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
    return L.ReLU(relu)(L.BatchNormalization()(x))


def depthwise_bn(x: Any, stride: int = 1, padding: str = "same", relu: float | None = None) -> Any:
    x = L.DepthwiseConv2D(3, strides=stride, padding=padding, use_bias=False)(x)
    return L.ReLU(relu)(L.BatchNormalization()(x))


def randomized(model: Model) -> Model:
    random = np.random.default_rng(1)
    for variable in model.weights:
        if variable.path.endswith(("bias", "beta", "moving_mean")):
            variable.assign(random.normal(size=variable.shape) * 0.3)
        elif variable.path.endswith(("gamma", "moving_variance")):
            variable.assign(random.uniform(0.5, 1.5, size=variable.shape))
    return model


def samples(model: Model, count: int = 16) -> np.ndarray[Any, Any]:
    return np.random.default_rng(2).normal(size=(count, *model.inputs[0].shape[1:])).astype(np.float32)


def graph_of(model: Model) -> Graph:
    return read(quantize(randomized(model), samples(model)))


# ---- the zoo


def mlp() -> Model:
    return chain((20,), L.Dense(16, "relu"), L.Dropout(0.2), L.Dense(7, "tanh"), L.Dense(2))


def lenet() -> Model:
    return chain(
        (18, 18, 1),
        *(L.Conv2D(4, 5, padding="same", activation="tanh"), L.AveragePooling2D(2)),
        *(L.Conv2D(6, 5, activation="tanh"), L.AveragePooling2D(2), L.Flatten()),
        *(L.Dense(12, "tanh"), L.Dense(10, "softmax")),
    )


def ds_cnn() -> Model:
    entry = keras.Input((21, 10, 1))
    x = conv_bn(entry, 6, (10, 4), 2)
    for _ in range(2):
        x = conv_bn(depthwise_bn(x), 6, 1)
    x = L.AveragePooling2D(x.shape[1:3])(L.Dropout(0.2)(x))
    return keras.Model(entry, L.Dense(12, "softmax")(L.Flatten()(x)))


def mobilenet_v1() -> Model:
    entry = keras.Input((17, 13, 3))
    x = conv_bn(entry, 4, 3, 2, relu=6.0)
    for filters, stride in ((7, 1), (10, 2), (10, 1)):
        x = conv_bn(depthwise_bn(x, stride, relu=6.0), filters, 1, relu=6.0)
    x = L.Conv2D(5, 1)(L.GlobalAveragePooling2D(keepdims=True)(x))
    return keras.Model(entry, L.Softmax()(L.Reshape((5,))(x)))


def mobilenet_v2() -> Model:
    entry = keras.Input((16, 16, 3))
    x = conv_bn(entry, 6, 3, 2, relu=6.0)
    for filters, stride, expansion in ((6, 1, 2), (8, 2, 3), (8, 1, 2)):
        y = conv_bn(x, expansion * x.shape[-1], 1, relu=6.0)
        if stride == 2:
            y = L.ZeroPadding2D(((0, 1), (0, 1)))(y)
        y = depthwise_bn(y, stride, "valid" if stride == 2 else "same", relu=6.0)
        y = L.BatchNormalization()(L.Conv2D(filters, 1, use_bias=False)(y))
        x = L.Add()([x, y]) if y.shape == x.shape else y
    return keras.Model(entry, L.Dense(4)(L.GlobalAveragePooling2D()(x)))


def mobilenet_v3() -> Model:
    """Hard swish, hard sigmoid, and a gate."""
    entry = keras.Input((9, 9, 3))
    x = L.Activation("hard_swish")(L.Conv2D(6, 3, strides=2)(entry))
    gate = L.Dense(3, "relu")(L.GlobalAveragePooling2D()(x))
    x = L.Multiply()([x, L.Reshape((1, 1, 6))(L.Dense(6, "hard_sigmoid")(gate))])
    return keras.Model(entry, L.Dense(3)(L.Flatten()(x)))


def resnet() -> Model:
    entry = keras.Input((9, 9, 3))
    x = conv_bn(entry, 5, 3)
    for filters, stride in ((5, 1), (8, 2)):
        y = L.Conv2D(filters, 3, padding="same", use_bias=False)(conv_bn(x, filters, 3, stride))
        y = L.BatchNormalization()(y)
        x = L.Conv2D(filters, 1, strides=stride)(x) if stride > 1 else x
        x = L.ReLU()(L.Add()([y, x]))
    return keras.Model(entry, L.Dense(10, "softmax")(L.GlobalAveragePooling2D()(x)))


def resnet_v2() -> Model:
    """Normalization and activation in front: MUL and ADD that nothing takes in."""
    x = entry = keras.Input((7, 7, 4))
    for _ in range(2):
        y = L.ReLU()(L.BatchNormalization()(x))
        x = L.Add()([x, L.Conv2D(4, 3, padding="same")(y)])
    return keras.Model(entry, L.GlobalAveragePooling2D()(L.Activation("relu")(L.BatchNormalization()(x))))


def squeezenet() -> Model:
    entry = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 1, activation="relu")(entry)
    x = L.Concatenate()([L.Conv2D(5, 1, activation="relu")(x), L.Conv2D(3, 3, padding="same")(x)])
    return keras.Model(entry, L.GlobalAveragePooling2D()(L.Conv2D(4, 1)(x)))


def densenet() -> Model:
    x = entry = keras.Input((6, 6, 3))
    for _ in range(3):
        x = L.Concatenate()([x, L.Conv2D(4, 3, padding="same", activation="relu")(x)])
    return keras.Model(entry, L.Dense(3)(L.GlobalAveragePooling2D()(x)))


def joined_along_other_axes() -> Model:
    entry = keras.Input((6, 6, 4))
    x, y = L.Conv2D(4, 1)(entry), L.Conv2D(4, 3, padding="same")(entry)
    rows = L.MaxPooling2D((2, 1))(L.Concatenate(axis=1)([x, y]))
    return keras.Model(entry, L.Flatten()(L.Concatenate(axis=2)([rows, x])))


def squeeze_excite() -> Model:
    entry = keras.Input((8, 8, 3))
    x = conv_bn(entry, 8, 3)
    gate = L.Dense(4, "relu", name="fc1")(L.GlobalAveragePooling2D(name="squeeze")(x))
    gate = L.Reshape((1, 1, 8))(L.Dense(8, "sigmoid", name="fc2")(gate))
    x = L.Multiply(name="excite")([x, gate])
    return keras.Model(entry, L.Dense(3, "softmax", name="head")(L.GlobalAveragePooling2D(name="pool")(x)))


def efficientnet() -> Model:
    """Swish, as a layer and written out."""
    entry = keras.Input((8, 8, 3))
    x = L.BatchNormalization()(L.Conv2D(6, 3, padding="same")(entry))
    x = L.DepthwiseConv2D(3, activation="swish")(x * keras.ops.sigmoid(x))
    return keras.Model(entry, L.Dense(2)(L.GlobalAveragePooling2D()(x)))


def odd_sizes() -> Model:
    return chain(
        (15, 11, 3),
        *(L.ZeroPadding2D(((1, 2), (0, 3))), L.Conv2D(4, 3, strides=2, padding="same")),
        *(L.DepthwiseConv2D(3, strides=2, padding="same"), L.LeakyReLU(negative_slope=0.3)),
        *(L.MaxPooling2D(2, padding="same"), L.AveragePooling2D((3, 2), 1, padding="same"), L.Flatten()),
    )


def dilated() -> Model:
    return chain(
        (13, 13, 3),
        *(L.Conv2D(4, 3, dilation_rate=2, padding="same"), L.Conv2D(4, 3, dilation_rate=(1, 3))),
        *(L.DepthwiseConv2D(3, dilation_rate=2, padding="same"), L.Flatten()),
    )


def depth_multipliers() -> Model:
    return chain(
        (8, 8, 1),
        *(L.DepthwiseConv2D(3, depth_multiplier=4, padding="same", activation="relu"),),
        *(
            L.DepthwiseConv2D((1, 5), depth_multiplier=2),
            L.SeparableConv2D(5, 3, depth_multiplier=2),
            L.Flatten(),
        ),
    )


def separable() -> Model:
    return chain(
        (11, 11, 3),
        *(
            L.SeparableConv2D(6, 3, strides=2, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
        ),
        *(L.SeparableConv2D(4, 3, activation="relu"), L.GlobalAveragePooling2D(), L.Dense(2)),
    )


def wakeword_1d() -> Model:
    return chain(
        (49, 5),
        *(L.Conv1D(6, 5, strides=2, padding="same", activation="relu", name="first"),),
        *(L.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="relu", name="causal"),),
        *(L.MaxPooling1D(2, name="max"), L.Conv1D(4, 3, dilation_rate=2, name="dilated")),
        *(
            L.AveragePooling1D(2, name="average"),
            L.GlobalAveragePooling1D(),
            L.Dense(3, "softmax", name="head"),
        ),
    )


def temporal_convolutions() -> Model:
    x = entry = keras.Input((16, 4))
    for dilation in (1, 2, 4):
        y = L.Conv1D(4, 3, padding="causal", dilation_rate=dilation, activation="relu")(x)
        x = L.Add()([x, L.SpatialDropout1D(0.1)(y)])
    return keras.Model(entry, L.Dense(2)(L.Flatten()(x)))


def separable_1d() -> Model:
    return chain(
        (31, 3),
        *(
            L.ZeroPadding1D((2, 1)),
            L.DepthwiseConv1D(5, depth_multiplier=2, padding="same", activation="relu"),
        ),
        *(L.SeparableConv1D(6, 3, strides=2, padding="same"), L.Conv1D(3, 5, strides=2, padding="causal")),
        *(L.GlobalAveragePooling1D(),),
    )


def dense_on_steps() -> Model:
    return chain(
        (7, 6), L.Dense(5, "relu"), L.Dense(4), L.BatchNormalization(), L.Flatten(), L.Dense(1, "sigmoid")
    )


def many_classes() -> Model:
    return chain((8,), L.Rescaling(1 / 2, 0.5), L.Dense(300, "softmax"))


def normalized_input() -> Model:
    normalization = L.Normalization(name="normalize", mean=[0.5, -1.0, 2.0], variance=[1.0, 4.0, 0.25])
    return chain((6, 6, 3), normalization, L.Conv2D(4, 3, name="conv"), L.Flatten(name="flat"))


def normalization_alone() -> Model:
    return chain((5, 5, 3), L.BatchNormalization(name="norm"))


def input_reused() -> Model:
    """The input is an operand three times, first of an operator that could overwrite it."""
    entry = keras.Input((6, 6, 3))
    y = L.Conv2D(3, 3, padding="same")(entry)
    z = L.Add()([L.ReLU()(L.Add()([entry, y])), entry])
    return keras.Model(entry, L.Concatenate()([L.ReLU()(entry), L.Subtract()([z, y]), entry]))


def input_doubled() -> Model:
    entry = keras.Input((6, 6, 3))
    return keras.Model(entry, L.Add()([entry, entry]))


def shared_layer() -> Model:
    layer, entry = L.Conv2D(4, 3, padding="same", activation="relu", name="shared"), keras.Input((6, 6, 4))
    return keras.Model(entry, L.Flatten()(L.Add()([layer(layer(entry)), layer(entry)])))


def sums_and_averages_of_three() -> Model:
    entry = keras.Input((5, 5, 3))
    x = L.Add()([L.Conv2D(4, kernel, padding="same")(entry) for kernel in (1, 2, 3)])
    x = L.Flatten()(x)
    return keras.Model(entry, L.Average()([L.Dense(3)(x), L.Dense(3, "relu")(x), L.Dense(3)(x)]))


def nested() -> Model:
    tail = keras.Sequential([keras.Input((6, 6, 4)), L.Conv2D(4, 3, name="deep"), L.Flatten()], name="tail")
    return chain(
        (8, 8, 3), chain((8, 8, 3), L.Conv2D(4, 3, name="inner"), L.ReLU()), tail, L.Dense(3, name="head")
    )


def sequential_without_input() -> Model:
    model = keras.Sequential([L.Conv2D(4, 3), L.SpatialDropout2D(0.1), L.Softmax()])
    model.build((None, 6, 6, 2))
    return model


def subclass_with_an_input() -> Model:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = L.Conv2D(4, 3, name="own_conv"), L.Dense(3, name="own_head")

        def call(self, x: Any) -> Any:
            return self.head(keras.ops.mean(self.conv(x), axis=(1, 2)))

    entry = keras.Input((6, 6, 2))
    return keras.Model(entry, Own()(entry))


ZOO: tuple[Make, ...] = (
    *(mlp, lenet, ds_cnn, mobilenet_v1, mobilenet_v2, mobilenet_v3, resnet, resnet_v2, squeezenet, densenet),
    *(
        joined_along_other_axes,
        squeeze_excite,
        efficientnet,
        odd_sizes,
        dilated,
        depth_multipliers,
        separable,
    ),
    *(wakeword_1d, temporal_convolutions, separable_1d, dense_on_steps, many_classes, normalized_input),
    *(normalization_alone, input_reused, input_doubled, shared_layer, sums_and_averages_of_three, nested),
    *(sequential_without_input, subclass_with_an_input),
)


@needs_toolchain
@pytest.mark.parametrize("make", ZOO, ids=lambda make: make.__name__)
def test_model_is_exact_on_the_emulated_board(make: Make, runner: ArmRunner) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    graph = graph_of(make())
    shape = graph.input_tensor.shape
    inputs = [
        np.random.default_rng(3).integers(-128, 128, shape, dtype=np.int8),
        np.full(shape, 127, np.int8),
    ]
    for data, output in zip(inputs, runner.run(generate(graph), *inputs), strict=True):
        np.testing.assert_array_equal(output, truth(graph.flatbuffer, data))


@needs_toolchain
@pytest.mark.parametrize("make", [squeeze_excite, input_reused], ids=lambda make: make.__name__)
def test_keras_model_is_measured_as_it_is(make: Make) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    measured = hil.measure(randomized(make()), device=DEVICE, settings=ONE_RUN, per_layer=True)
    assert measured.check.exact
    assert measured.check.max_difference == 0
    assert measured.cycles > 0
    assert all(layer.cycles > 0 for layer in measured.layers if layer.operator != "RESHAPE")


# ---- names


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (squeeze_excite, "conv2d squeeze fc1 fc2 fc2 excite pool head head"),
        (wakeword_1d, "first first first causal causal causal max dilated average average "
         "global_average_pooling1d head head"),
        (normalized_input, "normalize normalize conv flat"),
        (normalization_alone, "norm norm"),
        (shared_layer, "shared shared add flatten"),
        (nested, "inner deep flatten head"),
        (subclass_with_an_input, "own_conv own own_head"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_operators_bear_the_names_of_the_layers(make: Make, names: str) -> None:
    assert [operator.layer for operator in graph_of(make()).operators] == names.split()


# ---- refusals


def refused(*parts: Callable[[], Any], shape: tuple[int, ...] = (8, 8, 3)) -> Make:
    return lambda: chain(shape, *(part() for part in parts))


@pytest.mark.parametrize(
    ("make", "operator", "layer", "remedy"),
    [
        (refused(lambda: L.Conv2D(4, 3), lambda: L.PReLU(name="curved")), "PRELU", "curved", "ReLU"),
        (refused(lambda: L.Conv2D(4, 3, activation="gelu", name="curved")), "GELU", "curved", "ReLU"),
        (refused(lambda: L.UpSampling2D(name="up")), "TILE", "up", "smaller strides"),
        (refused(lambda: L.Conv2DTranspose(4, 3, name="up")), "TRANSPOSE_CONV", "up", "smaller strides"),
        (refused(lambda: L.Permute((2, 1, 3), name="turn")), "TRANSPOSE", "turn", "order the axes"),
        (refused(lambda: L.Cropping2D(1, name="crop")), "STRIDED_SLICE", "crop", "hand over only the part"),
        (refused(lambda: L.Conv2D(6, 3, groups=3, name="groups")), "CONV_2D", "groups", "DepthwiseConv2D"),
        (refused(lambda: L.GlobalMaxPooling2D(name="peak")), "REDUCE_MAX", "peak", "MaxPooling"),
        (refused(lambda: L.LayerNormalization(name="norm")), "NEG", "norm", "BatchNormalization"),
        (refused(lambda: L.Resizing(4, 4, name="small")), "RESIZE_BILINEAR", "small", "before the model"),
        (refused(lambda: L.LSTM(4, name="memory"), shape=(8, 3)), "WHILE", "memory", "Conv1D"),
        (refused(lambda: L.GRU(4, name="memory", unroll=True), shape=(3, 3)), "UNPACK", "memory", "Conv1D"),
        (refused(lambda: L.Bidirectional(L.LSTM(4), name="both"), shape=(8, 3)), "WHILE", "both", "Conv1D"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_the_runtime_lacks_is_named_with_a_remedy(
    make: Make, operator: str, layer: str, remedy: str
) -> None:
    with pytest.raises(UnsupportedOperator) as caught:
        graph_of(make())
    assert (caught.value.operator, caught.value.layer) == (operator, layer)
    assert remedy in (caught.value.remedy or "")


def two_inputs() -> Model:
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    return keras.Model([left, right], L.Dense(2)(L.Concatenate()([left, right])))


def two_outputs() -> Model:
    entry = keras.Input((6,))
    return keras.Model(entry, [L.Dense(2)(entry), L.Dense(3)(entry)])


def tokens() -> Model:
    entry = keras.Input((6,), dtype="int32", name="tokens")
    return keras.Model(entry, L.Flatten()(L.Embedding(10, 4)(entry)))


def half_precision() -> Model:
    return chain((6,), L.Dense(4, dtype="mixed_float16", name="half"), L.Dense(2))


def sequential_not_built() -> Model:
    return keras.Sequential([L.Dense(3)])


@pytest.mark.parametrize(
    ("make", "message", "remedy"),
    [
        (two_inputs, r"2 inputs \(left, right\)", "concatenate"),
        (two_outputs, "2 outputs", "concatenate"),
        (tokens, "takes int32 values in its input 'tokens'", "look embeddings up before the model"),
        (half_precision, "layer 'half' computes in float16", "float32"),
        (sequential_not_built, "not built", "keras.Input"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_quantized_is_refused_before_anything_else(
    make: Make, message: str, remedy: str
) -> None:
    with pytest.raises(QuantizationFailed, match=message) as caught:
        hil.measure(make(), device="simulated:nrf52840_dk")
    assert remedy in (caught.value.remedy or "")


def test_every_refusal_is_the_users_to_mend() -> None:
    with pytest.raises(InputError):
        hil.measure(object(), device="simulated:nrf52840_dk")
