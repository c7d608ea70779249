"""Evaluators that worker processes make by name, and what goes wrong in them."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

from hil.errors import PortMissing
from search.cascade import Fatal, Work
from search.config import StudyConfig
from search.testing.pretend_evaluator import PretendEvaluator
from search.trial import Stage
from tests.search.study_fixtures import evaluator


def plain(study: StudyConfig, device: str | None) -> PretendEvaluator:
    """Nothing goes wrong."""
    return evaluator(study)


def killed(study: StudyConfig, folder: Path, number: int, times: int, device: str | None) -> PretendEvaluator:
    """The process is killed in the training of one trial, the first few times; each leaves a file."""
    return evaluator(study, faults=partial(_kill, folder, number, times))


def _kill(folder: Path, number: int, times: int, stage: Stage, work: Work) -> None:
    before = len(list(folder.glob("killed-*")))
    if stage is Stage.TRAIN and work.number == number and before < times:
        (folder / f"killed-{before}").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def lost_board(study: StudyConfig, lost: str, device: str | None) -> PretendEvaluator:
    """One of the devices is gone for good, whenever it is to measure."""
    return evaluator(study, faults=partial(_lose, device == lost))


def _lose(gone: bool, stage: Stage, work: Work) -> None:
    if gone and stage in (Stage.MEASURE, Stage.DEPLOY):
        raise Fatal from PortMissing("the port is gone", device="simulated:nrf52840_dk", remedy="plug it in")


def cannot_begin(device: str | None) -> PretendEvaluator:
    """As where the data of a study have vanished."""
    raise FileNotFoundError("no data here")


def dies_at_once(device: str | None) -> PretendEvaluator:
    """As where memory is short."""
    print("out of memory", flush=True)
    os._exit(9)
