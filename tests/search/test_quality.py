"""Quality metrics held against scikit-learn's, and at their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from search.metrics import QUALITIES
from search.quality import qualities


def scored(classes: int, count: int = 300, seed: int = 0, *, steps: int = 0) -> tuple[Any, Any]:
    """Labels, and probabilities that lean towards them; `steps` rounds them as an int8 output does."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count).astype(np.int32)
    raw = rng.normal(size=(count, classes)) + 1.5 * np.eye(classes)[labels]
    scores = np.exp(raw) / np.exp(raw).sum(axis=-1, keepdims=True)
    if steps:
        scores = np.round(scores * steps) / steps
    return labels, scores.astype(np.float32)


@pytest.mark.parametrize("steps", [0, 256, 8])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_classification_is_as_scikit_learn_has_it(classes: int, steps: int) -> None:
    labels, scores = scored(classes, steps=steps)
    chosen = scores.argmax(axis=-1)
    found = qualities(["accuracy", "f1_score", "precision", "recall", "auc"], scores, labels)
    assert found["accuracy"] == sk.accuracy_score(labels, chosen)
    for name, expected in (
        ("f1_score", sk.f1_score(labels, chosen, average="macro")),
        ("precision", sk.precision_score(labels, chosen, average="macro", zero_division=0)),
        ("recall", sk.recall_score(labels, chosen, average="macro")),
    ):
        assert found[name] == pytest.approx(expected, abs=1e-6), name
    areas = [sk.roc_auc_score(labels == kind, scores[:, kind]) for kind in range(classes)]
    # Keras takes the area between 512 thresholds.
    assert found["auc"] == pytest.approx(np.mean(areas), abs=2e-3)


def test_top_k_counts_the_five_best() -> None:
    labels, scores = scored(10)
    expected = sk.top_k_accuracy_score(labels, scores, k=5)
    found = qualities(["top_k_categorical_accuracy"], scores, labels)
    assert found["top_k_categorical_accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_regression_is_as_scikit_learn_has_it(outputs: int, offset: float) -> None:
    rng = np.random.default_rng(3)
    truth = (offset + rng.normal(size=(5000, outputs)) * np.arange(1, outputs + 1)).astype(np.float32)
    guess = (truth + rng.normal(size=truth.shape)).astype(np.float32)
    found = qualities([name for name, one in QUALITIES.items() if one.task == "regression"], guess, truth)
    assert found["mean_absolute_error"] == pytest.approx(sk.mean_absolute_error(truth, guess), rel=1e-4)
    assert found["mean_squared_error"] == pytest.approx(sk.mean_squared_error(truth, guess), rel=1e-4)
    assert found["root_mean_squared_error"] == pytest.approx(found["mean_squared_error"] ** 0.5, rel=1e-5)
    wide = truth.astype(np.float64), guess.astype(np.float64)
    assert found["r2_score"] == pytest.approx(sk.r2_score(*wide), abs=1e-3)


def test_a_class_without_samples_does_not_count() -> None:
    labels, scores = scored(4)
    kept = labels != 2
    found = qualities(["f1_score", "recall", "auc"], scores[kept], labels[kept])
    chosen, there = scores[kept].argmax(axis=-1), [0, 1, 3]
    expected = sk.f1_score(labels[kept], chosen, labels=there, average="macro")
    assert found["f1_score"] == pytest.approx(expected, abs=1e-6)
    assert found["recall"] == pytest.approx(
        sk.recall_score(labels[kept], chosen, labels=there, average="macro"), abs=1e-6
    )
    areas = [sk.roc_auc_score(labels[kept] == kind, scores[kept][:, kind]) for kind in there]
    assert found["auc"] == pytest.approx(np.mean(areas), abs=2e-3)


def test_perfect_and_hopeless() -> None:
    labels = np.arange(60, dtype=np.int32) % 3
    perfect = np.eye(3, dtype=np.float32)[labels]
    classification = ["accuracy", "f1_score", "precision", "recall", "auc"]
    for name, value in qualities(classification, perfect, labels).items():
        assert value == pytest.approx(1.0, abs=1e-6), name
    wrong = np.eye(3, dtype=np.float32)[(labels + 1) % 3]
    for name, value in qualities(classification[:-1], wrong, labels).items():
        assert value == 0.0, name
    assert qualities(["auc"], np.full((60, 3), 0.3, np.float32), labels)["auc"] == pytest.approx(0.5)


def test_equal_scores_are_the_first_class_as_for_the_accuracy() -> None:
    labels = np.zeros(10, np.int32)
    labels[5:] = 1
    scores = np.full((10, 2), 0.5, np.float32)
    found = qualities(["accuracy", "recall", "precision"], scores, labels)
    assert found == {"accuracy": 0.5, "recall": 0.5, "precision": 0.25}


def test_numbers_that_never_change_have_no_r2_and_no_nan() -> None:
    truth = np.full((20, 1), 3.0, np.float32)
    assert qualities(["r2_score"], truth, truth)["r2_score"] == 0.0
    assert qualities(["r2_score"], truth + 1, truth)["r2_score"] == 0.0
