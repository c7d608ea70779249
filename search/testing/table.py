"""Tables: every network of a small space, trained and measured once, to try strategies on in seconds.

    from search.testing.table import Table

    table = Table.load("digits_nrf52840")
    strategy = make_strategy("nsga2", table.space, table.objectives, seed=0)
    trials = table.search(strategy, 100)
    print(table.coverage(trials))

`digits_nrf52840` holds the 1,668 networks of a chain space of one to three blocks, trained on the handwritten
digits and measured on the emulated nRF52840 (emulated figures).  `make table` computes it anew: its settings
stand in benchmarks/table.toml, what it was made with in the file's first lines.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search import pareto
from search.errors import SearchError
from search.objective import Objectives
from search.space import make_space
from search.space.base import Architecture, Space
from search.strategies.base import Strategy
from search.trial import Infeasibility, Proposal, Stage, State, Trial

FOLDER = Path(__file__).parent / "tables"
FIDELITIES = (1 / 9, 1 / 3, 1.0)
SPACE = {
    "min_depth": 1,
    "max_depth": 3,
    "blocks": ["conv", "ds"],
    "kernels": [3],
    "filters": [8, 16, 32],
    "strides": [1, 2],
    "pools": [],
}
REFERENCE = 1.1
_ACCURACIES = ("accuracy", "float_accuracy")


@dataclass(frozen=True, eq=False)
class Table:
    """See the module.

    Attributes:
        space: whose networks they are.
        objectives: accuracy, latency and RAM, without limits; `judged_by` makes the same table with others.
        rows: text of each architecture -> metric -> value, at full fidelity.
        partial: text -> fidelity -> metric -> value, of the metrics that depend on it.
    """

    space: Space
    objectives: Objectives
    rows: Mapping[str, Mapping[str, float]]
    partial: Mapping[str, Mapping[float, Mapping[str, float]]]

    @classmethod
    def load(cls, name: str = "digits_nrf52840") -> Table:
        """A table that comes with the package.

        Raises:
            SearchError: there is none of that name.
        """
        path = FOLDER / f"{name}.csv"
        if not path.is_file():
            known = ", ".join(sorted(found.stem for found in FOLDER.glob("*.csv")))
            raise SearchError(f"there is no table '{name}'", remedy=f"known: {known}")
        with path.open(newline="") as file:
            lines = csv.DictReader(line for line in file if not line.startswith("#"))
            rows: dict[str, dict[str, float]] = {}
            partial: dict[str, dict[float, dict[str, float]]] = {}
            for line in lines:
                text = line.pop("architecture")
                rows[text] = {key: float(value) for key, value in line.items() if "@" not in key}
                partial[text] = {
                    fidelity: {key: float(line[f"{key}@{fidelity:.3f}"]) for key in _ACCURACIES}
                    for fidelity in FIDELITIES[:-1]
                }
        space = make_space("chain", SPACE, input_shape=(8, 8, 1), classes=10)
        goals = Objectives.parse(["maximize accuracy", "minimize latency_us", "minimize ram_bytes"])
        return cls(space, goals, rows, partial)

    def judged_by(self, objectives: Objectives) -> Table:
        """The same networks, with other objectives, limits or another reward."""
        return Table(self.space, objectives, self.rows, self.partial)

    def __len__(self) -> int:
        return len(self.rows)

    def trial(self, number: int, proposal: Proposal) -> Trial:
        """What comes of a proposal: complete, or infeasible where a limit is broken (then without accuracy).

        Raises:
            SearchError: a network or fidelity that the table does not hold.
        """
        text, fidelity = proposal.architecture.text, proposal.fidelity
        values = dict(self.rows.get(text, {}))
        if values and fidelity != 1.0:
            near = min(FIDELITIES, key=lambda known: abs(known - fidelity))
            values |= self.partial[text].get(near, {}) if abs(near - fidelity) < 0.01 else {}
            if abs(near - fidelity) >= 0.01:
                values = {}
        if not values:
            raise SearchError(f'the table holds no network "{text}" at fidelity {fidelity:g}')
        broken = self.objectives.violations({k: v for k, v in values.items() if k not in _ACCURACIES})
        if broken:
            worst = max(broken, key=lambda one: one.excess)
            reason = Infeasibility(
                Stage.MEASURE, worst.constraint.metric, worst.value, worst.constraint.limit, str(worst)
            )
            known = {key: value for key, value in values.items() if key not in _ACCURACIES}
            return Trial(
                number, proposal.architecture, State.INFEASIBLE, known, {}, reason, fidelity=fidelity
            )
        return Trial(number, proposal.architecture, State.COMPLETE, values, fidelity=fidelity)

    def search(self, strategy: Strategy, epochs: float) -> list[Trial]:
        """Let a strategy search until it has used up a budget.

        Args:
            epochs: counted in whole trainings: a trial at fidelity 1/3 costs a third, one that breaks a limit
                nothing.  A proposal that was tried before has its result already and costs nothing either.

        Returns:
            The trials, in the order of asking; fewer where the strategy has nothing left to propose.
        """
        trials: list[Trial] = []
        seen: set[Proposal] = set()
        spent, idle = 0.0, 0
        while spent < epochs - 1e-9 and idle < 200:
            proposals = strategy.ask(1)
            if not proposals:
                break
            if proposals[0] in seen:
                idle += 1
                continue
            idle = 0
            seen.add(proposals[0])
            trials.append(self.trial(len(trials), proposals[0]))
            strategy.tell(trials[-1:])
            spent += trials[-1].fidelity if trials[-1].state is State.COMPLETE else 0.0
        return trials

    # ---- how good that is

    @cached_property
    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Best and worst value of each objective on the table's own front: its ideal and its nadir."""
        losses = self._losses(self.every())
        front = losses[pareto.non_dominated(losses)]
        return front.min(axis=0), front.max(axis=0)

    @cached_property
    def whole_volume(self) -> float:
        """Hypervolume of the front of all networks within the limits, scaled as in `coverage`."""
        return self._volume(list(self.every()))

    def every(self) -> list[Trial]:
        """All networks within the limits."""
        texts = enumerate(self.rows)
        trials = [self.trial(n, Proposal(Architecture(self.space.name, text))) for n, text in texts]
        return [trial for trial in trials if trial.state is State.COMPLETE]

    def coverage(self, trials: Sequence[Trial]) -> float:
        """Hypervolume of what was found as a share of that of the whole table's front, 0 to 1.

        Objectives are scaled so that the table's front goes from 0 to 1 in each; the reference is 1.1, a
        little behind its worst values (Ishibuchi et al. 2018, "How to Specify a Reference Point in
        Hypervolume Calculation for Fair Performance Comparison").
        """
        return self._volume(trials) / self.whole_volume

    def coverages(self, trials: Sequence[Trial]) -> NDArray[np.float64]:
        """`coverage` after each trial; shape (trials,)."""
        found: list[Trial] = []
        shares: list[float] = []
        for trial in trials:
            share = shares[-1] if shares else 0.0
            if pareto.counts(trial, self.objectives):
                front = pareto.front([*found, trial], self.objectives)
                if trial in front:
                    found = front
                    share = self.coverage(found)
            shares.append(share)
        return np.array(shares)

    def _volume(self, trials: Sequence[Trial]) -> float:
        able = [trial for trial in trials if pareto.counts(trial, self.objectives)]
        if not able:
            return 0.0
        best, worst = self._bounds
        losses = self._losses(able)
        front = losses[pareto.non_dominated(losses)]
        return pareto.hypervolume((front - best) / (worst - best), np.full(len(best), REFERENCE))

    def _losses(self, trials: Sequence[Trial]) -> NDArray[np.float64]:
        return np.array([self.objectives.losses(trial.values) for trial in trials])
