"""What networks that classify end with: average pooling to a vector, a dense layer, softmax."""

from __future__ import annotations

from search.space.layers import ClassProbabilities, Dense, GlobalAverage, Layer


def averaged_classes(source: str, classes: int) -> tuple[Layer, ...]:
    """From the map of layer `source` to the probabilities of the classes."""
    return (GlobalAverage("average", (source,)), *vector_classes("average", classes))


def vector_classes(source: str, classes: int) -> tuple[Layer, ...]:
    """From the vector of layer `source` to the probabilities of the classes."""
    return (
        Dense("classes", (source,), classes, "none"),
        ClassProbabilities("probabilities", ("classes",)),
    )
