"""`hilnas spaces`: which resolution and width multiplier suit the limits of a study, before it is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from hil.board import Board
    from search.config import StudyConfig
    from search.tinynas import Limits, SpaceScore


def spaces(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Study file (TOML) whose [space] lists several resolutions or width_multipliers.",
        ),
    ],
    samples: Annotated[int, typer.Option("--samples", min=1, help="Networks drawn of each space.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Choose the resolution and width multiplier of a study: where the networks that fit do most work.

    Nothing is built or trained: networks are drawn and counted.  See docs/space-optimisation.md.

    [dim]$[/dim] hilnas spaces study.toml
    """
    from hil.board import load_board
    from search.config import load
    from search.evaluate import load_data
    from search.space.options import BadOption
    from search.tinynas import candidates, rank_spaces

    config = load(file)
    data = load_data(config)
    try:
        found = candidates(
            config.space.name, config.space.options, input_shape=data.input_shape, classes=data.classes
        )
    except BadOption as error:
        raise error.below("space") from None
    limits = limits_of(config, load_board(config.board))
    with console.working(f"drawing {samples} networks of each of {len(found)} spaces"):
        scores = rank_spaces(found, limits, samples=samples, seed=seed)
    if as_json:
        typer.echo(json.dumps([_plain(score) for score in scores], indent=2))
    else:
        _show(scores, limits)
    if not scores[0].chosen:
        raise typer.Exit(console.NOTHING_MEETS_THE_LIMITS)


def limits_of(config: StudyConfig, board: Board) -> Limits:
    """What the study's constraints and the board leave for activations and weights.

    The firmware's own code, static data and stack are taken off, as the board's profile knows them.
    """
    from search.room import arena_room
    from search.tinynas import Limits

    constraints = [one for one in config.make_objectives().constraints if one.relation == "<="]
    room = arena_room(
        constraints,
        ram_bytes=board.ram.size_bytes,
        static_bytes=board.simulator.static_bytes,
        stack_bytes=board.simulator.stack_bytes,
        reserved_bytes=board.build.stack_bytes,
    )
    limit = {one.metric: one.limit for one in constraints}
    flash = min(board.flash.size_bytes, limit.get("flash_bytes", board.flash.size_bytes))
    weights = max(flash - board.simulator.code_bytes, 0)
    return Limits(
        activation_bytes=room.arena_bytes,
        weight_bytes=min(weights, limit.get("weight_bytes", weights)),
        macs=limit.get("macs"),
        parameters=limit.get("parameters"),
        striped=config.patches == "auto",
    )


def _show(scores: Sequence[SpaceScore], limits: Limits) -> None:
    out = console.output()
    out.print(
        f"Room for {limits.activation_bytes:,.0f} bytes of activations"
        f"{' (in stripes)' if limits.striped else ''} and {limits.weight_bytes:,.0f} bytes of weights; "
        f"{scores[0].sampled:,} networks of each space."
    )
    out.print(_table(scores))
    best = scores[0]
    if not best.chosen:
        out.print("In none of these spaces do enough networks fit: raise the limits, or list smaller ones.")
        return
    out.print("The best of them is searched with these lines under \\[space]:\n")
    for dial, value in best.candidate.fixed.items():
        out.print(f"{dial} = [{value!r}]", markup=False)


def _table(scores: Sequence[SpaceScore]) -> Table:
    from rich import box
    from rich.table import Table

    from hil import units

    table = Table(box=box.SIMPLE_HEAD)
    for dial in scores[0].candidate.fixed:
        table.add_column(dial.partition("_")[0].removesuffix("s"), justify="right", no_wrap=True)
    for heading in ("fit", "mean MACs", "median", "top 20 % above", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for score in scores:
        figures = [score.mean_macs, score.percentile_macs(50), score.percentile_macs(80)]
        table.add_row(
            *(f"{value:g}" for value in score.candidate.fixed.values()),
            f"{score.share:.1%}",
            *(units.count(round(figure)) if score.macs else "" for figure in figures),
            "best" if score.chosen else "",
        )
    return table


def _plain(score: SpaceScore) -> dict[str, object]:
    return {
        **score.candidate.fixed,
        "sampled": score.sampled,
        "fitting": len(score.macs),
        "mean_macs": score.mean_macs,
        "median_macs": score.percentile_macs(50),
        "percentile_80_macs": score.percentile_macs(80),
        "chosen": score.chosen,
    }
