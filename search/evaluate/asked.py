"""What a study file asks for, as the evaluator takes it: data, training, meter, room for the arena."""

from __future__ import annotations

from dataclasses import replace

from hil.board import Board
from hil.meters.choose import open_meter
from hil.meters.metering import Metering
from search import datasets
from search.config import MeterConfig, StudyConfig, TrainConfig
from search.datasets import Dataset
from search.room import ArenaRoom, arena_room


def load_data(config: StudyConfig) -> Dataset:
    """The study's data; a relative path is relative to the study file."""
    folder = config.source.parent if config.source is not None else None
    return datasets.load(config.data.name, folder=folder, kind=config.data.kind)


def at_fidelity(config: TrainConfig, fidelity: float) -> TrainConfig:
    """Training for that share of the epochs, at least one; the learning rate still falls to 0 at its end."""
    return config if fidelity == 1.0 else replace(config, epochs=max(1, round(config.epochs * fidelity)))


def metering_of(config: StudyConfig) -> Metering | None:
    """With what the study measures energy; None where the profile's estimate does."""
    if config.meter == MeterConfig():
        return None
    return Metering(open_meter(config.meter.name), config.meter.subtract_idle)


def arena_room_of(config: StudyConfig, board: Board, *, patches: bool | None = None) -> ArenaRoom | None:
    """How large an arena may be before a network runs in stripes; None where it never does.

    Args:
        patches: whether it may; None: as the study says.
    """
    if not (config.patches == "auto" if patches is None else patches):
        return None
    return arena_room(
        config.make_objectives().constraints,
        ram_bytes=board.ram.size_bytes,
        static_bytes=board.simulator.static_bytes,
        stack_bytes=board.simulator.stack_bytes,
        reserved_bytes=board.build.stack_bytes,
    )
