"""What a running study looks like: a live display on a terminal, one line per trial elsewhere.

The display has the progress of the budget, how fast it goes, the trials under way with their stages, the
front so far and the last outcomes. Colours follow NO_COLOR (https://no-color.org), which rich respects.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.events import (
    BenchLost,
    DeployStarted,
    EpochFinished,
    Event,
    Progress,
    StageFinished,
    StageRetried,
    StageStarted,
    StudyEnded,
    StudyOpened,
    TrialFinished,
    TrialStarted,
)
from search.report.figures import counted, figure
from search.trial import State, Trial

LAST_TRIALS = 4
FRONT_ROWS = 12


def for_terminal(stream: TextIO | None = None) -> Progress:
    """The live display where `stream` (default: standard output) is a terminal, else lines."""
    out = stream or sys.stdout
    console = Console(file=out)
    return LiveProgress(out) if console.is_terminal and not console.is_dumb_terminal else LineProgress(out)


def outcome(trial: Trial, metrics: tuple[str, ...]) -> str:
    """A finished trial in a line: its figures, or why it was given up."""
    if trial.infeasibility is not None:
        unfit = trial.infeasibility
        value, limit = figure(unfit.metric).show(unfit.value), figure(unfit.metric).show(unfit.limit)
        return f"beyond a limit at {unfit.stage.value}: {figure(unfit.metric).heading} {value}, limit {limit}"
    if trial.failure is not None:
        first_line = trial.failure.message.strip().splitlines()[:1]
        return f"failed at {trial.failure.stage.value}: {trial.failure.error}: {''.join(first_line)}"
    return "  ".join(
        f"{figure(name).heading} {figure(name).show(trial.values[name])}"
        for name in metrics
        if name in trial.values
    )


class Pace:
    """How fast a run goes, and how far it has come: candidates per minute, hypervolume, time left."""

    def __init__(self) -> None:
        self._opened: StudyOpened | None = None
        self._opened_at_s = 0.0
        self._done = 0
        self._hypervolume: float | None = None
        self._left = True

    def note(self, event: Event) -> None:
        """Take what counts of an event."""
        match event:
            case StudyOpened():
                self._opened, self._opened_at_s, self._done = event, time.monotonic(), event.done
            case TrialFinished():
                self._done, self._hypervolume = event.done, event.hypervolume
            case DeployStarted() | StudyEnded():
                self._left = False
            case _:
                pass

    def elapsed_s(self) -> float:
        """Of all runs of the study."""
        if self._opened is None:
            return 0.0
        return self._opened.elapsed_s + time.monotonic() - self._opened_at_s

    def words(self) -> list[str]:
        """What is known so far, in short."""
        opened = self._opened
        if opened is None or self._done == opened.done:
            return []
        per_minute = 60 * (self._done - opened.done) / max(time.monotonic() - self._opened_at_s, 1e-9)
        told = [f"{per_minute:.1f} candidates a minute"]
        if self._hypervolume is not None:
            told.append(f"hypervolume {self._hypervolume:.3f}")
        left_s = []
        if opened.budget_trials is not None:
            left_s.append(60 * (opened.budget_trials - self._done) / per_minute)
        if opened.budget_minutes is not None:
            left_s.append(60 * opened.budget_minutes - self.elapsed_s())
        if left_s and self._left:
            told.append(f"about {_clock(max(0.0, min(left_s)))} left")
        return told


class UnderWay:
    """A trial that is being worked on: the stages that are done, and what happens now."""

    def __init__(self, architecture: str, stages: list[str]) -> None:
        self.architecture = architecture
        self._stages = stages
        self._now = ""

    def note(self, event: StageStarted | StageRetried | EpochFinished | StageFinished) -> None:
        """Take an event of this trial."""
        match event:
            case StageStarted():
                self._now = event.stage.value
            case StageRetried():
                self._now = f"{event.stage.value}, again ({event.message})"
            case EpochFinished():
                self._now = f"train, epoch {event.epoch}/{event.epochs}, loss {event.loss:.3f}"
            case StageFinished():
                kept = ", kept" if event.finding.reused else ""
                self._stages.append(f"{event.finding.stage.value} {event.finding.seconds:.1f} s{kept}")
                self._now = ""

    def line(self) -> Text:
        """What is done, dimly, and what happens now."""
        text = _line("  " + "".join([f"{stage}  " for stage in self._stages]), "dim")
        text.append(self._now, "not dim bold")
        return text


class LineProgress:
    """One line per finished trial, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._metrics: tuple[str, ...] = ()
        self._pace = Pace()

    def __enter__(self) -> LineProgress:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def emit(self, event: Event) -> None:
        """Write what deserves a line."""
        self._pace.note(event)
        match event:
            case StudyOpened():
                self._metrics = event.objectives.metrics
                resumed = f", continuing after {counted(event.done, 'trial')}" if event.done else ""
                self._say(f"study {event.name} on {event.device} in {event.folder}{resumed}")
            case TrialStarted() if event.finished:
                self._say(f"trial {event.number}: continuing after {event.finished[-1].value}")
            case StageRetried():
                self._say(f"trial {event.number}: {event.stage.value} is tried again: {event.message}")
            case BenchLost():
                self._say(_lost(event))
            case TrialFinished():
                mark = "* " if event.trial in event.front else "  "
                found = outcome(event.trial, self._metrics)
                self._say(f"{mark}trial {event.trial.number}: {event.trial.architecture}: {found}")
            case DeployStarted():
                numbers = ", ".join(map(str, event.numbers))
                plural = "" if len(event.numbers) == 1 else "s"
                self._say(f"measuring the front with trained weights: trial{plural} {numbers}")
            case StudyEnded():
                told = [f"{_networks(len(event.front))} on the front", *self._pace.words()]
                self._say(f"{event.message}; {', '.join(told)}")
            case _:
                pass

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class LiveProgress:
    """A display that is drawn over itself.

    It writes to a copy of the stream's file descriptor: TensorFlow is silenced by pointing the descriptors 1
    and 2 elsewhere for a while, which must not swallow the display.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        out = stream or sys.stdout
        self._copy = os.fdopen(os.dup(out.fileno()), "w", encoding=out.encoding or "utf-8")
        self._opened: StudyOpened | None = None
        self._pace = Pace()
        self._done = 0
        self._heading = "starting"
        self._under_way: dict[int, UnderWay] = {}
        self._note = ""
        self._front: tuple[Trial, ...] = ()
        self._best: int | None = None
        self._last: deque[Trial] = deque(maxlen=LAST_TRIALS)
        # Last, for it draws at once.
        self._live = Live(
            console=Console(file=self._copy),
            get_renderable=self._picture,
            refresh_per_second=5,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()
        self._copy.close()

    def emit(self, event: Event) -> None:
        """Take note; the display is drawn by its own clock, and at once when a trial ends."""
        self._pace.note(event)
        match event:
            case StudyOpened():
                self._opened, self._done = event, event.done
                self._heading = "searching"
            case TrialStarted():
                kept = [f"{stage.value} (kept)" for stage in event.finished]
                self._under_way[event.number] = UnderWay(f"{event.architecture}", kept)
            case StageStarted() | StageRetried() | EpochFinished() | StageFinished():
                self._under_way.setdefault(event.number, UnderWay("", [])).note(event)
            case BenchLost():
                self._note = _lost(event)
            case TrialFinished():
                self._front, self._best, self._done = event.front, event.best, event.done
                self._last.append(event.trial)
                self._under_way.pop(event.trial.number, None)
                self._live.refresh()
            case DeployStarted():
                self._heading = "measuring the front with trained weights"
                self._under_way.clear()
            case StudyEnded():
                self._heading, self._front = event.message, event.front
                self._under_way.clear()
                self._live.refresh()

    # ---- drawing

    def _picture(self) -> RenderableType:
        if self._opened is None:
            return Text("starting")
        parts: list[RenderableType] = [self._head(self._opened)]
        if self._note:
            parts.append(_line(self._note, "red"))
        for number, trial in sorted(self._under_way.items()):
            # Two lines each, whatever they hold: a display whose height changes flickers.
            parts.append(_line(f"trial {number}  {trial.architecture}"))
            parts.append(trial.line())
        metrics = self._opened.objectives.needed_metrics
        if self._front:
            parts.append(self._front_table(metrics))
        if self._last:
            parts.append(self._last_table(metrics))
        # The cursor rests on a line of its own: the "^C" that a terminal echoes there breaks no line in two.
        return Group(*parts, Text())

    def _head(self, opened: StudyOpened) -> RenderableType:
        elapsed_s = self._pace.elapsed_s()
        shares = []
        budget = []
        if opened.budget_trials is not None:
            shares.append(self._done / opened.budget_trials)
            budget.append(f"{self._done}/{opened.budget_trials} trials")
        else:
            budget.append(f"{self._done} trials")
        if opened.budget_minutes is not None:
            shares.append(elapsed_s / (60 * opened.budget_minutes))
            budget.append(f"{_clock(elapsed_s)} of {_clock(60 * opened.budget_minutes)}")
        else:
            budget.append(_clock(elapsed_s))
        head = Table.grid(padding=(0, 2))
        head.add_row(
            ProgressBar(total=1.0, completed=min(1.0, max(shares, default=0.0)), width=30),
            Text("  ".join(budget)),
        )
        title = Text.assemble((f"{opened.name} on {opened.device}", "bold"), "  ", (self._heading, "cyan"))
        return Group(title, head, _line("  ".join(self._pace.words()), "dim"))

    def _front_table(self, metrics: tuple[str, ...]) -> RenderableType:
        table = Table(
            title=f"front: {_networks(len(self._front))}", title_justify="left", title_style="bold", box=None
        )
        _columns(table, metrics)
        for trial in self._front[-FRONT_ROWS:]:
            best = "bold green" if trial.number == self._best else ""
            table.add_row(*_row(trial.number, trial.values, metrics, str(trial.architecture)), style=best)
        return table

    def _last_table(self, metrics: tuple[str, ...]) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for trial in self._last:
            style = {State.COMPLETE: "", State.INFEASIBLE: "yellow", State.FAILED: "red"}.get(trial.state, "")
            line = Text(outcome(trial, metrics), style=style, overflow="ellipsis", no_wrap=True)
            table.add_row(Text(f"trial {trial.number}", style="dim"), line)
        return table


def _columns(table: Table, metrics: tuple[str, ...]) -> None:
    table.add_column("trial", justify="right", no_wrap=True)
    for metric in metrics:
        table.add_column(figure(metric).heading, justify="right", no_wrap=True)
    # The one column that may shrink; rich takes from columns that wrap, so its cells forbid it instead.
    table.add_column(_line("architecture"))


def _row(
    number: int, values: Mapping[str, float], metrics: tuple[str, ...], architecture: str
) -> list[RenderableType]:
    figures = [figure(metric).show(values[metric]) if metric in values else "" for metric in metrics]
    return [str(number), *figures, _line(architecture)]


def _line(text: str, style: str = "") -> Text:
    """Text that stays on one line, cut where the terminal ends."""
    return Text(text, style=style, overflow="ellipsis", no_wrap=True)


def _lost(event: BenchLost) -> str:
    return f"{event.device} is lost, the search goes on with {', '.join(event.others)}: {event.message}"


def _networks(count: int) -> str:
    return counted(count, "network")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
