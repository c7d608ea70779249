"""The commands as a user types them: search, interrupt, continue, report, export, measure, boards, doctor."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT, environment, hilnas
from tests.cli.test_bad_model import conv_model
from tests.cli.test_bad_study import STUDY

needs_toolchain = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc (make setup installs it)"
)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small study was interrupted once, and then run to its end."""
    folder = tmp_path_factory.mktemp("studied")
    (folder / "study.toml").write_text(
        STUDY.replace("trials = 1", "trials = 3").replace("epochs = 1", "epochs = 4")
    )
    code = "from search.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "search", "study.toml"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "trial 0" in line:
            break
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    assert process.wait() in (130, 0), "Ctrl-C ends a search in good order"
    done = hilnas("search", "study.toml", folder=folder)
    assert done.code == 0, done.err
    (folder / "search.out").write_text(done.out)
    return folder


def test_search_ends_with_the_front_its_picture_and_the_best_network(studied: Path) -> None:
    out = (studied / "search.out").read_text()
    assert "Pareto front of tiny on simulated:nrf52840_dk" in out
    assert "simulated" in out, "the origin of the figures is shown"
    assert "3 trials" in out
    study = studied / "studies" / "tiny"
    assert (study / "front.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (study / "report.html").read_text()
    for name in (
        "model.tflite",
        "model.keras",
        "c/model.c",
        "firmware/platformio.ini",
        "measurement.json",
        "README.md",
    ):
        assert (study / "best" / name).is_file(), name


def test_interrupted_search_did_nothing_twice(studied: Path) -> None:
    import sqlite3

    with sqlite3.connect(studied / "studies" / "tiny" / "study.sqlite") as connection:
        finished = connection.execute(
            "SELECT trial, stage, COUNT(*) FROM stages GROUP BY trial, stage"
        ).fetchall()
        architectures = connection.execute("SELECT architecture FROM trials").fetchall()
    assert {count for _, _, count in finished} == {1}
    assert len(set(architectures)) == 3


def test_report_can_be_written_elsewhere(studied: Path) -> None:
    done = hilnas("report", "studies/tiny", "-o", "elsewhere", folder=studied)
    assert done.code == 0, done.err
    assert (studied / "elsewhere" / "report.html").is_file()


@needs_toolchain
def test_export_writes_a_firmware_project_that_platformio_builds(studied: Path) -> None:
    from hil.toolchain import run_platformio

    done = hilnas("export", "studies/tiny", "0", "-o", "exported", folder=studied)
    assert done.code == 0, done.err
    built = run_platformio(["run", "-s"], folder=studied / "exported" / "firmware", timeout_s=300)
    assert built.returncode == 0, built.stdout + built.stderr
    assert list((studied / "exported" / "firmware").glob(".pio/build/*/firmware.elf"))


def test_export_can_leave_out_constant_channels(studied: Path) -> None:
    done = hilnas("export", "studies/tiny", "0", "-o", "lean", "--drop-constant-channels", folder=studied)
    assert done.code == 0, done.err
    assert "removed" in done.out
    lean = studied / "lean"
    assert (
        "measure model.tflite --board nrf52840_dk --drop-constant-channels"
        in (lean / "README.md").read_text()
    )
    assert (lean / "c" / "model.c").is_file()
    assert (lean / "firmware" / "platformio.ini").is_file()


def test_measure_as_json_is_clean_and_complete(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    done = hilnas(
        "measure", "m.tflite", "--device", "simulated:nrf52840_dk", "--json", "--per-layer", folder=tmp_path
    )
    assert done.code == 0, done.err
    measured = json.loads(done.out)
    assert measured["origin"]["provenance"] == "simulated"
    assert measured["energy_provenance"] == "estimated"
    assert [layer["operator"] for layer in measured["layers"]] == ["CONV_2D"]
    assert measured["output_checked"] is False


def test_a_simulated_board_does_not_claim_a_checked_output(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    done = hilnas("measure", "m.tflite", "--device", "simulated:nrf52840_dk", folder=tmp_path)
    assert "not run" in done.out
    assert "equal" not in done.out


@needs_toolchain
def test_measure_takes_a_keras_model(tmp_path: Path) -> None:
    code = (
        "import keras; m = keras.Sequential([keras.Input((8, 8, 1)), "
        "keras.layers.Conv2D(4, 3, activation='relu'), keras.layers.Flatten(), "
        "keras.layers.Dense(3, activation='softmax')]); m.save('m.keras')"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, env=environment()
    )
    done = hilnas("measure", "m.keras", "--board", "nrf52840_dk", "--per-layer", folder=tmp_path)
    assert done.code == 0, done.err
    assert "emulated" in done.out
    assert "equal" in done.out
    for chatter in ("fully_quantize", "WARNING", "absl", "cuda"):
        assert chatter not in done.err + done.out


def test_boards_lists_what_is_known(tmp_path: Path) -> None:
    listing = json.loads(hilnas("boards", "--json", folder=tmp_path).out)
    assert {"nrf52840_dk", "nano33ble"} <= {board["id"] for board in listing["boards"]}
    assert "nrf52840_dk" in hilnas("boards", folder=tmp_path).out


def test_doctor_names_the_command_that_mends_what_is_missing(tmp_path: Path) -> None:
    bare = environment(PATH=str(tmp_path), HILNAS_CACHE=str(tmp_path / "cache"))
    done = hilnas("doctor", "--json", folder=tmp_path, env=bare)
    assert done.code == 4
    findings = {finding["name"]: finding for finding in json.loads(done.out)}
    assert not findings["ARM compiler"]["ok"]
    assert "apt-get install gcc-arm-none-eabi" in findings["ARM compiler"]["remedy"]


def test_help_teaches_with_examples(tmp_path: Path) -> None:
    for command in ([], ["search"], ["measure"], ["report"], ["export"], ["boards"], ["doctor"], ["emulate"]):
        done = hilnas(*command, "--help", folder=tmp_path)
        assert done.code == 0
        assert "hilnas" in done.out
    assert "Exit codes" in hilnas("--help", folder=tmp_path).out


def test_a_bug_leaves_no_traceback_on_the_terminal_but_in_a_file(tmp_path: Path) -> None:
    code = (
        "import hil.board; hil.board.list_boards = None\n"
        "import sys; sys.argv = ['hilnas', 'boards']\n"
        "from search.cli import main; main()"
    )
    env = environment(HILNAS_CACHE=str(tmp_path / "cache"))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 70
    assert "Traceback" not in done.stderr + done.stdout
    assert "Traceback" in next((tmp_path / "cache" / "crashes").iterdir()).read_text()
