"""`hil.measure`: from a model in any form to a Measurement."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.bench import BenchSettings
from hil.board import load_board
from hil.devices.simulated import SimulatedDevice
from hil.errors import BadDevice, BadModel, DoesNotFit, QuantizationFailed, UnknownBoard
from hil.graph import read
from tests.hil.small_models import small_cnn

DEVICE = "simulated:nrf52840_dk"
BOARD = load_board("nrf52840_dk")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(small_cnn())
    return path


def test_path_bytes_and_graph_give_the_same(path):
    forms = [path, str(path), path.read_bytes(), read(path)]
    cycles = {hil.measure(form, device=DEVICE).cycles for form in forms}
    assert len(cycles) == 1


def test_all_stages_are_timed(path):
    stages = hil.measure(path, device=DEVICE, per_layer=True).stages_s
    assert set(stages) == {"graph", "codegen", "build", "flash", "connect", "run", "profile", "check"}
    assert all(seconds >= 0 for seconds in stages.values())


def test_layers_on_request(path):
    assert hil.measure(path, device=DEVICE).layers == ()
    assert len(hil.measure(path, device=DEVICE, per_layer=True).layers) == 4
    assert len(hil.measure(path, device=DEVICE, settings=BenchSettings(per_layer=True)).layers) == 4


def test_settings_are_kept_and_stand_in_the_origin(path):
    measured = hil.measure(path, device=DEVICE, settings=BenchSettings(min_runs=5), per_layer=True)
    assert measured.runs == 5
    assert measured.origin.settings["min_runs"] == 5
    assert "random_ranges" not in measured.origin.settings


class Counts(SimulatedDevice):
    closed = 0

    def close(self) -> None:
        self.closed += 1
        super().close()


def test_own_device_stays_open(path):
    device = Counts(DEVICE, BOARD)
    hil.measure(path, device=device)
    hil.measure(path, device=device)
    assert device.closed == 0


def test_named_device_is_closed(path, monkeypatch):
    device = Counts(DEVICE, BOARD)
    monkeypatch.setattr("hil.api.open_device", lambda text, board: device)
    hil.measure(path, device=DEVICE)
    assert device.closed == 1
    with pytest.raises(BadModel):
        hil.measure(b"nothing", device=DEVICE)
    assert device.closed == 2


def test_device_is_asked_for_before_the_model_is_read(tmp_path):
    absent = tmp_path / "absent.tflite"
    with pytest.raises(UnknownBoard):
        hil.measure(absent, device="simulated:nrf52841_dk")
    with pytest.raises(BadDevice):
        hil.measure(absent, device="simulatd:nrf52840_dk")
    with pytest.raises(BadModel, match=r"absent\.tflite"):
        hil.measure(absent, device=DEVICE)


def test_what_does_not_fit_is_never_run(path):
    small = replace(BOARD, ram=replace(BOARD.ram, size_bytes=6200))
    device = SimulatedDevice("simulated:small", small)
    with pytest.raises(DoesNotFit) as caught:
        hil.measure(path, device=device)
    assert caught.value.resource == "ram"
    with pytest.raises(Exception, match="nothing was flashed"):
        device.connect()


def test_compile_model_gives_sources_and_plan(path):
    program = hil.compile_model(path)
    assert "model.c" in program.sources
    assert program.plan.arena_bytes > 0
    assert program.digest == read(path).digest


def test_public_names_are_there():
    for name in hil.__all__:
        assert getattr(hil, name) is not None
    assert set(hil.__all__) <= set(dir(hil))
    with pytest.raises(AttributeError, match="measur"):
        hil.measur  # noqa: B018


def test_import_loads_nothing_heavy():
    code = "import sys, hil; print([m for m in sys.modules if m.split('.')[0] in {heavy}])".replace(
        "{heavy}", "{'numpy', 'tensorflow', 'keras', 'pydantic', 'serial', 'unicorn', 'rich'}"
    )
    root = Path(hil.__file__).parent.parent
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert loaded.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def keras_model():
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="stem"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax", name="head"),
        ]
    )


def test_keras_model_without_data_says_that_its_ranges_are_random(keras_model):
    measured = hil.measure(keras_model, device=DEVICE, per_layer=True)
    assert measured.origin.settings["random_ranges"] == 1.0
    assert "quantize" in measured.stages_s
    assert measured.macs == 6 * 6 * 4 * 9 + 144 * 3
    assert any("stem" in layer.layer for layer in measured.layers)


def test_keras_file_gives_what_the_model_gives(keras_model, tmp_path):
    path = tmp_path / "model.keras"
    keras_model.save(path)
    assert hil.measure(path, device=DEVICE).cycles == hil.measure(keras_model, device=DEVICE).cycles


def test_representative_data_is_taken(keras_model):
    data = np.random.default_rng(2).uniform(0, 1, (8, 8, 8, 1))
    measured = hil.measure(keras_model, device=DEVICE, representative=data)
    assert "random_ranges" not in measured.origin.settings


def test_model_without_a_shape_asks_for_data(keras_model):
    keras = pytest.importorskip("keras")
    free = keras.Sequential([keras.Input((None, 8, 1)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(QuantizationFailed) as caught:
        hil.measure(free, device=DEVICE)
    assert "representative" in caught.value.remedy


def test_something_else_is_no_model():
    with pytest.raises(BadModel, match="int"):
        hil.measure(3, device=DEVICE)


def test_missing_keras_file_is_told(tmp_path):
    with pytest.raises(BadModel, match=r"absent\.keras"):
        hil.measure(tmp_path / "absent.keras", device=DEVICE)
