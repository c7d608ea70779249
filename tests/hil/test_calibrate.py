"""Fitting the simulator's coefficients to measurements."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from hil.analytic import cost_of
from hil.bench import BenchSettings, bench
from hil.board import OperatorCost, load_board, parse_board
from hil.calibrate import Sample, calibrate, main, to_toml, update_profile
from hil.codegen import generate
from hil.devices.simulated import SimulatedDevice
from hil.graph import read
from hil.interpreter import truth
from hil.resources import boards_dir
from tests.hil.small_models import small_cnn

BOARD = load_board("nrf52840_dk")


def measure_all(board, models):
    device = SimulatedDevice("simulated:x", board)
    measured = []
    for model in models:
        program = generate(read(model))
        image = device.build(program)
        found = bench(image, device, BenchSettings(per_layer=True), truth(program.graph))
        measured.append(Sample(program.graph, found))
    return measured


def with_cycles(sample, cycles):
    layers = tuple(replace(layer, cycles=cycles(layer)) for layer in sample.measured.layers)
    return Sample(sample.graph, replace(sample.measured, layers=layers))


@pytest.fixture(scope="module")
def measurements():
    return measure_all(BOARD, [small_cnn(filters=n) for n in (2, 3, 4, 8, 12)])


def test_finds_the_coefficients_that_made_the_cycles(measurements):
    found = calibrate(measurements).simulator.operators
    for layer in measurements[-1].measured.layers:
        cost = found.get(layer.variant) or found[layer.operator]
        true = cost_of(BOARD, layer.operator, layer.variant)
        outputs = np.prod(layer.output_shape)
        assert cost.fixed + cost.per_mac * layer.macs + cost.per_output * outputs == pytest.approx(
            true.fixed + true.per_mac * layer.macs + true.per_output * outputs, abs=1
        )


def test_models_left_out_are_predicted(measurements):
    assert max(abs(error) for error in calibrate(measurements).errors) < 0.001


def test_error_is_that_of_the_model_left_out(measurements):
    slow = with_cycles(measurements[2], lambda layer: layer.cycles * 2)
    errors = calibrate([*measurements[:2], slow, *measurements[3:]]).errors
    assert errors[2] == pytest.approx(-0.5, abs=0.02)


def test_coefficients_are_never_negative(measurements):
    rng = np.random.default_rng(3)
    noisy = [with_cycles(sample, lambda layer: int(rng.integers(1, 10**6))) for sample in measurements]
    for cost in calibrate(noisy).simulator.operators.values():
        assert min(cost.fixed, cost.per_mac, cost.per_output) >= 0


def test_layers_that_cost_nothing_fit_to_nothing(measurements):
    free = [with_cycles(s, lambda one: one.cycles if one.macs else 0) for s in measurements]
    assert calibrate(free).simulator.operators["RESHAPE"] == OperatorCost(0, 0, 0)


def test_needs_two_measurements_with_layers(measurements):
    with pytest.raises(ValueError, match="two or more"):
        calibrate(measurements[:1])
    bare = replace(measurements[1].measured, layers=())
    with pytest.raises(ValueError, match="with layers"):
        calibrate([measurements[0], Sample(measurements[1].graph, bare)])


def test_profile_is_updated_in_place(measurements):
    calibration = calibrate(measurements)
    tables = to_toml(calibration, "emulated:x over 5 models")
    profile = (boards_dir() / "nrf52840_dk.toml").read_text()
    updated = update_profile(profile, tables)
    board = parse_board(updated, board_id="nrf52840_dk", where="x")
    assert board.simulator.code_bytes == BOARD.simulator.code_bytes
    assert board.simulator.operators["CONV_2D"].per_mac == pytest.approx(
        calibration.simulator.operators["CONV_2D"].per_mac, abs=0.001
    )
    assert "emulated:x over 5 models" in board.sources["simulator"]
    assert update_profile(updated, tables) == updated
    same = {"simulator": None, "sources": None, "digest": None}
    assert {**vars(board), **same} == {**vars(BOARD), **same}
    assert {**board.sources, "simulator": ""} == {**BOARD.sources, "simulator": ""}


def test_result_is_written_into_the_profile(tmp_path, capsys):
    profile = tmp_path / "mine.toml"
    profile.write_text((boards_dir() / "nrf52840_dk.toml").read_text())
    models = []
    for filters in (2, 4, 8):
        models.append(str(tmp_path / f"{filters}.tflite"))
        (tmp_path / f"{filters}.tflite").write_bytes(small_cnn(filters=filters))
    assert main(["--device", "simulated:nrf52840_dk", "--write", str(profile), *models]) == 0
    assert "over 3 models" in load_board(profile).sources["simulator"]


def test_command_line_prints_tables_and_errors(tmp_path, capsys):
    for filters in (2, 4, 8):
        (tmp_path / f"{filters}.tflite").write_bytes(small_cnn(filters=filters))
    models = [str(path) for path in sorted(tmp_path.glob("*.tflite"))]
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing")
    assert main(["--device", "simulated:nrf52840_dk", *models, str(broken)]) == 0
    printed = capsys.readouterr()
    assert "CONV_2D" in tomllib.loads(printed.out)["simulator"]["operators"]
    assert "broken.tflite: skipped" in printed.err
    assert "8.tflite: left out, predicted" in printed.err


def test_command_line_with_too_little_to_fit_to(tmp_path, capsys):
    paths = []
    for name in ("a.tflite", "b.tflite"):
        paths.append(str(tmp_path / name))
        (tmp_path / name).write_bytes(b"nothing")
    assert main(["--device", "simulated:nrf52840_dk", *paths]) == 1
    assert "fewer than two" in capsys.readouterr().err


def test_each_kernel_has_its_own_cost(measurements):
    """Layers that another kernel serves are not mixed; rare kernels take their operator's cost."""

    def served(sample, index):
        layers = tuple(
            replace(layer, variant="fast", cycles=layer.cycles // 4)
            if layer.operator == "CONV_2D" and index % 2
            else layer
            for layer in sample.measured.layers
        )
        return Sample(sample.graph, replace(sample.measured, layers=layers))

    samples = [served(sample, index) for index, sample in enumerate(measurements * 2)]
    costs = calibrate(samples).simulator.operators
    slow = next(layer.variant for layer in measurements[0].measured.layers if layer.operator == "CONV_2D")
    assert costs["fast"].per_mac == pytest.approx(costs[slow].per_mac / 4, rel=0.05)
    assert "fast" not in calibrate(samples[:5]).simulator.operators
