"""The strategy of docs/add-a-strategy.md, as it stands there, passes the suite."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from search.testing.strategy_suite import Make, StrategySuite

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-strategy.md"


class TestStrategyOfTheDocumentation(StrategySuite):
    @pytest.fixture
    def module(self) -> Iterator[ModuleType]:
        blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
        (source,) = [block for block in blocks if "class HillClimbing:" in block]
        module = ModuleType("hill_climbing_of_the_documentation")
        sys.modules[module.__name__] = module  # annotations are resolved through it
        exec(compile(source, str(PAGE), "exec"), module.__dict__)
        yield module
        del sys.modules[module.__name__]

    @pytest.fixture
    def make(self, module: ModuleType) -> Make:
        return module.HillClimbing  # type: ignore[no-any-return]
