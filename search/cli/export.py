"""A network of a study as files that one can deploy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hil.api import compile_model
from hil.board import Board, load_board
from hil.devices import open_device
from hil.errors import ArenaOverLimit, InputError
from hil.firmware import write_project
from hil.graph import Graph, read
from hil.measurement_json import from_dict
from hil.optimize import Reduction, apply
from hil.patches import Patches
from hil.program import Program
from search.errors import StudyError
from search.finding import Finding
from search.store import Store
from search.trial import Stage

_README = """\
# {name}, trial {number}

    {architecture}

| file | what it is |
|---|---|
| model.tflite | the int8 network with trained weights |
| model.keras | the Keras model before quantization |
| c/ | its C sources: weights, memory plan, one kernel call per operator |
| firmware/ | a PlatformIO project around it: `pio run` builds it, `pio run -t upload` flashes it |
| measurement.json | what was measured, and where each figure comes from |

The first `pio run` on a computer fetches SCons from PlatformIO's registry.  Offline, use the one that hilnas
builds with (there once it has built any firmware):

    PLATFORMIO_CORE_DIR="${{HILNAS_CACHE:-$HOME/.cache/hilnas}}/platformio" pio run
"""

_OPTIMIZED = """
`c/` and `firmware/` are of the network without channels that are proven constant ({reduction}); the output is
that of model.tflite, byte by byte.  measurement.json is of the whole network.
"""

_PATCHED = """
`c/` and `firmware/` run the network in stripes ({patches}), so that its arena fits; the output is that of
model.tflite, byte by byte.
"""

_NUMBERS = """
The network was trained on standardised numbers.  What its int8 output q stands for, in the unit of the data:

| output | number |
|---|---|
{rows}
"""

_COMMAND = """
To measure what `c/` and `firmware/` hold:

    hilnas measure model.tflite --board {board}{options}
"""


def export_trial(store: Store, number: int, folder: Path, optimize: Sequence[str] = ()) -> Reduction | None:
    """Write model.tflite, model.keras, c/, firmware/, measurement.json and README.md into `folder`.

    Args:
        optimize: passes over the network (hil.optimize.PASSES) for c/ and firmware/.

    Returns:
        What the passes took away; None where there were none.

    Raises:
        StudyError: no such trial, or it was never trained.
        InputError: the folder holds something else.
    """
    trial = store.trial(number)
    findings = store.findings(number)
    if Stage.TRAIN not in findings:
        raise StudyError(
            f"trial {number} was not trained: it is {trial.state.value}",
            remedy="`hilnas report` lists the networks of the front",
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file", remedy="name a new or empty folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "model.tflite").is_file():
        raise InputError(
            f"{folder} is not empty and holds no earlier export", remedy="name a new or empty folder"
        )
    trained = findings[Stage.TRAIN].detail
    config = store.config() or {}
    board = _board(config, findings)

    graph = read(store.artifact(trained["tflite"]))
    smaller = apply(graph, optimize)
    program, arena_limit = _program(smaller, board, findings)
    reduction = Reduction.between(graph, smaller) if optimize else None
    sources = folder / "c"
    sources.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(store.artifact(trained["tflite"]), folder / "model.tflite")
    shutil.copyfile(store.artifact(trained["keras"]), folder / "model.keras")
    for name, text in program.sources.items():
        (sources / name).write_text(text, encoding="utf-8")
    write_project(program, load_board(board.label), folder / "firmware")
    measured = {
        stage.value: _measurement(findings[stage])
        for stage in (Stage.MEASURE, Stage.DEPLOY)
        if stage in findings
    }
    (folder / "measurement.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    text = _README.format(name=config["name"], number=number, architecture=trial.architecture)
    if "target_scale" in trained:
        text += _NUMBERS.format(rows=_rows(graph, trained))
    if program.patches is not None:
        text += _PATCHED.format(patches=program.patches)
    options = ""
    if reduction is not None:
        text += _OPTIMIZED.format(reduction=reduction)
        options += " --drop-constant-channels"
    if arena_limit is not None:
        options += f" --arena-limit {arena_limit}"
    if options:
        text += _COMMAND.format(board=board.label, options=options)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return reduction


def _board(config: Mapping[str, Any], findings: Mapping[Stage, Finding]) -> Board:
    """The board that the network is for: that of the study, or the one where it was measured."""
    device = open_device(config["device"], board=config.get("board") or None)
    board = device.board
    device.close()
    deploy = config.get("deploy", {})
    if deploy.get("boards") or deploy.get("clocks"):
        finding = findings.get(Stage.DEPLOY) or findings[Stage.MEASURE]
        origin = from_dict(finding.detail["measurement"]).origin
        board = board if origin.board_id == board.id else load_board(origin.board_id)
        board = board.at_clock(origin.clock_hz)
    return board


def _program(graph: Graph, board: Board, findings: Mapping[Stage, Finding]) -> tuple[Program, int | None]:
    """Executed in stripes where it was measured so, in an arena that is no larger if that can be.

    Returns:
        The program, and the limit in bytes that its arena was held to; None: none.
    """
    finding = findings.get(Stage.DEPLOY) or findings[Stage.MEASURE]
    measured = from_dict(finding.detail["measurement"])
    if Patches.from_settings(measured.origin.settings) is None:
        return compile_model(graph, board=board), None
    limit = measured.arena_bytes
    try:
        return compile_model(graph, board=board, arena_limit=limit), limit
    except ArenaOverLimit as error:  # measured before it was trained, and other kernels serve these weights
        limit = error.needed_bytes
        return compile_model(graph, board=board, arena_limit=limit), limit


def _rows(graph: Graph, trained: Mapping[str, Any]) -> str:
    """One row per output of a regression: dequantized and standardised back in one go."""
    gave = graph.output_tensor
    rows = []
    for output, (scale, mean) in enumerate(zip(trained["target_scale"], trained["target_mean"], strict=True)):
        factor = gave.scale * scale
        rows.append(f"| {output} | q * {factor:.9g} + {mean - gave.zero_point * factor:.9g} |")
    return "\n".join(rows)


def _measurement(finding: Finding) -> object:
    return finding.detail["measurement"]
