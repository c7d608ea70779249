"""The simulated board: the conformance suite, and the analytic model behind it."""

from dataclasses import replace

import pytest

from hil.analytic import model_cycles, operator_cycles
from hil.bench import BenchSettings, bench
from hil.board import load_board
from hil.codegen import generate
from hil.devices.simulated import SimulatedDevice
from hil.errors import DeviceError, DoesNotFit
from hil.fit import arena_peak, check_fit
from hil.graph import read
from hil.interpreter import truth
from hil.macs import model_macs, operator_macs
from hil.measurement import Provenance
from hil.testing.device_suite import DeviceSuite
from tests.hil.small_models import small_cnn

BOARD = load_board("nrf52840_dk")


class TestSimulatedDevice(DeviceSuite):
    @pytest.fixture
    def device_of(self):
        return lambda board: SimulatedDevice(f"simulated:{board.id}", board)

    @pytest.fixture
    def board(self):
        return BOARD

    @pytest.fixture
    def model(self):
        return small_cnn()

    @pytest.fixture
    def other_model(self):
        return small_cnn(seed=2)


@pytest.fixture
def program():
    return generate(read(small_cnn()))


def test_figures_are_labelled_simulated(program):
    device = SimulatedDevice("simulated:nrf52840_dk", BOARD)
    measured = bench(device.build(program), device, BenchSettings(), truth(program.graph))
    assert measured.origin.provenance is Provenance.SIMULATED
    assert measured.instructions is None
    assert measured.origin.clock_hz == BOARD.core.clock_hz
    assert measured.origin.instruction_cache is True


def test_cycles_follow_the_profile(program):
    graph = program.graph
    conv = next(op for op in graph.operators if op.name == "CONV_2D")
    cost = BOARD.simulator.operators["CONV_2D"]
    assert operator_macs(graph, conv) == 8 * 8 * 4 * 3 * 3 * 2
    assert operator_cycles(BOARD, graph, conv) == round(
        cost.fixed + cost.per_mac * 8 * 8 * 4 * 3 * 3 * 2 + cost.per_output * 8 * 8 * 4
    )


def test_operator_without_coefficients_costs_the_default(program):
    only = {"DEFAULT": replace(BOARD.simulator.operators["DEFAULT"], fixed=7, per_mac=0, per_output=0)}
    board = replace(BOARD, simulator=replace(BOARD.simulator, operators=only))
    assert model_cycles(board, program) == (7,) * len(program.graph.operators)


def test_macs_of_each_kind(program):
    graph = program.graph
    macs = {op.name: operator_macs(graph, op) for op in graph.operators}
    assert macs["DEPTHWISE_CONV_2D"] == 8 * 8 * 4 * 3 * 3
    assert macs["FULLY_CONNECTED"] == 256 * 5
    assert macs["RESHAPE"] == 0
    assert model_macs(graph) == sum(macs.values())


def test_layers_add_up_exactly(program):
    device = SimulatedDevice("simulated:nrf52840_dk", BOARD)
    measured = bench(device.build(program), device, BenchSettings(per_layer=True), truth(program.graph))
    assert tuple(layer.cycles for layer in measured.layers) == model_cycles(BOARD, program)
    assert sum(layer.cycles for layer in measured.layers) == measured.cycles


def test_image_digest_follows_the_profile(program):
    other = replace(BOARD, digest="00" * 32)
    first = SimulatedDevice("simulated:a", BOARD).build(program)
    second = SimulatedDevice("simulated:a", other).build(program)
    assert first.digest != second.digest


def test_nothing_answers_before_a_flash():
    with pytest.raises(DeviceError, match="nothing was flashed"):
        SimulatedDevice("simulated:nrf52840_dk", BOARD).connect()


def test_image_of_another_board_is_refused(program):
    image = SimulatedDevice("simulated:nano33ble", load_board("nano33ble")).build(program)
    with pytest.raises(DeviceError, match="nano33ble"):
        SimulatedDevice("simulated:nrf52840_dk", BOARD).flash(image, timeout_s=1)


def fit(**needs):
    sizes = {"arena_bytes": 0, "static_bytes": 0, "stack_bytes": 0, "code_bytes": 0, "weight_bytes": 0}
    check_fit(BOARD, **{**sizes, **needs}, peak="CONV_2D 'stem' (arena peak)")


def test_what_just_fits_fits():
    fit(arena_bytes=BOARD.ram.size_bytes - 5000, static_bytes=904, stack_bytes=4096)
    fit(code_bytes=1, weight_bytes=BOARD.flash.size_bytes - 1)


@pytest.mark.parametrize(
    ("needs", "resource", "by"),
    [
        ({"arena_bytes": 300_000, "static_bytes": 1000}, "ram", "CONV_2D 'stem' (arena peak)"),
        ({"static_bytes": 200_000, "arena_bytes": 100_000}, "ram", "static data"),
        ({"stack_bytes": 300_000}, "ram", "stack"),
        ({"weight_bytes": 2_000_000, "code_bytes": 20_000}, "flash", "weights"),
        ({"code_bytes": 2_000_000}, "flash", "code"),
    ],
)
def test_what_does_not_fit_says_why(needs, resource, by):
    with pytest.raises(DoesNotFit) as caught:
        fit(**needs)
    error = caught.value
    assert error.resource == resource
    assert error.needed_bytes == sum(needs.values())
    assert error.available_bytes == getattr(BOARD, resource).size_bytes
    assert by in error.by


def test_peak_names_operator_and_layer(program):
    text = arena_peak(program)
    operator = program.graph.operators[program.plan.peak_operator]
    assert operator.name in text
    assert operator.layer in text
