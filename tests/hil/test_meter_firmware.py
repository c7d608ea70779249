"""The whole path on the emulated board: the firmware's window, trigger and I2C driver, meter, figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.api import measure
from hil.board import Board, load_board
from hil.devices.emulated import EmulatedDevice
from hil.errors import BadDevice, DeviceRefused, InputError, MissingTrigger
from hil.measurement import Provenance
from hil.meters.choose import open_meter, with_sensor_driver
from hil.meters.emulated import EmulatedRecorder
from hil.meters.streaming import StreamingMeter
from hil.meters.text import metered
from hil.protocol import ErrorCode
from tests.hil.small_models import small_cnn
from tests.support.firmware import needs_toolchain

pytestmark = needs_toolchain

ACTIVE_A, IDLE_A, VOLTAGE_V = 0.004, 0.0005, 3.0


def board() -> Board:
    """The DK with round figures of power."""
    profile = load_board("nrf52840_dk")
    assert profile.power is not None
    power = replace(profile.power, voltage_v=VOLTAGE_V, active_current_a=ACTIVE_A, idle_current_a=IDLE_A)
    return replace(profile, power=power)


def device(of: Board | None = None) -> EmulatedDevice:
    return EmulatedDevice("emulated:nrf52840_dk", of or board())


def test_emulated_supply_is_integrated_between_the_edges_that_the_firmware_makes() -> None:
    m = measure(small_cnn(), device=device(), meter="emulated", subtract_idle=True)
    energy = m.energy
    assert energy is not None
    truth_uj = VOLTAGE_V * (ACTIVE_A - IDLE_A) * m.latency_us
    assert m.energy_uj == energy.energy_uj == pytest.approx(truth_uj, rel=0.01)
    assert m.energy_provenance is energy.provenance is Provenance.EMULATED
    assert energy.window_s >= 1.0
    assert energy.inferences >= 10
    assert energy.idle_current_a == pytest.approx(IDLE_A)
    assert energy.input_restored
    assert m.check.passed
    assert "idle 500 uA, subtracted" in metered(energy)


def test_sensor_is_read_by_the_firmware_itself() -> None:
    m = measure(small_cnn(), device=device(with_sensor_driver(board())), meter="ina226:shunt=0.1")
    energy = m.energy
    assert energy is not None
    step_a = 2.5e-6 / 0.1
    assert energy.current_a == pytest.approx(ACTIVE_A, abs=step_a)
    assert energy.voltage_v == pytest.approx(VOLTAGE_V, abs=0.00125)
    assert energy.energy_uj == pytest.approx(VOLTAGE_V * energy.current_a * m.latency_us, rel=0.01)
    assert energy.provenance is Provenance.EMULATED
    assert energy.samples * 0.0704 > 0.95 * energy.window_s
    assert energy.samples > 40


def test_board_by_name_is_built_with_the_driver_that_its_meter_needs() -> None:
    m = measure(small_cnn(), device="emulated:nrf52840_dk", meter="ina219:address=0x41")
    power = load_board("nrf52840_dk").power
    assert m.energy is not None
    assert power is not None
    assert m.energy.meter == "ina219"
    assert m.energy.current_a == pytest.approx(power.active_current_a, abs=100e-6)
    assert m.energy.samples * 0.0681 > 0.95 * m.energy.window_s


def test_board_built_without_the_driver_says_how_to_get_it() -> None:
    with pytest.raises(DeviceRefused) as caught:
        measure(small_cnn(), device=device(), meter="ina226")
    assert caught.value.code == ErrorCode.NO_SENSOR
    assert "--meter ina226" in str(caught.value.remedy)


def test_address_where_nothing_listens_is_refused() -> None:
    with pytest.raises(DeviceRefused, match="does not answer"):
        measure(small_cnn(), device=device(with_sensor_driver(board())), meter="ina226:address=0x44")


def test_trigger_that_does_not_arrive_is_refused() -> None:
    class Unplugged(EmulatedRecorder):
        def _edges(self) -> list[tuple[int, bool]]:
            return []

    with pytest.raises(MissingTrigger) as caught:
        measure(small_cnn(), device=device(), meter=StreamingMeter(Unplugged()))
    assert "Nordic nRF52840 DK" in caught.value.wire


def test_simulated_board_has_nothing_to_meter() -> None:
    with pytest.raises(BadDevice, match="no supply"):
        measure(small_cnn(), device="simulated:nrf52840_dk", meter="emulated")


def test_estimate_by_name_is_labelled_so() -> None:
    m = measure(small_cnn(), device="simulated:nrf52840_dk", meter="estimate")
    plain = measure(small_cnn(), device="simulated:nrf52840_dk")
    assert m.energy_uj == pytest.approx(plain.energy_uj)
    assert m.energy_provenance is plain.energy_provenance is Provenance.ESTIMATED
    assert plain.energy is None


def test_idle_is_not_subtracted_from_nothing() -> None:
    with pytest.raises(InputError, match="without a meter"):
        measure(small_cnn(), device="simulated:nrf52840_dk", subtract_idle=True)


def test_meter_stays_open_where_it_was_handed_in() -> None:
    meter = open_meter("emulated")
    for _ in range(2):
        m = measure(small_cnn(), device=device(), meter=meter)
        assert m.energy is not None
    meter.close()
