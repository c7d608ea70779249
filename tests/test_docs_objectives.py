"""docs/objectives and docs/data.md: tables can be read, options and metrics are those of the code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from search.config import StudyConfig
from search.datasets import BUILT_IN
from search.metrics import METRICS
from search.reward import REWARDS

DOCS = Path(__file__).resolve().parent.parent / "docs"
HAVE_PAGES = [name for name in REWARDS if name != "accuracy"]  # which docs/objectives.md says all of


def studies_of(page: str) -> list[StudyConfig]:
    tables = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.S)]
    return [StudyConfig.from_dict({"name": "x"} | table) for table in tables]


def options_of(page: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE))


@pytest.mark.parametrize("name", HAVE_PAGES)
def test_the_table_of_the_page_makes_this_reward_with_all_its_options(name: str) -> None:
    page = (DOCS / "objectives" / f"{name}.md").read_text()
    (study,) = studies_of(page)
    assert study.reward.name == name
    reward: Any = study.make_objectives().reward
    written = {one.name for one in fields(reward) if one.metadata.get("written", True)}
    assert set(options_of(page)) == written
    for option, default in options_of(page).items():
        value = re.fullmatch(r'-?[0-9.]+|`".*"`', default)
        if value:
            plain = next(one.default for one in fields(reward) if one.name == option)
            assert tomllib.loads(f"x = {default.strip('`')}")["x"] == plain, option


def test_the_overview_has_every_metric_and_every_reward() -> None:
    page = (DOCS / "objectives.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))
    assert {name for name in METRICS if not name.startswith("float_")} <= named
    assert set(REWARDS) <= named
    assert len(studies_of(page)) == 1


def test_the_page_on_data_has_every_built_in_one() -> None:
    page = (DOCS / "data.md").read_text()
    assert set(BUILT_IN) <= set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert [study.data.name for study in studies_of(page)] == ["motion.npz", "diabetes"]


@pytest.mark.parametrize(
    "page", [DOCS / "objectives.md", DOCS / "data.md", *(DOCS / "objectives").glob("*.md")]
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
