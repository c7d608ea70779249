"""INA219 and INA226 as the host reads them from the firmware, the emulated supply, the estimate, names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from hil.board import load_board
from hil.errors import BadDevice, MeterError
from hil.measurement import Energy, Provenance
from hil.meters.choose import METERS, open_meter
from hil.meters.emulated import EmulatedRecorder
from hil.meters.estimate import Estimate
from hil.meters.metering import Metering
from hil.meters.power_sensor import INA219, INA226, PowerSensorMeter, SensorKind
from hil.meters.streaming import StreamingMeter
from hil.protocol import RanWindow, Sensor
from hil.testing.meter_suite import EnergyMeter, MeterOf, MeterSuite, PretendBoard, Scene

SHUNT_OHM = 1.0


@dataclass
class SensedBoard(PretendBoard):
    """A PretendBoard whose firmware reads a sensor as hil_power_sensor.c does."""

    kind: SensorKind = INA226
    _sums: tuple[int, int] = field(default=(0, 0))

    def start_sensor(self, kind: int, address: int) -> Sensor:
        assert (kind, address) == (self.kind.number, 0x40)
        self._sums = (0, 0)
        return Sensor(0, 0, round(self.scene.voltage_v / self.kind.bus_step_v))

    def run_window(self, inferences: int) -> RanWindow:
        ran = super().run_window(inferences)
        active = self.scene.active_a
        self._sums = (
            int(self.scene.window_s / self.kind.result_s),
            round(sum(active) / len(active) * SHUNT_OHM / self.kind.shunt_step_v),
        )
        return ran

    def read_sensor(self) -> Sensor:
        samples, raw = self._sums
        if not samples and not self.scene.window_s:
            samples, raw = 1, round(self.scene.idle_a * SHUNT_OHM / self.kind.shunt_step_v)
        bus = round(self.scene.voltage_v / self.kind.bus_step_v)
        return Sensor(samples, samples * raw, bus)


class SensorSuite(MeterSuite):
    sees_trigger = False
    loses_samples = False
    inferences = 400
    kind: SensorKind

    @pytest.fixture
    def meter_of(self, monkeypatch: pytest.MonkeyPatch) -> MeterOf:
        monkeypatch.setattr("hil.meters.power_sensor.time.sleep", lambda seconds: None)
        return lambda scene: PowerSensorMeter(self.kind, shunt_ohm=SHUNT_OHM)

    @pytest.fixture
    def pretend(self, scene: Scene) -> PretendBoard:
        return SensedBoard(scene, kind=self.kind)

    def test_a_window_without_a_result_is_refused(self, meter_of: MeterOf, scene: Scene) -> None:
        scene.latency_s = 1e-5
        with pytest.raises(MeterError, match="no result"):
            self.measure(meter_of(scene), SensedBoard(scene, kind=self.kind))


class TestIna226(SensorSuite):
    kind = INA226

    def test_uncertainty_is_that_of_shunt_and_sensor(self, meter_of: MeterOf, scene: Scene) -> None:
        energy = self.measure(meter_of(scene), SensedBoard(scene))
        offset = 10e-6 / SHUNT_OHM / 0.005
        coverage = energy.samples * INA226.result_s / energy.window_s
        parts = (0.001 + 0.01, offset, 0.001 + 1.25e-3 / 2 / 3.0, (1 - coverage) / 2)
        expected = 2 * sum(part**2 for part in parts) ** 0.5 / 3**0.5
        assert energy.uncertainty_uj / energy.energy_uj == pytest.approx(expected)  # type: ignore[operator]


class TestIna219(SensorSuite):
    kind = INA219


class TestEmulated(MeterSuite):
    """The currents of the scene are those of the profile, as the emulated supply takes them from there."""

    sees_steps = False
    loses_samples = False

    @pytest.fixture
    def meter_of(self) -> MeterOf:
        return lambda scene: StreamingMeter(EmulatedRecorder())

    @pytest.fixture
    def pretend(self, scene: Scene) -> PretendBoard:
        board = load_board("nrf52840_dk")
        assert board.power is not None
        power = replace(board.power, voltage_v=3.0, active_current_a=0.005, idle_current_a=0.001)
        return PretendBoard(scene, board=replace(board, power=power))

    def test_idle_current_that_the_profile_does_not_tell_is_not_made_up(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        assert pretend.board.power is not None
        power = replace(pretend.board.power, idle_current_a=None)
        pretend.board = replace(pretend.board, power=power)
        assert self.measure(meter_of(scene), pretend).idle_current_a is None
        with pytest.raises(MeterError, match="idle"):
            self.measure(meter_of(scene), pretend, subtract_idle=True)


class TestMetering:
    def measured(self, latency_s: float, told_s: float, meter: EnergyMeter | None = None) -> Energy:
        """Of a board whose inferences take `latency_s` back to back, and `told_s` one by one."""
        scene = Scene(active_a=(0.005,), latency_s=latency_s)
        board = PretendBoard(scene)
        metering = Metering(meter or StreamingMeter(EmulatedRecorder()))
        metering.open(board)
        info = SimpleNamespace(clock_hz=board.clock_hz)

        class Line:
            def write_input(self, data: bytes) -> None:
                assert data == b"input"

            def run_window(self, inferences: int, *, expected_s: float, timeout_s: float) -> RanWindow:
                assert timeout_s > expected_s
                return board.run_window(inferences)

        cycles = round(told_s * board.clock_hz)
        return metering.measure(Line(), info, board, Provenance.EMULATED, cycles, b"input")  # type: ignore[arg-type]

    @pytest.mark.parametrize("latency_s", [0.0007, 0.03, 0.6])
    def test_window_holds_ten_inferences_and_one_second(self, latency_s: float) -> None:
        energy = self.measured(latency_s, latency_s)
        assert energy.inferences >= 10
        assert energy.window_s >= 1.0

    def test_window_that_turns_out_too_short_is_run_again(self) -> None:
        assert self.measured(latency_s=0.01, told_s=0.02).window_s >= 1.0


class TestEstimate:
    def test_is_voltage_times_current_times_latency(self) -> None:
        board = PretendBoard(Scene())
        power = board.board.power
        assert power is not None
        energy = Estimate().measure(board, 10, subtract_idle=False)
        assert energy.energy_uj == pytest.approx(power.voltage_v * power.active_current_a * 0.01 * 1e6)
        assert energy.provenance is Provenance.ESTIMATED
        assert energy.uncertainty_uj is None
        assert energy.samples == 0

    def test_without_figures_in_the_profile_is_refused(self) -> None:
        board = PretendBoard(Scene())
        board.board = replace(board.board, power=None)
        for meter in ("estimate", "emulated"):
            with pytest.raises(BadDevice):
                open_meter(meter).open(board)

    def test_idle_current_that_the_profile_does_not_tell_is_not_subtracted(self) -> None:
        board = PretendBoard(Scene())
        assert board.board.power is not None
        board.board = replace(board.board, power=replace(board.board.power, idle_current_a=None))
        with pytest.raises(BadDevice, match="subtracted"):
            Estimate().measure(board, 10, subtract_idle=True)


class TestNames:
    @pytest.mark.parametrize("name", METERS)
    def test_each_kind_is_called_by_its_name_and_opens_nothing(self, name: str) -> None:
        meter: EnergyMeter = open_meter(name)
        assert meter.name == name
        meter.close()

    def test_options(self) -> None:
        sensor = open_meter("ina226:shunt=0.05,tolerance=0.001,address=0x45")
        assert isinstance(sensor, PowerSensorMeter)
        assert (sensor.shunt_ohm, sensor.tolerance, sensor.address) == (0.05, 0.001, 0x45)

    @pytest.mark.parametrize(
        ("text", "remedy"),
        [
            ("ppk", "did you mean ppk2"),
            ("ina226:shont=0.1", "did you mean shunt"),
            ("ina226:shunt=one", "NUMBER"),
            ("ppk2:/dev/a,/dev/b", "name one"),
        ],
    )
    def test_what_cannot_be_read_is_told_with_what_was_meant(self, text: str, remedy: str) -> None:
        with pytest.raises(BadDevice) as caught:
            open_meter(text)
        assert remedy in str(caught.value.remedy)

    def test_emulated_meter_is_for_emulated_boards(self) -> None:
        from hil.devices import open_device

        with pytest.raises(BadDevice, match="no supply"):
            open_meter("emulated").open(open_device("simulated:nrf52840_dk"))
