"""Which quality metrics a study computes, and whether they suit its data."""

from __future__ import annotations

from search.datasets import Dataset
from search.errors import BadConfig
from search.metrics import ALWAYS_JUDGED, METRICS, QUALITIES
from search.objective import Objectives
from search.quality import TOP_K


def judged(objectives: Objectives, data: Dataset) -> tuple[str, ...]:
    """Quality metrics of the int8 network, each to be computed of the float network too.

    Returns:
        Those that data of this task always have, and those that objectives, constraints or reward read.

    Raises:
        BadConfig: one of them says nothing on such data.
    """
    limited = [constraint.metric for constraint in objectives.constraints]
    in_order = dict.fromkeys([*objectives.metrics, *limited, *objectives.reward.metrics])
    read = [METRICS[name] for name in in_order if METRICS[name].task is not None]
    for metric in read:
        if metric.task != data.task:
            holds = "numbers to predict (floats)" if data.task == "regression" else "class numbers (integers)"
            raise BadConfig(
                f"{_who(objectives, metric.name)} {metric.name}, a metric of {metric.task}, "
                f"but the y of {data.name} holds {holds}",
                remedy=_REMEDIES[data.task],
            )
    bare = [metric.name.removeprefix("float_") for metric in read]
    if "top_k_categorical_accuracy" in bare and data.classes <= TOP_K:
        raise BadConfig(
            f"top_k_categorical_accuracy asks for the {TOP_K} best, and {data.name} has {data.classes} "
            "classes: it is always 1",
            remedy="weigh accuracy instead",
        )
    always = ALWAYS_JUDGED[data.task]
    return (*always, *(name for name in QUALITIES if name in bare and name not in always))


def _who(objectives: Objectives, name: str) -> str:
    if name in objectives.metrics:
        return "an objective is on"
    if name in (constraint.metric for constraint in objectives.constraints):
        return "a constraint is on"
    return "the reward reads"


_REMEDIES = {
    "regression": 'write e.g. "minimize mean_absolute_error" or "maximize r2_score"; if these are classes, '
    "save them as integers: y.astype('int32')",
    "classification": 'write e.g. "maximize accuracy"; if these are numbers to predict, '
    "save them as floats: y.astype('float32')",
}
