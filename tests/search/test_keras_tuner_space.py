"""A user's HyperModel as a space."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.api import compile_model
from hil.board import load_board
from hil.macs import model_macs
from hil.quantize import quantize
from search.config import StudyConfig, load
from search.evaluate import HilEvaluator
from search.keras_tuner.asking import values_of
from search.keras_tuner.library import kt
from search.keras_tuner.space import HyperModelNetwork, HyperModelSpace
from search.network import BuildsModel, CannotBuild, model_of
from search.space import make_space
from search.space.base import Architecture
from search.space.options import BadOption
from search.study import Study
from search.testing.space_suite import SpaceSuite
from search.trial import State
from tests.support.hypermodels import Faulty, build

ROOT = Path(__file__).resolve().parents[2]
HELD = "learning=rate"
IMAGES = np.random.default_rng(0).random((32, 8, 8, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def shared() -> HyperModelSpace:
    return HyperModelSpace(build, input_shape=(8, 8, 1), classes=10, hold=[HELD])


class TestHyperModelSpace(SpaceSuite):
    """A HyperModel has no layer list: what is known of its networks is known from the models themselves."""

    @pytest.fixture
    def space(self, shared: HyperModelSpace) -> HyperModelSpace:
        return shared

    @pytest.fixture
    def samples(self, space: HyperModelSpace) -> list[Architecture]:
        rng = np.random.default_rng(7)
        return [space.sample(rng) for _ in range(8)]

    def test_shapes_agree(self, space: HyperModelSpace, samples: list[Architecture]) -> None:  # type: ignore[override]
        for sample in samples[:3]:
            model = space.keras_model(sample, seed=0)
            assert tuple(model.inputs[0].shape[1:]) == space.takes(sample)

    def test_all_networks_give_the_same_kind_of_output(  # type: ignore[override]
        self, space: HyperModelSpace, samples: list[Architecture]
    ) -> None:
        outputs = {tuple(space.keras_model(sample, seed=0).outputs[0].shape) for sample in samples[:3]}
        assert outputs == {(None, 10)}

    def test_cost_is_that_of_the_layers(  # type: ignore[override]
        self, space: HyperModelSpace, samples: list[Architecture]
    ) -> None:
        for sample in samples[:3]:
            cost = space.cost(sample)
            assert cost == space.cost(sample)
            program = compile_model(
                quantize(space.keras_model(sample, seed=0), IMAGES), board=load_board("nrf52840_dk")
            )
            assert cost.macs == model_macs(program.graph)
            assert 0 < cost.weight_bytes <= program.weight_bytes <= cost.weight_bytes + 4 * cost.parameters
            assert 64 <= cost.striped_activation_bytes <= cost.peak_activation_bytes
            assert cost.peak_activation_bytes <= program.plan.arena_bytes


def test_only_what_is_asked_for_is_a_gene(shared: HyperModelSpace) -> None:
    rng = np.random.default_rng(2)
    samples = {shared.sample(rng).text for _ in range(20)}
    assert any(text.startswith("kind=conv blocks=1 block0.filters=") for text in samples)
    assert all(("depth%20multiplier=" in text) == ("kind=separable" in text) for text in samples)
    assert all(("block1.filters" in text) == ("blocks=2" in text) for text in samples)
    assert not any("learning" in text for text in samples)


def test_a_range_has_as_many_levels_as_are_wished() -> None:
    space = HyperModelSpace(build, input_shape=(8, 8, 1), classes=10, levels=4)
    text = space.sample(np.random.default_rng(0)).text
    value = float(text.rpartition("learning%3Drate=")[2])
    assert value in (0.0001, 0.001, 0.01, 0.1)


def test_hyperparameters_are_those_that_make_the_architecture(shared: HyperModelSpace) -> None:
    text = "kind=separable depth%20multiplier=2 blocks=1 block0.filters=8 block0.strides=2"
    hp = shared.hyperparameters(Architecture("keras_tuner", text))
    assert hp.values == {
        "kind": "separable",
        "depth multiplier": 2,
        "blocks": 1,
        "block0/filters": 8,
        "block0/strides": 2,
        HELD: 1e-4,
    }


def test_crossover_keeps_a_scope_together(shared: HyperModelSpace) -> None:
    a, b = (
        Architecture("keras_tuner", f"kind=conv blocks=1 block0.filters={filters} block0.strides={strides}")
        for filters, strides in ((4, 1), (12, 2))
    )
    rng = np.random.default_rng(0)
    assert {shared.crossover(a, b, rng) for _ in range(20)} == {a, b}


P = kt.engine.hyperparameters


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (P.Boolean("x"), (False, True)),
        (P.Fixed("x", 3), (3,)),
        (P.Choice("x", ["a", "b", "a"]), ("a", "b")),
        (P.Int("x", 1, 4), (1, 2, 3, 4)),
        (P.Int("x", 6, 13, step=3), (6, 9, 12)),
        (P.Int("x", 2, 32, step=2, sampling="log"), (2, 4, 8, 16, 32)),
        (P.Int("x", 0, 100), (0, 25, 50, 75, 100)),
        (P.Int("x", 1, 10000, sampling="log"), (1, 10, 100, 1000, 10000)),
        (P.Float("x", 0, 1), (0.0, 0.25, 0.5, 0.75, 1.0)),
        (P.Float("x", 0, 0.4, step=0.1), (0.0, 0.1, 0.2, 0.3, 0.4)),
        (P.Float("x", 1e-4, 1, sampling="log"), (1e-4, 1e-3, 1e-2, 1e-1, 1.0)),
        (P.Float("x", 1, 16, sampling="reverse_log"), (1.0, 9.0, 13.0, 15.0, 16.0)),
        (P.Float("x", 2, 2), (2.0,)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_ranges_become_levels(parameter: Any, expected: tuple[Any, ...]) -> None:
    values = values_of(parameter, 5)
    assert values == (pytest.approx(expected) if isinstance(expected[0], int | float) else expected)
    assert [type(value) for value in values] == [type(value) for value in expected]


def test_the_same_architecture_gives_the_same_bytes(shared: HyperModelSpace) -> None:
    architecture = shared.sample(np.random.default_rng(1))
    first, again = (
        hashlib.sha256(quantize(model_of(shared, architecture, seed=4), IMAGES)).hexdigest() for _ in range(2)
    )
    assert first == again


def test_a_softmax_stands_apart_for_the_loss(shared: HyperModelSpace) -> None:
    model = shared.keras_model(shared.sample(np.random.default_rng(1)), seed=0)
    assert type(model.layers[-1]).__name__ == "Softmax"
    assert np.allclose(model(IMAGES).numpy().sum(axis=1), 1, atol=1e-5)


class TestFaults:
    @pytest.fixture
    def space(self) -> HyperModelSpace:
        return HyperModelSpace(Faulty, input_shape=(8, 8, 1), classes=10)

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("raises", "Faulty raised ValueError: no such luck"),
            ("none", "Faulty returned None, expected a keras.Model"),
            ("outputs filters=4", r"gives \(3,\), the data have 10 classes"),
        ],
    )
    def test_what_cannot_be_built_is_an_architecture_without_a_model(
        self, space: HyperModelSpace, kind: str, message: str
    ) -> None:
        architecture = Architecture("keras_tuner", f"kind={kind}")
        assert space.contains(architecture)
        assert space.cost(architecture).macs == 0
        with pytest.raises(CannotBuild, match=message):
            space.keras_model(architecture, seed=0)

    def test_a_study_goes_on_over_them(self, tmp_path: Path) -> None:
        (tmp_path / "study.toml").write_text(
            f"""
            name = "faulty"
            device = "simulated:nrf52840_dk"
            budget = {{ trials = 7 }}
            [space]
            name = "keras_tuner"
            hypermodel = "{ROOT}/tests/support/hypermodels.py:Faulty"
            [strategy]
            name = "exhaustive"
            [train]
            epochs = 1
            """
        )
        config = load(tmp_path / "study.toml")
        with Study.open(config, tmp_path / "study") as study:
            study.run()
            trials = {trial.architecture.text: trial for trial in study.store.trials()}
        states = {text.partition(" ")[0]: trial.state for text, trial in trials.items()}
        assert states["kind=fine"] is State.COMPLETE
        broken = [trial for trial in trials.values() if trial.state is State.INFEASIBLE]
        assert len(broken) >= 3, "more than a study puts up with in a row, had they failed"
        assert all(trial.infeasibility and trial.infeasibility.metric == "buildable" for trial in broken)
        reasons = " ".join([trial.infeasibility.reason for trial in broken if trial.infeasibility])
        assert "no such luck" in reasons
        assert "loops" in reasons


def refuse(folder: Path, content: str, name: str, match: str) -> None:
    (folder / "mine.py").write_text(content)
    with pytest.raises(BadOption, match=match):
        make_space(
            "keras_tuner", {"hypermodel": f"mine.py:{name}"}, input_shape=(8, 8, 1), classes=10, folder=folder
        )


@pytest.mark.parametrize(
    ("content", "name", "match"),
    [
        ("def build(hp): ...", "built", "mine.py has no 'built'"),
        ("def build(hp): ...", "build", "build returned None, expected a keras.Model"),
        ("def build(hp): 1 / 0", "build", "at their defaults, build raised ZeroDivisionError"),
        ("1 / 0", "build", "fails when it is run: ZeroDivisionError"),
        (
            "class Mine:\n    def __init__(self, size): ...\n    def build(self, hp): ...",
            "Mine",
            "cannot be made",
        ),
        ("build = 3", "build", "got a int, expected a HyperModel or a function"),
    ],
)
def test_mistakes_are_told_before_the_search(tmp_path: Path, content: str, name: str, match: str) -> None:
    refuse(tmp_path, content, name, match)


def test_a_missing_file_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=f"there is no file {tmp_path}/mine.py"):
        make_space(
            "keras_tuner", {"hypermodel": "mine.py:build"}, input_shape=(8, 8, 1), classes=10, folder=tmp_path
        )


def test_a_text_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="expected a Python file and a name in it"):
        make_space("keras_tuner", {"hypermodel": "mine.py"}, input_shape=(8, 8, 1), classes=10)


def test_a_changed_file_is_another_study(tmp_path: Path) -> None:
    text = "from tests.support.hypermodels import build\n"
    (tmp_path / "mine.py").write_text(text)
    config = StudyConfig(
        name="mine",
        device="simulated:nrf52840_dk",
        space={"name": "keras_tuner", "hypermodel": f"{tmp_path}/mine.py:build"},  # type: ignore[arg-type]
    )
    before = HilEvaluator(config)
    (tmp_path / "mine.py").write_text(text + "# another\n")
    after = HilEvaluator(config)
    assert isinstance(before.space, BuildsModel)
    assert before.identity["models"] != after.identity["models"]
    for evaluator in (before, after):
        evaluator.close()


def test_its_layers_are_one_that_nothing_else_reads(shared: HyperModelSpace) -> None:
    (layer,) = shared.layers(shared.sample(np.random.default_rng(0)))
    assert isinstance(layer, HyperModelNetwork)
    assert layer.fault == ""


def test_code_that_swallows_every_error_does_not_disturb_the_walk() -> None:
    def careless(hp: Any) -> Any:
        with suppress(Exception):
            hp.Choice("kind", ["a", "b"])
        return build(kt.HyperParameters())

    space = HyperModelSpace(careless, input_shape=(8, 8, 1), classes=10)
    choice = space.choice(())
    assert choice is not None
    assert choice.gene == "kind"
