"""The front as a table for the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from hil.patches import Patches
from search.report.data import Network, StudyReport
from search.report.figures import NOTES, columns, counted, figure, limit_text
from search.trial import Stage, State, Trial

_WIDE = 130  # columns from which on the networks fit beside their figures


def front_table(report: StudyReport, width: int) -> Group:
    """One row per network of the front, each column headed by the origin of its figures.

    Args:
        width: of the terminal; on a narrow one the networks stand below the figures, so that none is cut.
    """
    networks = report.front_networks
    known = {metric for n in networks for metric in n.values}
    metrics = columns(tuple(o.metric for o in report.objectives.objectives), known)
    wide = width >= _WIDE
    if not wide:
        needed = metrics.index(report.objectives.objectives[-1].metric) + 1
        metrics = _fitting(metrics, needed, networks, width)
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"Pareto front of {report.name} on {report.device}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("trial", justify="right", no_wrap=True)
    for metric in metrics:
        origins = sorted({n.provenance[metric] for n in networks if metric in n.provenance})
        heading = Text.assemble(figure(metric).heading, "\n", (", ".join(origins), "dim"))
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("network", overflow="fold")
    for network in networks:
        trial = network.trial
        values = network.values
        cells = [figure(m).show(values[m]) if m in values else "" for m in metrics]
        row = [_mark(report, trial), *cells, *([str(trial.architecture)] if wide else [])]
        table.add_row(*row, style=_style(report, trial))
    below = [] if wide else [_architecture(report, network.trial) for network in networks]
    notes = [NOTES[metric] for metric in metrics if metric in NOTES]
    if "general_share" not in metrics:
        notes += _general(networks)
    notes += _patched(networks)
    last = [Text(line, style="dim") for line in (*notes, summary(report))]
    return Group(table, *below, *([""] if below else []), *last)


def _general(networks: tuple[Network, ...]) -> list[str]:
    """A line for terminals on which the column of the general path found no place."""
    shares = sorted({n.values["general_share"] for n in networks if "general_share" in n.values})
    if not shares:
        return []
    shown = " to ".join(
        figure("general_share").show(share) for share in dict.fromkeys((shares[0], shares[-1]))
    )
    return [f"general path: {shown} of the MACs, with the trained weights"]


def _patched(networks: tuple[Network, ...]) -> list[str]:
    """A line for each network that runs in stripes."""
    found = [
        (n.trial.number, Patches.from_settings(n.measurement.origin.settings))
        for n in networks
        if n.measurement is not None
    ]
    return [f"trial {number} is patched: {patches}" for number, patches in found if patches is not None]


def _fitting(metrics: list[str], needed: int, networks: tuple[Network, ...], width: int) -> list[str]:
    """The metrics whose columns fit; the first `needed` of them at any rate.  The page shows them all."""
    left = width - len("  trial  ")
    for position, metric in enumerate(metrics):
        texts = [figure(metric).show(n.values[metric]) for n in networks if metric in n.values]
        origins = sorted({n.provenance[metric] for n in networks if metric in n.provenance})
        left -= max(map(len, [figure(metric).heading, ", ".join(origins), *texts])) + 3
        if left < 0 and position >= needed:
            return metrics[:position]
    return metrics


def _mark(report: StudyReport, trial: Trial) -> str:
    return f"{trial.number}{'*' if trial.number == report.best else ' '}"


def _style(report: StudyReport, trial: Trial) -> str:
    return "bold" if trial.number == report.best else ""


def _architecture(report: StudyReport, trial: Trial) -> Text:
    return Text(f"{_mark(report, trial):>7}  {trial.architecture}", style=_style(report, trial))


def summary(report: StudyReport) -> str:
    """One line: what became of all trials."""
    counts = {state: len(report.in_state(state)) for state in State}
    parts = [counted(len(report.networks), "trial"), f"{counts[State.COMPLETE]} complete"]
    if counts[State.INFEASIBLE]:
        refused = [n.trial.infeasibility for n in report.in_state(State.INFEASIBLE)]
        early = all(why is not None and why.stage not in (Stage.TRAIN, Stage.DEPLOY) for why in refused)
        untrained = " (never trained)" if early else ""
        parts.append(f"{counts[State.INFEASIBLE]} beyond a limit{untrained}")
    if counts[State.FAILED]:
        parts.append(f"{counts[State.FAILED]} failed")
    if counts[State.RUNNING]:
        parts.append(f"{counts[State.RUNNING]} not finished yet")
    star = f"; * best by reward '{report.reward}'" if report.best is not None else ""
    return "; ".join(parts) + star


def why_none(report: StudyReport) -> list[str]:
    """Lines for a study without a front: which limits refused how many, and the nearest miss of each.

    Of the misses that got furthest: an early stage knows a part of a figure only, e.g. of the RAM the arena.
    """
    order = list(Stage)
    refused: dict[tuple[str, float], list[Trial]] = {}
    for network in report.in_state(State.INFEASIBLE):
        unfit = network.trial.infeasibility
        if unfit is not None:
            refused.setdefault((unfit.metric, unfit.limit), []).append(network.trial)
    lines = []
    for (metric, limit), trials in sorted(refused.items(), key=lambda item: -len(item[1])):
        shown = figure(metric)
        limits = [c for c in report.objectives.constraints if (c.metric, c.limit) == (metric, limit)]
        wanted = limit_text(limits[0]) if limits else f"{shown.heading}, limit {shown.show(limit)}"
        unfit, number = min(
            ((t.infeasibility, t.number) for t in trials if t.infeasibility is not None),
            key=lambda miss: (-order.index(miss[0].stage), abs(miss[0].value - limit)),
        )
        lines.append(
            f"{wanted} refused {counted(len(trials), 'trial')}; "
            f"nearest: trial {number} with {shown.show(unfit.value)} at {unfit.stage.value}"
        )
    return lines
