"""A study over several boards and clocks: which device serves, what is refused before any work."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.board import list_boards, load_board
from hil.errors import HilError
from hil.measurement_json import from_dict
from search.cascade import Work
from search.cli.export import export_trial
from search.config import Budget, StudyConfig, loads
from search.devices import DevicePool, clocks_of
from search.errors import BadConfig
from search.report.collect import collect
from search.space.base import Deployment
from search.space.deploy import DeployedSpace
from search.space.options import BadOption
from search.study import Study
from search.trial import Stage

TWO = ("nrf52840_dk", "nucleo_f446re")


def config(**other: Any) -> StudyConfig:
    return StudyConfig(**{"name": "several", "device": "emulated:nrf52840_dk", **other})


def test_a_study_file_says_what_to_choose_among() -> None:
    study = loads(
        'name = "x"\ndevice = "emulated:nucleo_f446re"\n'
        '[deploy]\nboards = ["nucleo_f446re", "nrf52840_dk"]\nclocks = "all"\npatches = ["never", "auto"]\n'
    )
    space = study.make_space(input_shape=(8, 8, 1), classes=4, clocks=clocks_of(study))
    assert isinstance(space, DeployedSpace)
    found = [space.choice(path) for path in ((), (0,), (0, 1), (1,))]
    assert [(choice.gene, choice.options) for choice in found if choice] == [
        ("deploy.board", ("nucleo_f446re", "nrf52840_dk")),
        ("deploy.clock", (180_000_000, 120_000_000, 84_000_000)),
        ("deploy.patches", (False, True)),
        ("deploy.patches", (False, True)),
    ]
    assert StudyConfig.from_dict(study.to_dict()) == study


def test_the_study_in_the_documentation_can_be_run() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spaces" / "deploy.md").read_text()
    study = loads(page.split("```toml\n", 1)[1].split("```", 1)[0])
    pool = DevicePool(study)
    assert pool.of(Deployment("nucleo_f446re", 84_000_000)).name == "emulated:nucleo_f446re@84MHz"


def test_the_table_of_clocks_in_the_documentation_is_that_of_the_profiles() -> None:
    page = (Path(__file__).parents[2] / "docs" / "boards.md").read_text()
    for board in [board for board in map(load_board, list_boards()) if board.clocks]:
        clocks = ", ".join(f"{hz / 10**6:g}" for hz in board.clocks_hz)
        assert f"| `{board.id}` | {clocks} |" in page


def test_a_study_without_it_is_what_it_was() -> None:
    plain = config()
    assert not isinstance(plain.make_space(input_shape=(8, 8, 1), classes=4), DeployedSpace)
    assert plain.digest == config(deploy={}).digest
    assert plain.digest != config(deploy={"patches": ["never", "auto"]}).digest
    assert DevicePool(plain).identity == {"board profile": load_board("nrf52840_dk").digest}


def test_each_board_and_clock_has_a_device_that_is_called_so() -> None:
    pool = DevicePool(config(deploy={"boards": TWO, "clocks": "all"}))
    names = {pool.of(Deployment(board, hz)).name for board, clocks in pool.clocks.items() for hz in clocks}
    assert names == {
        "emulated:nrf52840_dk",
        "emulated:nucleo_f446re",
        "emulated:nucleo_f446re@120MHz",
        "emulated:nucleo_f446re@84MHz",
    }
    slow = pool.of(Deployment("nucleo_f446re", 84_000_000))
    assert slow.board == load_board("nucleo_f446re@84MHz")
    assert slow is pool.of(Deployment("nucleo_f446re", 84_000_000))
    assert len(pool.identity) == len(set(pool.identity.values())) == 4
    pool.close()
    pool.close()


def test_a_board_takes_the_device_that_is_named_for_it() -> None:
    named = config(devices=["simulated:nucleo_f446re"], deploy={"boards": TWO})
    assert DevicePool(named).of(Deployment("nucleo_f446re")).name == "simulated:nucleo_f446re"
    wired = {"boards": TWO, "devices": {"nucleo_f446re": "serial:/dev/ttyACM1"}}
    real = config(device="serial:/dev/ttyACM0", board="nrf52840_dk", deploy=wired)
    assert real.boards_of_devices() == [
        ("serial:/dev/ttyACM0", "nrf52840_dk"),
        ("serial:/dev/ttyACM1", "nucleo_f446re"),
    ]
    assert DevicePool(real).of(Deployment("nucleo_f446re")).board.id == "nucleo_f446re"


def test_a_port_is_let_go_of_before_its_board_is_opened_at_another_clock() -> None:
    real = config(device="serial:/dev/ttyACM0", board="nucleo_f446re", deploy={"clocks": "all"})
    pool = DevicePool(real)
    fast = pool.of(Deployment(clock_hz=180_000_000))
    slow = pool.of(Deployment(clock_hz=84_000_000))
    assert (fast.name, slow.name) == ("serial:/dev/ttyACM0", "serial:/dev/ttyACM0")
    assert slow.board.core.clock_hz == 84_000_000
    assert pool.of(Deployment(clock_hz=180_000_000)) is not fast


def test_a_worker_measures_on_its_own_device() -> None:
    wired = {"boards": TWO, "devices": {"nucleo_f446re": "serial:/dev/ttyACM1"}}
    real = config(device="serial:/dev/ttyACM0", board="nrf52840_dk", deploy=wired)
    led = real.led_by("serial:/dev/ttyACM1")
    assert DevicePool(led).of(Deployment("nucleo_f446re")).name == "serial:/dev/ttyACM1"
    assert led.boards_of_devices()[0] == ("serial:/dev/ttyACM1", "nucleo_f446re")
    several = config(device="serial:/dev/a", devices=["serial:/dev/b"], board="nrf52840_dk")
    assert several.led_by("serial:/dev/b").all_devices == ("serial:/dev/b",)


@pytest.mark.parametrize(
    ("study", "told"),
    [
        ({"deploy": {"boards": TWO, "clocks": ["84 MHz"]}}, "'nrf52840_dk' has none of 84 MHz"),
        ({"deploy": {"boards": TWO, "clocks": ["64 MHz", "90 MHz"]}}, "deploy.clocks.*90 MHz.*cannot run at"),
        ({"device": "simulated:nucleo_f446re", "deploy": {"clocks": "all"}}, "fitted at 180MHz"),
        ({"deploy": {"boards": ["nano33ble", "nrf52840_dk"]}}, "nano33ble' cannot be emulated"),
        ({"deploy": {"boards": ["nrf52840_dk", "nosuch"]}}, "unknown board 'nosuch'"),
        (
            {
                "device": "emulated:nucleo_f446re",
                "deploy": {"clocks": "all"},
                "objectives": ["minimize energy_uj"],
            },
            "no current to estimate it with at 120MHz",
        ),
        ({"deploy": {"boards": TWO}, "meter": "ppk2"}, "wired to one board"),
    ],
)
def test_what_cannot_be_is_told_before_any_work(study: dict[str, Any], told: str) -> None:
    with pytest.raises((BadConfig, HilError), match=told):
        DevicePool(config(**study))


@pytest.mark.parametrize(
    ("study", "told"),
    [
        ({"devices": ["emulated:nucleo_f446re"]}, "another board"),
        ({"devices": ["emulated:pico"], "deploy": {"boards": TWO}}, "none of the boards in"),
        ({"device": "emulated:nucleo_f446re@84MHz", "deploy": {"clocks": "all"}}, "names a clock"),
        ({"device": "serial:/dev/a", "board": "nrf52840_dk", "deploy": {"boards": TWO}}, "'nucleo_f446re'"),
        ({"deploy": {"boards": TWO, "devices": {"pico": "emulated:pico"}}}, "is not in boards"),
        ({"deploy": {"boards": TWO, "devices": {"nucleo_f446re": "emulated:pico"}}}, "another board"),
        ({"deploy": {"boards": TWO, "devices": {"nucleo_f446re": "usb:x"}}}, 'expected "emulated'),
    ],
)
def test_contradictions_are_refused_with_their_key(study: dict[str, Any], told: str) -> None:
    with pytest.raises(BadOption, match=told):
        config(**study)


def test_a_study_measures_each_network_where_it_is_deployed(tmp_path: Path) -> None:
    """On simulated boards; the Pico has two clocks with the same wait states, which can be simulated."""
    study = config(
        device="simulated:pico",
        space={"name": "chain", "max_depth": 2, "filters": [4, 8]},
        strategy={"name": "random", "seed": 4},
        train={"epochs": 1},
        deploy={"boards": ["pico", "nrf52840_dk"], "clocks": "all", "patches": ["never", "auto"]},
        budget=Budget(trials=3),
    )
    with Study.open(study, tmp_path) as running:
        running.run()
        trials = running.trials()
        space = running._evaluator.space
        seen = set()
        for trial in trials:
            wanted = space.deployment(trial.architecture)
            origin = from_dict(
                running.store.findings(trial.number)[Stage.MEASURE].detail["measurement"]
            ).origin
            assert (origin.board_id, origin.clock_hz) == (wanted.board, wanted.clock_hz)
            seen.add((origin.device, origin.clock_hz))
        assert len(seen) > 1
        assert running.front()

        found = running.front()[0]
        export_trial(running.store, found.number, tmp_path / "export")
        wanted = space.deployment(found.architecture)
        exported = (tmp_path / "export" / "firmware" / "board.ini").read_text()
        assert f"id = {wanted.board}\n" in exported
        assert f"clock_hz = {wanted.clock_hz}\n" in exported
        assert collect(running.store).device == "simulated:pico, simulated:nrf52840_dk"

        first = next(trial for trial in trials if trial.number == 0)
        wanted = space.deployment(first.architecture)
        elsewhere = next(
            other
            for other in (space.mutate(first.architecture, np.random.default_rng(n)) for n in range(100))
            if space.deployment(other).board != wanted.board
        )
        work = Work(0, elsewhere, {}, running.store)
        assert running._evaluator.run(Stage.TRAIN, work).reused
    with Study.open(dataclasses.replace(study, budget=Budget(trials=3)), tmp_path) as again:
        assert [trial.values for trial in again.trials()] == [trial.values for trial in trials]
