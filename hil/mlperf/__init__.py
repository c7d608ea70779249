"""The host's side of the MLPerf Tiny dialogue: docs/mlperf.md."""

from hil.mlperf.dialogue import Dialogue, Inference
from hil.mlperf.performance import Performance, Window, measure_performance
from hil.mlperf.tasks import Task, task_of

__all__ = [
    "Dialogue",
    "Inference",
    "Performance",
    "Task",
    "Window",
    "measure_performance",
    "task_of",
]
