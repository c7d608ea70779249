"""The work of the cascade's stages, done by `hil` and Keras (`search.cascade.Evaluator`)."""

from search.evaluate.asked import arena_room_of, load_data
from search.evaluate.evaluator import HilEvaluator, for_worker
from search.evaluate.int8 import int8_accuracy, int8_outputs

__all__ = ["HilEvaluator", "arena_room_of", "for_worker", "int8_accuracy", "int8_outputs", "load_data"]
