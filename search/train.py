"""Training: a Keras model's weights from a data set, with one trace of the graph per network.

`Model.fit` spends about two seconds of tracing on every new architecture before the first step, which is
longer than the training of a network of microcontroller size itself.  Here one `tf.function` holds an epoch:
it shuffles, cuts into batches and loops in the graph, and updates weights with the fused Adam operator
instead of the optimizer's graph.  The learning rate falls to 0 along half a cosine; what fills no batch at
the end of an epoch is left out (another rest each time, as each epoch has its own order).

The loss of a classification is the cross-entropy, that of a regression the mean squared error of standardised
targets (`search.datasets.base`): what the model gives is standardised, too.

Determinism: initial weights, order of samples and schedule come from seeds.  On one machine, with the same
TensorFlow and number of threads, the trained weights are the same to the bit; across machines they differ by
the rounding of vectorised sums, which training amplifies.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.config import TrainConfig
from search.datasets.base import Dataset, Images, Labels, Numbers, Truth
from search.errors import TrainingFailed
from search.network import load_keras

# Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1 (epsilon as in Keras).
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
EVALUATION_BATCH = 512


@dataclass(frozen=True)
class EpochEnd:
    """What is known after an epoch (counted from 1): mean training loss, and seconds since the start."""

    epoch: int
    epochs: int
    loss: float
    seconds: float


@dataclass(frozen=True)
class TrainResult:
    """What came of a training; the weights are in the model.

    Attributes:
        float_accuracy: share of the validation split that the float network gets right, 0 to 1; None for a
            regression.
        loss: mean training loss of the last epoch.
        seconds: wall clock, tracing included.
        epochs: passes made.
    """

    float_accuracy: float | None
    loss: float
    seconds: float
    epochs: int


def train(
    model: Any,
    data: Dataset,
    settings: TrainConfig,
    *,
    seed: int,
    on_epoch: Callable[[EpochEnd], None] | None = None,
) -> TrainResult:
    """Train `model` in place.

    Args:
        model: a `keras.Model` from images to class probabilities (or logits), or to standardised numbers.
        data: its training split is fitted, its validation split is scored; the test split is not touched.
        seed: of the order of samples.
        on_epoch: called after each epoch.

    Raises:
        TrainingFailed: the loss is no number any more.
    """
    start = time.perf_counter()
    targets, loss_of = _aim(data)
    epoch_step = _compiled_epoch(_logits(model), data.x_train, targets, loss_of, settings, seed)
    loss = math.nan
    for epoch in range(settings.epochs):
        loss = epoch_step(epoch)
        if not math.isfinite(loss):
            raise TrainingFailed(
                f"the training loss became {loss} in epoch {epoch + 1} of {settings.epochs}",
                remedy=f"lower the learning rate (now {settings.learning_rate:g}), or scale the data to 0..1",
            )
        if on_epoch is not None:
            on_epoch(EpochEnd(epoch + 1, settings.epochs, loss, time.perf_counter() - start))
    score = accuracy(model, data.x_val, data.y_val) if data.task == "classification" else None
    return TrainResult(score, loss, time.perf_counter() - start, settings.epochs)


def accuracy(model: Any, x: Images, y: Labels) -> float:
    """Share of `x` (count, height, width, channels) that `model` puts into class `y` (count,), 0 to 1."""
    return int(np.sum(predict(model, x).argmax(axis=-1) == y)) / len(y)


def predict(model: Any, x: Images) -> Numbers:
    """(count, outputs): what `model` says of `x` (count, height, width, channels)."""
    cuts = range(0, len(x), EVALUATION_BATCH)
    parts = [model(x[low : low + EVALUATION_BATCH], training=False).numpy() for low in cuts]
    return np.concatenate(parts)


def _aim(data: Dataset) -> tuple[Truth, Callable[[Any, Any], Any]]:
    """What the network is to say of the training split, and the losses (batch,) of (targets, outputs)."""
    import tensorflow as tf

    if data.task == "regression":
        return data.standardised(data.y_train), lambda targets, outputs: tf.reduce_mean(
            tf.math.squared_difference(outputs, targets), axis=-1
        )
    return data.y_train, tf.nn.sparse_softmax_cross_entropy_with_logits


def _logits(model: Any) -> Any:
    """`model` up to its final softmax, which belongs into the loss for numerical reasons."""
    keras = load_keras()
    last = model.layers[-1]
    return keras.Model(model.inputs[0], last.input) if isinstance(last, keras.layers.Softmax) else model


def _compiled_epoch(
    logits: Any,
    x: Images,
    y: Truth,
    loss_of: Callable[[Any, Any], Any],
    settings: TrainConfig,
    seed: int,
) -> Callable[[int], float]:
    """A function of the epoch's number that trains one epoch and returns its mean loss.

    notation        shape           meaning
    batch           ()              samples per step
    steps           ()              whole batches per epoch
    order           (count,)        permutation of the samples, of this epoch
    first, second   as the weight   Adam's moments m and v
    """
    import tensorflow as tf

    count = len(y)
    batch = min(settings.batch_size, count)
    steps = count // batch
    total = float(steps * settings.epochs)
    images, labels = tf.constant(x), tf.constant(y)
    weights = [variable.value for variable in logits.trainable_variables]
    first = [tf.Variable(tf.zeros_like(weight)) for weight in weights]
    second = [tf.Variable(tf.zeros_like(weight)) for weight in weights]

    def step(index: Any, done: Any) -> Any:
        with tf.GradientTape() as tape:
            scores = logits(tf.gather(images, index), training=True)
            loss = tf.reduce_mean(loss_of(tf.gather(labels, index), scores))
        rate = settings.learning_rate * 0.5 * (1.0 + tf.cos(math.pi * done / total))
        gradients = tape.gradient(loss, weights)
        # As tensors, made once: as Python numbers each weight would add its own constants to the graph.
        beta_1, beta_2, epsilon = tf.constant(BETA_1), tf.constant(BETA_2), tf.constant(EPSILON)
        power_1, power_2 = beta_1 ** (done + 1.0), beta_2 ** (done + 1.0)
        for weight, gradient, m, v in zip(weights, gradients, first, second, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=power_1,
                beta2_power=power_2,
                lr=rate,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=epsilon,
                grad=gradient,
            )
        return loss

    @tf.function(autograph=False, jit_compile=False)  # type: ignore[untyped-decorator]  # no types
    def run_epoch(epoch: Any) -> Any:
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=tf.stack([seed, epoch]))

        def body(position: Any, total_loss: Any) -> Any:
            index = order[position * batch : (position + 1) * batch]
            done = tf.cast(epoch * steps + position, tf.float32)
            return position + 1, total_loss + step(index, done)

        _, total_loss = tf.while_loop(
            lambda position, _: position < steps, body, (0, 0.0), parallel_iterations=1
        )
        return total_loss / steps

    return lambda epoch: float(run_epoch(tf.constant(epoch)))
