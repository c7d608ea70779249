"""What a report shows, as data.  `search/study.py` knows how to fill it from the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hil.measurement import Measurement
from search.objective import Objectives
from search.trial import State, Trial

COMPILED = "compiled"  # where a figure comes from that the compiler knows before anything runs


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

    @property
    def values(self) -> Mapping[str, float]:
        """Metric -> what is shown: the trial's values, and what is known of the network as deployed.

        `untrained_latency_us` is what the search saw, `general_share` the share of MACs that the kernels for
        these shapes could not take with the trained weights.
        """
        return {**self.trial.values, **{metric: value for metric, (value, _) in self._deployment().items()}}

    @property
    def provenance(self) -> Mapping[str, str]:
        """Metric -> origin, for each of `values`."""
        return {**self.trial.provenance, **{metric: o for metric, (_, o) in self._deployment().items()}}

    def _deployment(self) -> dict[str, tuple[float, str]]:
        if self.deployed is None or self.searched is None:
            return {}
        origin = self.searched.origin.provenance.value
        return {
            "untrained_latency_us": (self.searched.latency_us, origin),
            "general_share": (self.deployed.general_share, COMPILED),
        }


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
