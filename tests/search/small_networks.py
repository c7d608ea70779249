"""A study of the board's part of the loop alone: no Keras, no training, small networks of random weights.

Planning, building, flashing and measuring are real; nothing is deployed.

    python -m tests.search.small_networks FOLDER VIRTUAL_BOARD_FOLDER      runs, or continues, the study there
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from hil.board import load_board
from hil.devices.wear_store import WearStore
from hil.testing.virtual_board.client import virtual_device
from search.cascade import Evaluator, Work
from search.config import Budget, StudyConfig
from search.evaluate import HilEvaluator
from search.finding import Finding
from search.study import Study
from search.testing.untrained import Untrained
from search.trial import Stage
from tests.hil.small_models import small_cnn

BOARD = "nrf52840_dk"


class SmallNetworks(Untrained):
    """An Evaluator whose QUANTIZE gives a small network, another for each trial."""

    def run(self, stage: Stage, work: Work) -> Finding:
        if stage is Stage.DEPLOY:
            return Finding(stage)
        if stage is not Stage.QUANTIZE:
            return super().run(stage, work)
        tflite = small_cnn(seed=work.number + 10)
        return Finding(
            stage, detail={"tflite": work.store.write_artifact(work.number, "untrained.tflite", tflite)}
        )


def small_study(folder: Path, device: str, **other: Any) -> StudyConfig:
    """A study of data that fit the networks; `folder` is for the data."""
    data = folder / "data.npz"
    if not data.exists():
        folder.mkdir(parents=True, exist_ok=True)
        images = np.random.default_rng(1).random((50, 8, 8, 2), dtype=np.float32)
        np.savez(data, x_train=images, y_train=np.arange(50) % 5)
    return StudyConfig(
        **{
            "name": "small",
            "data": str(data),
            "objectives": ["minimize latency_us", "minimize ram_bytes"],
            "space": {"name": "chain", "max_depth": 2, "filters": [4, 8]},
            "strategy": {"name": "random", "seed": 1},
            "device": device,
            "board": BOARD if device.startswith("serial:") else "",
            "budget": Budget(trials=2),
            **other,
        }
    )


def wear_folder(folder: Path) -> Path:
    """Where the flashes of the virtual board in `folder` are counted."""
    (folder / "wear").mkdir(exist_ok=True)
    return folder / "wear"


def main(folder: Path, board_folder: Path) -> None:
    device = virtual_device(
        board_folder, load_board(BOARD), hello_timeout_s=0.5, counter=WearStore(wear_folder(board_folder))
    )
    config = small_study(folder.parent, device.name)
    evaluator: Evaluator = SmallNetworks(HilEvaluator(config, device=device, reply_timeout_s=0.3))
    with Study.open(config, folder, evaluator=evaluator) as study:
        study.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
