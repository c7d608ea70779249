"""Study files: what they give, what is refused and where, and what tells two studies apart."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from search.config import (
    Budget,
    DataConfig,
    MeterConfig,
    RewardConfig,
    SpaceConfig,
    StrategyConfig,
    StudyConfig,
    TrainConfig,
    diff,
    load,
    loads,
)
from search.errors import BadConfig
from search.reward import Mnas
from search.space.chain import ChainOptions
from search.strategies.aging_evolution import AgingEvolution, AgingEvolutionOptions

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.toml"))

FULL = """\
name = "full"
objectives = ["maximize accuracy", "minimize energy_uj"]
constraints = ["energy_uj <= 1 mJ"]
device = "serial:/dev/ttyACM0"
board = "nano33ble"

[data]
name = "mine.npz"

[space]
name = "chain"
filters = [8, 16]

[strategy]
name = "aging_evolution"
seed = 9
population = 7

[reward]
name = "mnas"
alpha = 0.0
beta = -1.0

[budget]
minutes = 2.5

[train]
epochs = 3

[measure]
max_runs = 4
"""


def test_a_study_file_is_read() -> None:
    config = loads(FULL)
    assert config.name == "full"
    assert config.objectives == ("maximize accuracy", "minimize energy_uj")
    assert (config.device, config.board) == ("serial:/dev/ttyACM0", "nano33ble")
    assert config.data == DataConfig("mine.npz")
    assert config.space == SpaceConfig("chain", {"filters": [8, 16]})
    assert config.strategy == StrategyConfig("aging_evolution", {"population": 7}, seed=9)
    assert config.budget == Budget(minutes=2.5)
    assert config.train == TrainConfig(epochs=3)
    assert config.measure.max_runs == 4
    assert config.make_objectives().reward == Mnas("energy_uj", 1000.0, alpha=0.0, beta=-1.0)


def test_defaults_are_filled_in_where_the_file_is_silent() -> None:
    config = loads('name = "short"\n')
    assert config == StudyConfig(name="short")
    assert config.board == "nrf52840_dk"
    assert config.space.options == ChainOptions().to_dict()
    assert config.strategy.options == AgingEvolutionOptions().to_dict()
    assert config.budget.trials is not None


def test_a_table_may_be_given_by_its_name_alone() -> None:
    short = loads('name = "x"\ndata = "digits"\nspace = "chain"\nstrategy = "random"\nreward = "accuracy"\n')
    long = loads(
        'name = "x"\ndata.name = "digits"\n[space]\nname = "chain"\n[strategy]\nname = "random"\n'
        '[reward]\nname = "accuracy"\n'
    )
    assert short == long


def test_python_says_the_same_as_a_file() -> None:
    made = StudyConfig(
        name="full",
        data="mine.npz",  # type: ignore[arg-type]
        space=SpaceConfig("chain", {"filters": (16, 8)}),
        strategy=StrategyConfig("aging_evolution", {"population": 7}, seed=9),
        objectives=["maximize accuracy", "minimize energy_uj"],  # type: ignore[arg-type]
        constraints=["energy_uj <= 1 mJ"],  # type: ignore[arg-type]
        reward=RewardConfig("mnas", {"alpha": 0.0, "beta": -1.0}),
        device="serial:/dev/ttyACM0",
        board="nano33ble",
        budget=Budget(minutes=2.5),
        train={"epochs": 3},  # type: ignore[arg-type]
        measure={"max_runs": 4},  # type: ignore[arg-type]
    )
    assert made == loads(FULL)
    assert made.digest == loads(FULL).digest


def test_a_study_is_what_it_was_made_of() -> None:
    config = loads(FULL)
    space = config.make_space(input_shape=(8, 8, 1), classes=10)
    strategy = config.make_strategy(space)
    assert isinstance(strategy, AgingEvolution)
    assert all(space.contains(proposal.architecture) for proposal in strategy.ask(5))
    again = loads(FULL).make_strategy(space)
    assert again.ask(5) == loads(FULL).make_strategy(space).ask(5)


def test_it_survives_storage_as_json() -> None:
    config = loads(FULL)
    again = StudyConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.digest == config.digest
    assert diff(config, again) == []


def test_a_meter_is_named_by_its_text_or_with_its_options() -> None:
    short = loads('name = "x"\nmeter = "ppk2:/dev/ttyACM1"\n')
    assert short.meter == MeterConfig("ppk2:/dev/ttyACM1")
    long = loads('name = "x"\n[meter]\nname = "ppk2:/dev/ttyACM1"\nsubtract_idle = true\n')
    assert long.meter.subtract_idle
    assert loads('name = "x"\n').meter == MeterConfig("estimate")


def test_another_meter_is_another_study_and_none_is_what_it_always_was() -> None:
    plain = StudyConfig(name="x")
    assert plain.digest == StudyConfig(name="x", meter="estimate").digest  # type: ignore[arg-type]
    metered = StudyConfig(name="x", meter="ina226")  # type: ignore[arg-type]
    assert plain.digest != metered.digest
    assert diff(plain, metered) == [
        'meter.name: (absent) -> "ina226"',
        "meter.subtract_idle: (absent) -> false",
    ]
    before = {
        key: value
        for key, value in plain.to_dict().items()
        if key not in ("meter", "budget", "run", "devices", "deploy")
    }
    before["data"] = {"name": "digits"}  # there was no kind yet
    text = json.dumps(before, sort_keys=True, separators=(",", ":"))
    assert plain.digest == hashlib.sha256(text.encode()).hexdigest()


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        loads(FULL).name = "other"  # type: ignore[misc]


def test_changes_are_told_apart_line_by_line() -> None:
    old = loads(FULL)
    new = loads(
        FULL.replace("epochs = 3", "epochs = 30")
        .replace("[8, 16]", "[8, 16, 24]")
        .replace('"aging_evolution"', '"random"')
        .replace("population = 7\n", "")
    )
    assert diff(old, new) == [
        "space.filters: [8, 16] -> [8, 16, 24]",
        'strategy.name: "aging_evolution" -> "random"',
        "strategy.population: 7 -> (absent)",
        "strategy.tournament: 5 -> (absent)",
        "train.epochs: 3 -> 30",
    ]
    assert old.digest != new.digest


def test_a_larger_budget_is_the_same_study() -> None:
    longer = loads(FULL.replace("minutes = 2.5", "minutes = 60"))
    assert longer.digest == loads(FULL).digest
    assert diff(loads(FULL), longer) == []


def test_a_comment_or_another_order_is_the_same_study() -> None:
    assert loads("# hello\n" + FULL.replace("[8, 16]", "[16, 8]")).digest == loads(FULL).digest


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_examples_can_be_read(path: Path) -> None:
    config = load(path)
    assert config.source == path
    config.make_strategy(config.make_space(input_shape=(8, 8, 1), classes=10)).ask(3)


def test_the_first_example_shows_every_key_of_the_tables_it_has() -> None:
    shown = tomllib.loads(EXAMPLES[0].read_text())
    known = {one.name for one in fields(StudyConfig)} - {"source", "board", "devices", "deploy"}
    assert set(shown) == known
    assert set(shown["space"]) - {"name"} == {one.name for one in fields(ChainOptions)}
    assert set(shown["train"]) == {one.name for one in fields(TrainConfig)}


HEAD = 'name = "x"\n'


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (HEAD + "objectivs = []\n", "2: objectivs", "unknown key|did you mean 'objectives'?"),
        (HEAD + "\n[trian]\nepochs = 3\n", "3: trian", "unknown key|did you mean 'train'?"),
        (HEAD + 'meter = "pkk2"\n', "2: meter", "no such meter|did you mean 'ppk2'?"),
        (HEAD + "[train]\n# few\nepoch = 3\n", "4: train.epoch", "unknown key|did you mean 'epochs'?"),
        (HEAD + "[train]\nepochs = 0\n", "3: train.epochs", "got 0, expected a whole number >= 1"),
        (HEAD + '[train]\nepochs = "3"\n', "3: train.epochs", 'got "3", expected a whole number >= 1'),
        (HEAD + "[train]\nepochs = true\n", "3: train.epochs", "got true, expected a whole number >= 1"),
        (HEAD + "[train]\nlearning_rate = nan\n", "3: train.learning_rate", "got nan, expected a number > 0"),
        (HEAD + "train.epochs = 0\n", "2: train.epochs", "got 0"),
        (HEAD + "train = { epochs = 0 }\n", "2: train.epochs", "got 0"),
        (HEAD + "train = 3\n", "2: train", "got 3, expected a table"),
        (HEAD + "source = 3\n", "2: source", "unknown key"),
        (HEAD + '[space]\nname = "chian"\n', "3: space.name", "no space is called 'chian'|'chain'"),
        (HEAD + "[space]\nfilters = [8,\n 0]\n", "3: space.filters", "got 0, expected a whole number >= 1"),
        (HEAD + "[space]\nfilter = [8]\n", "3: space.filter", "unknown key|did you mean 'filters'?"),
        (HEAD + "[space]\nmin_depth = 9\n", "3: space.min_depth", "got 9, expected at most max_depth = 6"),
        (
            HEAD + '[strategy]\nname = "aging_evolutoin"\n',
            "3: strategy.name",
            "no strategy|'aging_evolution'",
        ),
        (HEAD + "[strategy]\nseed = -1\n", "3: strategy.seed", "got -1, expected a whole number >= 0"),
        (HEAD + '[strategy]\nname = "random"\npopulation = 3\n', "4: strategy.population", "unknown key"),
        (HEAD + 'reward = "manas"\n', "2: reward.name", "no reward is called 'manas'|'mnas'"),
        (HEAD + '[reward]\nname = "mnas"\nalpha = 1\n', "4: reward.alpha", "expected a number <= 0"),
        (HEAD + "[budget]\n", "2: budget", "neither trials nor minutes"),
        (HEAD + "[measure]\nmin_runs = 30\n", "3: measure.min_runs", "at most max_runs = 20"),
        (
            HEAD + 'constraints = [\n  "latency_us <= 20 ms",\n  "ram_bytes <= 64 ms",\n]\n',
            "4: constraints",
            "'ms' is no unit of ram_bytes|write bytes",
        ),
        (
            HEAD + 'objectives = ["minimize latency"]\n',
            "2: objectives",
            "no metric|did you mean 'latency_us'",
        ),
        (HEAD + "objectives = []\n", "2: objectives", "number of items >= 1"),
        (HEAD + 'device = "emulted:x"\n', "2: device", "got \"emulted:x\"|did you mean 'emulated'"),
        (HEAD + 'device = "emulated"\n', "2: device", 'got "emulated"|and the board or port behind it'),
        (HEAD + 'device = "serial:/dev/x"\n', "1: board", "missing|hilnas boards"),
        (HEAD + 'board = "b"\ndevice = "emulated:a"\n', "2: board", 'got "b", but device = "emulated:a"'),
        ('name = "a/b"\n', "1: name", 'got "a/b", expected letters'),
        ("# nothing\n", "1: name", "missing; expected text"),
        (HEAD + "epochs == 3\n", "2:9: malformed TOML at key 'epochs'", "Invalid value|epochs == 3"),
        (HEAD + "[train\nepochs = 3\n", "2:7: malformed TOML", "|the line reads: [train"),
        (HEAD + 'data = "digits\n', "2:15: malformed TOML at key 'data'", "|digits"),
        (HEAD + HEAD, "2:11: malformed TOML at key 'name'", "Cannot overwrite a value"),
        (HEAD + "objectives = [\n", "2:15: malformed TOML at key 'objectives'", ""),
    ],
)
def test_an_error_says_where_what_and_how_to_mend_it(text: str, place: str, words: str) -> None:
    with pytest.raises(BadConfig) as caught:
        loads(text, name="study.toml")
    assert caught.value.message.startswith(f"study.toml:{place}")
    for word in words.split("|"):
        assert word in f"{caught.value.message} {caught.value.remedy}"


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="no such file"):
        load(tmp_path / "missing.toml")
    with pytest.raises(BadConfig, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'name = "M\xfcnchen"\n')
    with pytest.raises(BadConfig, match="byte 9 is not UTF-8"):
        load(tmp_path / "latin.toml")


def test_windows_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert load(path) == loads(FULL)


def test_python_gets_the_dotted_key() -> None:
    with pytest.raises(BadConfig, match=r"train\.epochs: got 0"):
        StudyConfig("x", train={"epochs": 0})  # type: ignore[arg-type]
    with pytest.raises(BadConfig, match="epochs: got 0"):
        TrainConfig(epochs=0)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("train.epochs = true", "got true, expected"),
        ("objectives = [[true, 'x']]", 'got [true, "x"], expected'),
        ("objectives = [2020-01-02]", "got 2020-01-02, expected"),
        ("[[train]]", "got [a table], expected"),
    ],
)
def test_values_are_shown_as_they_stand_in_the_file(line: str, says: str) -> None:
    with pytest.raises(BadConfig) as error:
        loads(f'name = "a"\n{line}\n')
    assert says in error.value.message
