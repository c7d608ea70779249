"""`hilnas spaces`: what a user sees of the choice of a space."""

from __future__ import annotations

import json
from pathlib import Path

from search.config import loads
from tests.cli.command import Result, assert_clear, hilnas

STUDY = """\
name = "tiny"
device = "simulated:nrf52840_dk"
constraints = ["ram_bytes <= 4 kB"]

[space]
name = "stages"
max_stages = 2
resolutions = [1.0, 0.5]
width_multipliers = [1.0, 0.25]
"""


def spaces(folder: Path, text: str, *more: str) -> Result:
    (folder / "study.toml").write_text(text)
    return hilnas("spaces", "study.toml", "--samples", "40", *more, folder=folder)


def test_the_table_ends_with_lines_that_fix_the_best_space(tmp_path: Path) -> None:
    shown = spaces(tmp_path, STUDY)
    assert shown.code == 0, shown.err
    listed = json.loads(spaces(tmp_path, STUDY, "--json").out)
    assert len(listed) == 4
    assert [one["chosen"] for one in listed] == [True, False, False, False]
    assert listed[0]["mean_macs"] == max(one["mean_macs"] for one in listed)
    assert f"{listed[0]['fitting'] / 40:.1%}" in shown.out
    lines = [line for line in shown.out.splitlines() if " = [" in line]
    assert lines == [f"{dial} = [{listed[0][dial]}]" for dial in ("resolutions", "width_multipliers")]
    # As they stand, they make a study.
    fixed = STUDY.partition("resolutions")[0] + "\n".join(lines)
    assert loads(fixed).space.options["resolutions"] == [listed[0]["resolutions"]]


def test_where_nothing_fits_the_exit_code_says_so(tmp_path: Path) -> None:
    shown = spaces(tmp_path, STUDY.replace("ram_bytes <= 4 kB", "weight_bytes <= 1"))
    assert shown.code == 1
    assert "In none of these spaces" in shown.out
    assert "0.0%" in shown.out


def test_a_space_without_dials_is_refused(tmp_path: Path) -> None:
    text = STUDY.partition("[space]")[0] + '[space]\nname = "chain"\n'
    assert_clear(spaces(tmp_path, text), 2, "space.name", "chain", "stages")
