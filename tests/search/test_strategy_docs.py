"""Each strategy has a page whose table works and which names every option with its default."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from search.strategies import STRATEGIES, strategy_options

PAGES = Path(__file__).resolve().parents[2] / "docs" / "strategies"


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_table_of_its_page_works(name: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (PAGES / f"{name}.md").read_text(), re.S)
    tables = [table["strategy"] for table in map(tomllib.loads, blocks) if "strategy" in table]
    assert tables, "the page shows no [strategy]"
    for table in tables:
        assert table.pop("name") == name
        assert isinstance(table.pop("seed", 0), int)
        strategy_options(name, table)


@pytest.mark.parametrize("name", STRATEGIES)
def test_its_page_names_every_option_with_its_default(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text()
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|]*?) \|", text, re.M)
    written = {tuple(re.findall(r"\w+", names)): default for names, default in rows}
    options = STRATEGIES[name].options
    assert {one for names in written for one in names} >= {field.name for field in fields(options)}
    for field in fields(options):
        default = written.get((field.name,))
        if default is not None and type(field.default) in (int, float):
            assert float(default.strip("`")) == field.default, field.name


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_the_program_of_a_page_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in re.findall(r"```python\n(from search.*?)```", page.read_text(), re.S):
        exec(compile(block, str(page), "exec"), {})
        assert capsys.readouterr().out


def test_no_page_is_about_a_strategy_that_does_not_exist() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} <= set(STRATEGIES)
