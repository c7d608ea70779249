"""The front as a picture: PNG and SVG.

x is the first objective that is to be minimized, y the first that is to be maximized (or the second one),
colour the third.  What was measured but is not on the front is shown pale: the front was chosen from it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from search.metrics import METRICS, QUALITIES
from search.objective import Objective, Objectives
from search.report.data import Network, StudyReport
from search.report.figures import figure, limit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, PALE, ACCENT, LIMIT = "#1f2933", "#9aa5b1", "#0b6e99", "#b54708"


def front_picture(report: StudyReport, kind: str) -> bytes:
    """The picture as a file's bytes; `kind` is "png" or "svg"."""
    import matplotlib

    matplotlib.use("Agg")
    buffer = io.BytesIO()
    # No date and no random ids: the same study gives the same file.
    with matplotlib.rc_context({"svg.hashsalt": "hilnas", "svg.fonttype": "none", "font.size": 10}):
        drawing = _draw(report)
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        drawing.savefig(buffer, format=kind, dpi=144, metadata=metadata)
        import matplotlib.pyplot as plt

        plt.close(drawing)
    return buffer.getvalue()


def _draw(report: StudyReport) -> Figure:
    import matplotlib.pyplot as plt

    x, y, colour = _axes(report.objectives)
    drawing, axes = plt.subplots(figsize=(8.2, 4.8), layout="constrained")
    known = [n for n in report.networks if all(m in n.trial.values for m in (x.metric, y.metric))]
    front = [n for n in report.front_networks if n in known]
    others = [n for n in known if n not in front]
    axes.scatter(
        *_points(others, x, y),
        s=26,
        color=PALE,
        alpha=0.6,
        linewidths=0,
        label="complete, not on the front",
        zorder=2,
    )
    front.sort(key=lambda n: n.trial.values[x.metric])
    xs, ys = _points(front, x, y)
    axes.plot(*_outline(xs, ys, y), drawstyle="steps-post", color=ACCENT, linewidth=1.2, alpha=0.7, zorder=3)
    if colour is not None and all(colour.metric in n.trial.values for n in front):
        label, divisor = figure(colour.metric).axis
        shade = [n.trial.values[colour.metric] / divisor for n in front]
        points = axes.scatter(
            xs, ys, c=shade, s=64, cmap="viridis_r", edgecolors=INK, linewidths=0.8, zorder=4
        )
        drawing.colorbar(points, ax=axes, label=_with_origin(label, front, colour.metric), pad=0.02)
    else:
        axes.scatter(xs, ys, s=64, color=ACCENT, edgecolors=INK, linewidths=0.8, zorder=4)
    for network, px, py in zip(front, xs, ys, strict=True):
        mark = f"{network.trial.number}{'*' if network.trial.number == report.best else ''}"
        axes.annotate(mark, (px, py), xytext=(5, -11), textcoords="offset points", fontsize=8, color=INK)
    axes.plot(
        [], [], marker="o", color=ACCENT, markeredgecolor=INK, label="Pareto front (trial number; * best)"
    )
    _limits(axes, report, x, y)
    axes.set_xlabel(_with_origin(figure(x.metric).axis[0], known, x.metric))
    axes.set_ylabel(figure(y.metric).axis[0])
    axes.set_title(f"{report.name} on {report.device}", loc="left", fontsize=11, color=INK)
    axes.grid(color="#e4e7eb", linewidth=0.7, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return drawing


def _axes(wanted: Objectives) -> tuple[Objective, Objective, Objective | None]:
    """Which objective goes where: a cost to the right, quality upwards.  A study with one objective is drawn
    against latency, or against the quality that its reward reads."""
    costs = [o for o in wanted.objectives if METRICS[o.metric].task is None]
    minimized = [o for o in costs if o.direction == "minimize"]
    maximized = [o for o in wanted.objectives if o not in minimized]
    x = minimized[0] if minimized else Objective("latency_us", "minimize")
    rest = [o for o in (*maximized, *minimized) if o != x]
    quality = next((QUALITIES[m] for m in wanted.needed_metrics if m in QUALITIES), QUALITIES["accuracy"])
    y = rest[0] if rest else Objective(quality.name, quality.better)
    return x, y, rest[1] if len(rest) > 1 else None


def _points(networks: list[Network], x: Objective, y: Objective) -> tuple[list[float], list[float]]:
    dx, dy = figure(x.metric).axis[1], figure(y.metric).axis[1]
    return [n.trial.values[x.metric] / dx for n in networks], [
        n.trial.values[y.metric] / dy for n in networks
    ]


def _outline(xs: list[float], ys: list[float], y: Objective) -> tuple[list[float], list[float]]:
    """The points that none dominates in these two axes; with a third objective the front holds more."""
    sign = 1.0 if y.direction == "maximize" else -1.0
    kept: list[tuple[float, float]] = []
    for point in zip(xs, ys, strict=True):
        if not kept or sign * point[1] > sign * kept[-1][1]:
            kept.append(point)
    return [px for px, _ in kept], [py for _, py in kept]


def _with_origin(label: str, networks: list[Network], metric: str) -> str:
    origins = sorted({n.trial.provenance.get(metric, "") for n in networks} - {""})
    return f"{label} ({', '.join(origins)})" if origins else label


def _limits(axes: Axes, report: StudyReport, x: Objective, y: Objective) -> None:
    """Constraints on the shown metrics as dashed lines, where they lie near the points."""
    for constraint in report.objectives.constraints:
        for objective, line, bounds in (
            (x, axes.axvline, axes.get_xlim()),
            (y, axes.axhline, axes.get_ylim()),
        ):
            at = constraint.limit / figure(objective.metric).axis[1]
            if constraint.metric == objective.metric and bounds[0] <= at <= bounds[1] * 1.5:
                line(
                    at,
                    color=LIMIT,
                    linestyle="--",
                    linewidth=1,
                    zorder=1,
                    label=f"limit: {limit_text(constraint)}",
                )
