"""docs/spaces: every space has a page; its [space] table can be read, its defaults are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from search.space import SPACES, space_options

ROOT = Path(__file__).resolve().parent.parent
HAVE_PAGES = [name for name in SPACES if name != "keras_tuner"]  # which is the user's own file


def page_of(name: str) -> str:
    return (ROOT / "docs" / "spaces" / f"{name}.md").read_text()


def defaults_of(page: str) -> dict[str, Any]:
    """Option -> default, of the rows "| `a`, `b` | 1, [2, 3] | ..." that can be read as TOML."""
    found = {}
    for names, values in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*?) \|", page, re.MULTILINE):
        for name, value in zip(
            re.findall(r"`(\w+)`", names), re.split(r", (?![^\[]*\])", values.replace("`", "")), strict=False
        ):
            try:
                found[name] = tomllib.loads(f"x = {value}")["x"]
            except tomllib.TOMLDecodeError:
                found[name] = None  # in words
    return found


@pytest.mark.parametrize("name", HAVE_PAGES)
def test_the_table_of_the_page_can_be_read(name: str) -> None:
    tables = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page_of(name), re.S)]
    spaces = [table["space"] for table in tables if table.get("space", {}).get("name") == name]
    assert spaces
    for space in spaces:
        space_options(name, {key: value for key, value in space.items() if key != "name"})


@pytest.mark.parametrize("name", HAVE_PAGES)
def test_the_page_has_every_option_with_its_default(name: str) -> None:
    defaults = defaults_of(page_of(name))
    for option, value in SPACES[name].options().to_dict().items():
        assert option in defaults, option
        if isinstance(value, list) and isinstance(defaults[option], list):
            assert sorted(defaults[option]) == sorted(value), option  # order means nothing
        elif defaults[option] is not None:
            assert defaults[option] == value, option
