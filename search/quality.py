"""Quality metrics, computed by Keras: of a network's outputs, float or dequantized from int8.

| metric                     | what it is here                                                           |
|----------------------------|---------------------------------------------------------------------------|
| accuracy                   | share of samples whose own class scores highest (numpy)                   |
| f1_score                   | F1Score: mean over the classes of 2 precision recall / (precision + recall) |
| precision, recall          | Precision, Recall: mean over the classes, each against the rest           |
| auc                        | AUC: mean over the classes of the area under ROC, each against the rest   |
| top_k_categorical_accuracy | SparseTopKCategoricalAccuracy: own class among the 5 that score highest   |
| mean_absolute_error        | MeanAbsoluteError, over samples and outputs, in the data's units          |
| mean_squared_error         | MeanSquaredError, likewise                                                |
| root_mean_squared_error    | RootMeanSquaredError, the root of the latter                              |
| r2_score                   | R2Score: mean over the outputs of 1 - squared error / variance            |

The class of a sample is the one that scores highest, of equal scores the first one, as for the accuracy; int8
scores are often equal, and Keras' F1 would count all of them.  Means over classes leave out a class of which
the data hold no sample (macro average over the others); two classes are two classes, each against the other.
The area under ROC comes from 512 thresholds, twice the steps of an int8 score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.network import load_keras

Floats = NDArray[np.float32]

TOP_K = 5
THRESHOLDS = 512
BATCH = 2048


def qualities(names: Sequence[str], outputs: Floats, truth: NDArray[Any]) -> dict[str, float]:
    """The named metrics of one split.

    Args:
        names: of `search.metrics.QUALITIES`, all of one task.
        outputs: of a classification (count, classes), probabilities or what ranks like them; of a regression
            (count, outputs), in the data's units.
        truth: (count,) class numbers, or (count, outputs) numbers in the data's units.
    """
    return {name: _COMPUTED[name](outputs, truth) for name in names}


# ---- classification


def _accuracy(scores: Floats, labels: NDArray[Any]) -> float:
    return int(np.sum(scores.argmax(axis=-1) == labels)) / len(labels)


def _f1_score(scores: Floats, labels: NDArray[Any]) -> float:
    metric = load_keras().metrics.F1Score(average=None, threshold=0.5)
    one_hot, chosen = _one_hot(labels, scores), _one_hot(scores.argmax(axis=-1), scores)
    return _mean(_result(metric, one_hot, chosen), labels)


def _per_class(kind: str) -> Callable[[Floats, NDArray[Any]], float]:
    def compute(scores: Floats, labels: NDArray[Any]) -> float:
        one_hot, chosen = _one_hot(labels, scores), _one_hot(scores.argmax(axis=-1), scores)
        make = getattr(load_keras().metrics, kind)
        found = [
            float(_result(make(), one_hot[:, label], chosen[:, label])) for label in range(scores.shape[1])
        ]
        return _mean(np.array(found), labels)

    return compute


def _auc(scores: Floats, labels: NDArray[Any]) -> float:
    there = np.unique(labels)
    if len(there) < 2:
        return 0.5  # with nothing to be told apart from, no ranking is better than chance
    metric = load_keras().metrics.AUC(num_thresholds=THRESHOLDS, multi_label=True, num_labels=len(there))
    return float(_result(metric, _one_hot(labels, scores)[:, there], _within_0_and_1(scores[:, there])))


def _within_0_and_1(scores: Floats) -> Floats:
    """What a model without softmax gives, squeezed in between: only the order within a class counts."""
    low, high = scores.min(), scores.max()
    return scores if low >= 0.0 and high <= 1.0 else (scores - low) / (high - low)


def _top_k(scores: Floats, labels: NDArray[Any]) -> float:
    metric = load_keras().metrics.SparseTopKCategoricalAccuracy(k=TOP_K)
    return float(_result(metric, labels, scores))


def _one_hot(labels: NDArray[Any], scores: Floats) -> Floats:
    one_hot: Floats = np.eye(scores.shape[1], dtype=np.float32)[labels]
    return one_hot


def _mean(of_classes: NDArray[Any], labels: NDArray[Any]) -> float:
    return float(np.mean(of_classes[np.unique(labels)]))


# ---- regression


def _plain(kind: str) -> Callable[[Floats, NDArray[Any]], float]:
    return lambda outputs, truth: float(_result(getattr(load_keras().metrics, kind)(), truth, outputs))


def _r2_score(outputs: Floats, truth: NDArray[Any]) -> float:
    # R2 is the same in any unit; Keras sums squares in 32 bits, which only numbers around 0 survive.
    mean, scale = truth.mean(axis=0, dtype=np.float64), truth.std(axis=0, dtype=np.float64)
    scale = np.where(scale > 0, scale, 1.0)
    metric = load_keras().metrics.R2Score(class_aggregation=None)
    each = _result(metric, (truth - mean) / scale, (outputs - mean) / scale)
    return float(np.mean(np.where(np.isfinite(each), each, 0.0)))


def _result(metric: Any, truth: NDArray[Any], outputs: NDArray[Any]) -> NDArray[np.float64]:
    for low in range(0, len(truth), BATCH):
        metric.update_state(truth[low : low + BATCH], outputs[low : low + BATCH])
    return np.asarray(metric.result(), np.float64)


_COMPUTED: dict[str, Callable[[Floats, NDArray[Any]], float]] = {
    "accuracy": _accuracy,
    "f1_score": _f1_score,
    "precision": _per_class("Precision"),
    "recall": _per_class("Recall"),
    "auc": _auc,
    "top_k_categorical_accuracy": _top_k,
    "mean_absolute_error": _plain("MeanAbsoluteError"),
    "mean_squared_error": _plain("MeanSquaredError"),
    "root_mean_squared_error": _plain("RootMeanSquaredError"),
    "r2_score": _r2_score,
}
