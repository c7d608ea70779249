"""What a report shows, as data.  `search/study.py` knows how to fill it from the store."""

from __future__ import annotations

from dataclasses import dataclass

from hil.measurement import Measurement
from search.objective import Objectives
from search.trial import State, Trial


@dataclass(frozen=True)
class Network:
    """One finished trial with its measurements.

    Attributes:
        searched: measured before training, as the search saw it.
        deployed: measured again with trained weights; networks of the front have it.
    """

    trial: Trial
    searched: Measurement | None
    deployed: Measurement | None = None

    @property
    def measurement(self) -> Measurement | None:
        """The measurement closest to what would be deployed."""
        return self.deployed or self.searched


@dataclass(frozen=True)
class StudyReport:
    """All that the table, the picture and the page show.

    Attributes:
        device: as in the study file, e.g. "emulated:nrf52840_dk".
        data: name and split of the data set, e.g. "digits (1,149 train, 288 validation, 360 test)".
        networks: every trial that was asked for; those without measurement were given up before one was made.
        front: numbers of the trials on the Pareto front, in the order to be shown.
        best: the trial with the highest reward; None where none is complete.
        reward: name of that reward, as in the study file.
        settings: dotted key -> value of the study file, for the page's last section.
    """

    name: str
    device: str
    data: str
    objectives: Objectives
    networks: tuple[Network, ...]
    front: tuple[int, ...]
    best: int | None
    reward: str
    settings: dict[str, str]

    def network(self, number: int) -> Network:
        return next(n for n in self.networks if n.trial.number == number)

    @property
    def front_networks(self) -> tuple[Network, ...]:
        return tuple(self.network(number) for number in self.front)

    def in_state(self, state: State) -> tuple[Network, ...]:
        return tuple(n for n in self.networks if n.trial.state is state)
