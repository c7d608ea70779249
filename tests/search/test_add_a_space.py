"""The spaces of docs/add-a-space.md, as they stand there, pass the suite and survive conversion."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from search.space import SPACES, SpaceKind, make_space
from search.space.base import Space
from search.space.options import BadOption
from search.testing.space_suite import SpaceSuite
from tests.support.space_networks import must_survive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-space.md"


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)


@pytest.fixture
def module(blocks: list[str]) -> Iterator[ModuleType]:
    """Both classes of the page, in one module."""
    module = ModuleType("towers_of_the_documentation")
    sys.modules[module.__name__] = module  # annotations are resolved through it
    for name in ("class Towers(", "class TowersSpace("):
        (source,) = [block for block in blocks if name in block]
        exec(compile(source, str(PAGE), "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


@pytest.fixture
def entered(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the space with options, entered as the page says."""
    monkeypatch.setitem(SPACES, "towers", SpaceKind(module.TowersOptions, module.TowersSpace))
    return "towers"


class TestSpaceOfTheDocumentation(SpaceSuite):
    @pytest.fixture(params=[(8, 8, 1), (32, 32, 3)])
    def space(self, request: pytest.FixtureRequest, module: ModuleType) -> Space:
        return module.Towers(input_shape=request.param, classes=10)  # type: ignore[no-any-return]


class TestSpaceWithOptionsOfTheDocumentation(SpaceSuite):
    @pytest.fixture
    def space(self, entered: str) -> Space:
        return make_space(entered, {"max_depth": 5}, input_shape=(8, 8, 1), classes=10)


def test_the_page_says_what_its_text_looks_like(module: ModuleType) -> None:
    space = module.Towers(input_shape=(8, 8, 1), classes=10)
    text = space.sample(np.random.default_rng(0)).text
    assert re.fullmatch(r"depth=(\d)( block\d\.filters=\d+)+", text)
    assert "`depth=2 block1.filters=8 block2.filters=32`" in PAGE.read_text()


def test_the_names_of_options_are_checked(entered: str) -> None:
    with pytest.raises(BadOption) as caught:
        make_space(entered, {"filter": [8]}, input_shape=(8, 8, 1), classes=10)
    assert "did you mean 'filters'" in (caught.value.remedy or "")


def test_networks_survive_conversion(entered: str) -> None:
    must_survive(make_space(entered, {}, input_shape=(8, 8, 1), classes=10), seed=1, count=1)
