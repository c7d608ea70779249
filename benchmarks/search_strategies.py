"""All strategies and their peers on the table: hypervolume against trainings, and the best reward.

One evaluation is one whole training: a trial at a third of the epochs costs a third.  Strategies here never
try a network twice; where a peer does, that is an evaluation, as it is for its users, and the figure without
repeats ("different") stands beside it.  Two questions are asked of each contestant:

* Pareto: how many evaluations until the front of what it found covers 95 % of the hypervolume of the table's
  own front (accuracy, latency and RAM, scaled to 0..1 over the table; its worst values are the reference)?
  Strategies that climb one number climb uNAS' random scalarization, unless they learn from a reward that must
  stand still (Q-learning, REINFORCE), which climb `mnas`.
* reward: the best `mnas` reward after 100 evaluations, for strategies that climb one number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table as Rows

from benchmarks.search_peers import PEERS
from search.objective import Objectives
from search.strategies import make_strategy
from search.testing.table import FIDELITIES, Table
from search.trial import Proposal, Trial

SHARE = 0.95
EVALUATIONS = 300
SLOW = {"bayesian": 150, "keras_tuner_bayesian": 40, "surrogate": 100, "progressive": 150, "optuna_tpe": 150}
FEW_SEEDS = {"keras_tuner_bayesian": 3}  # it thinks for seconds before each proposal
REWARD_AT = 100
GOALS = ["maximize accuracy", "minimize latency_us", "minimize ram_bytes"]
UNAS = {"limits": {"latency_us": "8 ms", "ram_bytes": "8 kB"}, "error_bound": 0.5}
LEARN_A_REWARD = ("metaqnn", "block_qnn", "reinforce")
PARETO = ("nsga2", "surrogate", "progressive")
HELD_OUT = ("surrogate", "nsga2", "random", "optuna_tpe", "optuna_nsga2_population_20", "optuna_random")
PARTIAL = ("successive_halving", "hyperband", "asha")
OURS = (
    "random", "local_search", "aging_evolution", "evolution", "nsga2", "bayesian", "surrogate", "progressive",
    *LEARN_A_REWARD, *PARTIAL,
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """One contestant with one seed.

    Attributes:
        coverage: share of the table's hypervolume after each evaluation, from the first.
        different: the same, where a network that was tried before costs nothing.
        rewards: best `mnas` reward after each evaluation.
        seconds: of the whole run.
    """

    name: str
    seed: int
    coverage: NDArray[np.float64]
    different: NDArray[np.float64]
    rewards: NDArray[np.float64]
    seconds: float

    @property
    def to_share(self) -> int | None:
        """Evaluations until `SHARE` is covered; None where they did not do."""
        return first(self.coverage)

    @property
    def to_share_different(self) -> int | None:
        """Different networks until then."""
        return first(self.different)


def first(coverage: NDArray[np.float64]) -> int | None:
    """Number of the first that covers `SHARE`, from 1."""
    reached = np.flatnonzero(coverage >= SHARE)
    return int(reached[0]) + 1 if len(reached) else None


@cache
def table(reward: str) -> Table:
    """The table, judged by one of the two rewards."""
    options = UNAS if reward == "unas" else {}
    return Table.load().judged_by(Objectives.parse(GOALS, reward=reward, reward_options=options))


def trials_of(name: str, seed: int) -> list[Trial]:
    """What a contestant tries."""
    evaluations = SLOW.get(name, EVALUATIONS)
    if name in PEERS:
        return PEERS[name](table("unas"), seed, evaluations)
    reward = "mnas" if name in LEARN_A_REWARD else "unas"
    return searched(name, reward, seed, evaluations)


def searched(name: str, reward: str, seed: int, evaluations: int) -> list[Trial]:
    known = table(reward)
    return known.search(make_strategy(name, known.space, known.objectives, seed=seed), evaluations)


def score(name: str, seed: int) -> Score:
    start = time.perf_counter()
    trials = trials_of(name, seed)
    seconds = time.perf_counter() - start
    coverage = by_evaluations(trials, table("unas").coverages(trials))
    once = without_repeats(trials)
    different = by_evaluations(once, table("unas").coverages(once))
    climbed = trials
    if name in OURS and name not in (*LEARN_A_REWARD, *PARETO):
        climbed = searched(name, "mnas", seed, REWARD_AT)
    rewards = by_evaluations(climbed, best_rewards(climbed))
    return Score(name, seed, coverage, different, rewards, seconds)


def without_repeats(trials: list[Trial]) -> list[Trial]:
    """Each network at its first time."""
    once: dict[Proposal, Trial] = {}
    for trial in trials:
        once.setdefault(trial.proposal, trial)
    return list(once.values())


def best_rewards(trials: Iterable[Trial]) -> NDArray[np.float64]:
    reward = table("mnas").objectives.reward
    whole = [reward(trial.values) if trial.fidelity == 1.0 else 0.0 for trial in trials]
    return np.maximum.accumulate(np.array(whole))


def by_evaluations(trials: list[Trial], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values after each trial -> after each whole training; one at a third of the epochs costs a third."""
    spent = np.cumsum([trial.fidelity for trial in trials])
    ends = np.arange(1, int(spent[-1] + 1e-6) + 1)
    return values[np.searchsorted(spent, ends + 1e-6) - 1]


def run(*, seeds: int, processes: int, images: Path) -> dict[str, Any]:
    """Score all, print the table, draw the pictures; returns what goes into the JSON."""
    names = (*SLOW, *(name for name in (*OURS, *PEERS) if name not in SLOW))
    jobs = [(name, seed) for name in names for seed in range(min(seeds, FEW_SEEDS.get(name, seeds)))]
    with ProcessPoolExecutor(processes) as pool:
        scores = list(pool.map(_score, jobs))
    found = {name: [one for one in scores if one.name == name] for name in (*OURS, *PEERS)}
    show(found)
    draw(found, images / "search-hypervolume.png")
    return as_json(found, seeds) | {"held_out_evaluations_to_95": held_out(seeds, processes)}


def _score(job: tuple[str, int]) -> Score:
    return score(*job)


@cache
def other_table() -> Table:
    """Another question about the same networks, on which nothing was tuned: accuracy after a third of the
    epochs, latency and flash."""
    known = Table.load()
    rows = {text: {**row, **known.partial[text][FIDELITIES[1]]} for text, row in known.rows.items()}
    goals = Objectives.parse(["maximize accuracy", "minimize latency_us", "minimize flash_bytes"])
    return Table(known.space, goals, rows, {})


def _held_out(job: tuple[str, int]) -> tuple[str, int | None, int | None]:
    name, seed = job
    known, evaluations = other_table(), SLOW.get(name, EVALUATIONS)
    if name in PEERS:
        trials = PEERS[name](known, seed, evaluations)
    else:
        trials = known.search(make_strategy(name, known.space, known.objectives, seed=seed), evaluations)
    once = without_repeats(trials)
    return name, first(known.coverages(trials)), first(known.coverages(once))


def held_out(seeds: int, processes: int) -> dict[str, float | None]:
    """Evaluations to 95 % of the other table; printed, and returned for the JSON."""
    with ProcessPoolExecutor(processes) as pool:
        scores = list(pool.map(_held_out, [(name, seed) for name in HELD_OUT for seed in range(seeds)]))
    rows = Rows(
        title="held out: accuracy after a third of the epochs, latency and flash of the same networks"
    )
    for heading in ("contestant", f"evaluations to {SHARE:.0%}", "different networks"):
        rows.add_column(heading, justify="left" if heading == "contestant" else "right")
    found: dict[str, float | None] = {}
    for name in HELD_OUT:
        columns = []
        for which in (1, 2):
            reached = [score[which] for score in scores if score[0] == name]
            able = [float(value) for value in reached if value is not None]
            columns.append(
                shown(interval(able)) if len(able) == len(reached) else f"{len(reached) - len(able)} missed"
            )
            if which == 1:
                found[name] = float(np.mean(able)) if len(able) == len(reached) else None
        rows.add_row(name, *columns)
    Console().print(rows)
    return found


def evaluations_to(runs: list[Score], *, different: bool = False) -> tuple[float, float] | None:
    """Mean and half of its 95 % interval; None where a run did not get there."""
    reached = [one.to_share_different if different else one.to_share for one in runs]
    if any(value is None for value in reached):
        return None
    return interval([float(value) for value in reached if value is not None])


def interval(values: list[float]) -> tuple[float, float]:
    """Mean, and half of its 95 % interval (Student)."""
    from scipy.stats import t  # type: ignore[import-untyped]  # it has no stubs

    array = np.array(values)
    if len(array) < 2:
        return float(array.mean()), float("nan")
    half = t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean()), float(half)


def at(
    runs: list[Score], evaluations: int, what: Callable[[Score], NDArray[np.float64]]
) -> tuple[float, float]:
    return interval([float(what(one)[min(evaluations, len(what(one))) - 1]) for one in runs])


def show(found: dict[str, list[Score]]) -> None:
    seeds = max(len(runs) for runs in found.values())
    rows = Rows(
        title=f"{len(table('unas')):,} networks (emulated figures), {seeds} seeds: mean and 95 % interval"
    )
    rows.add_column("contestant")
    for heading in (
        f"evaluations to {SHARE:.0%}",
        "different networks",
        "hypervolume at 50",
        "at 100",
        f"best reward at {REWARD_AT}",
        "s",
    ):
        rows.add_column(heading, justify="right")

    def place(name: str) -> float:
        reached = evaluations_to(found[name])
        return reached[0] if reached else 1e9 - at(found[name], 100, lambda s: s.coverage)[0]

    for name in sorted(found, key=place):
        runs, reached = found[name], evaluations_to(found[name])
        missed = sum(one.to_share is None for one in runs)
        cap = max(len(one.coverage) for one in runs)
        text = f"{reached[0]:.0f} ± {reached[1]:.0f}" if reached else f"> {cap} ({missed} of {len(runs)})"
        shares = [at(runs, n, lambda s: s.coverage) for n in (50, 100)]
        reward = at(runs, REWARD_AT, lambda s: s.rewards)
        rows.add_row(
            name, text, shown(evaluations_to(runs, different=True)),
            *(f"{mean:.3f} ± {half:.3f}" for mean, half in shares),
            "" if name in (*PARETO, *PEERS) else f"{reward[0]:.4f} ± {reward[1]:.4f}",
            f"{np.mean([one.seconds for one in runs]):.1f}",
        )  # fmt: skip
    Console().print(rows)


def shown(figure: tuple[float, float] | None) -> str:
    return f"{figure[0]:.1f} ± {figure[1]:.1f}" if figure else ""


def as_json(found: dict[str, list[Score]], seeds: int) -> dict[str, Any]:
    reached = {name: evaluations_to(runs) for name, runs in found.items()}
    ours = {name: value[0] for name, value in reached.items() if name in OURS and value}
    peers = {name: value[0] for name, value in reached.items() if name in PEERS and value}
    return {
        "seeds": seeds,
        "networks": len(table("unas")),
        "evaluations_to_95": {name: value[0] if value else None for name, value in reached.items()},
        "evaluations_to_95_interval": {name: value[1] if value else None for name, value in reached.items()},
        "hypervolume_at_100": {name: at(runs, 100, lambda s: s.coverage)[0] for name, runs in found.items()},
        "best_reward_at_100": {
            name: at(runs, REWARD_AT, lambda s: s.rewards)[0] for name, runs in found.items() if name in OURS
        },
        "different_networks_to_95": {
            name: value[0] if (value := evaluations_to(runs, different=True)) else None
            for name, runs in found.items()
        },
        "random": reached["random"][0] if reached["random"] else None,
        "best_here": min(ours, key=lambda name: ours[name], default=None),
        "best_peer": min(peers, key=lambda name: peers[name], default=None),
        "share_of_best_peer": min(ours.values()) / min(peers.values()) if ours and peers else None,
    }


def draw(found: dict[str, list[Score]], path: Path) -> None:
    """Mean and interval of the hypervolume, ours beside the peers'."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.6), sharey=True, constrained_layout=True)
    colours = pyplot.get_cmap("tab20").colors  # type: ignore[attr-defined]  # a listed map
    for axis, names, title in ((axes[0], OURS, "hilnas"), (axes[1], tuple(PEERS), "Optuna, KerasTuner")):
        shown = (*names, "surrogate", "random") if names is not OURS else names
        for index, name in enumerate(dict.fromkeys(shown)):
            runs = found[name]
            length = min(min(len(one.coverage) for one in runs), 300)
            curves = np.array([one.coverage[:length] for one in runs])
            mean, error = curves.mean(axis=0), 1.96 * curves.std(axis=0) / np.sqrt(len(curves))
            dashed = names is not OURS and name in OURS
            x = np.arange(1, length + 1)
            axis.plot(
                x,
                mean,
                label=name,
                color=colours[index % 20],
                linestyle="--" if dashed else "-",
                linewidth=1.6,
            )
            axis.fill_between(
                x, mean - error, mean + error, color=colours[index % 20], alpha=0.12, linewidth=0
            )
        axis.axhline(SHARE, color="0.4", linewidth=0.8, linestyle=":")
        axis.set(title=title, xlabel="evaluations (whole trainings)", xlim=(0, 300), ylim=(0.5, 1.005))
        axis.grid(alpha=0.25)
        axis.legend(fontsize=7, ncols=2, loc="lower right")
    axes[0].set_ylabel("hypervolume, share of the table's front")
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    print(f"picture: {path}")
