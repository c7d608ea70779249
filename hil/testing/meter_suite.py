"""What every energy meter has to do: a suite of tests to inherit from.

    class TestMyMeter(MeterSuite):
        @pytest.fixture
        def meter_of(self):
            return lambda scene: StreamingMeter(MyRecorder(driver=PretendDriver(scene)))

`meter_of` makes a meter that is wired to a pretended board: it meters whatever its Scene tells, in the data
format of the instrument's own driver.  The suite never runs a real board, and needs only pytest beside hil.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import pytest

from hil.board import Board, load_board
from hil.device import Device, Transport
from hil.errors import DeviceTimeout, LostSamples, MissingTrigger
from hil.image import Image
from hil.measurement import Energy, Provenance
from hil.meters.types import EnergyMeter
from hil.program import Program
from hil.protocol import RanWindow, Sensor

CLOCK_HZ = 64_000_000


@dataclass
class Scene:
    """A pretended board at a meter.

    Attributes:
        active_a: current of an inference, in steps of equal length.
        idle_a: current outside of the window.
        voltage_v: of its supply.
        latency_s: of one inference.
        trigger_wired: whether the trigger reaches the meter.
        lost: samples that the meter loses in the middle of the window.
        window_s: how long the last window took; 0.0 before the first.
        on_window: called when a window has been run: the instrument that is wired to the board takes it in.
    """

    active_a: tuple[float, ...] = (0.006, 0.004)
    idle_a: float = 0.001
    voltage_v: float = 3.0
    latency_s: float = 0.01
    trigger_wired: bool = True
    lost: int = 0
    window_s: float = 0.0
    on_window: Callable[[], None] = field(default=lambda: None, repr=False)

    @property
    def energy_uj(self) -> float:
        """Of one inference."""
        return self.voltage_v * sum(self.active_a) / len(self.active_a) * self.latency_s * 1e6


MeterOf: TypeAlias = Callable[[Scene], EnergyMeter]


@dataclass
class PretendBoard:
    """A MeteredBoard that runs nothing, and a Device as far as a meter looks at it.

    Attributes:
        fails: whether the next window ends in a DeviceTimeout.
    """

    scene: Scene
    provenance: Provenance = Provenance.HARDWARE
    name: str = "pretended:nrf52840_dk"
    board: Board = field(default_factory=lambda: load_board("nrf52840_dk"))
    clock_hz: int = CLOCK_HZ
    fails: bool = False

    @property
    def latency_s(self) -> float:
        return self.scene.latency_s

    def run_window(self, inferences: int) -> RanWindow:
        """The window, as the meter will have seen it."""
        if self.fails:
            raise DeviceTimeout("no answer", device=self.name)
        self.scene.window_s = inferences * self.scene.latency_s
        self.scene.on_window()
        cycles = round(self.scene.window_s * self.clock_hz)
        return RanWindow(inferences, cycles, cycles, input_restored=1)

    # An instrument beside the board asks nothing of a sensor on it.

    def start_sensor(self, kind: int, address: int) -> Sensor:
        raise NotImplementedError

    def read_sensor(self) -> Sensor:
        raise NotImplementedError

    # As a Device, whose trigger may be looked at; meters ask for no more of it.

    def trigger_edges(self) -> list[tuple[int, bool]]:
        if not self.scene.trigger_wired or not self.scene.window_s:
            return []
        return [(0, True), (round(self.scene.window_s * self.clock_hz), False)]

    def build(self, program: Program) -> Image:
        raise NotImplementedError

    def flash(self, image: Image, *, timeout_s: float) -> None:
        raise NotImplementedError

    def connect(self) -> Transport:
        raise NotImplementedError

    def instructions(self) -> int | None:
        return None

    def close(self) -> None:
        """Nothing to let go of."""


class MeterSuite:
    """Inherit, and give the fixture `meter_of` (see the module).

    Attributes:
        sees_trigger: whether the meter finds the window by the trigger.
        sees_steps: whether it meters currents that change within an inference.
        loses_samples: whether it can lose samples.
        provenance: of its figures of a real board.
    """

    sees_trigger = True
    sees_steps = True
    loses_samples = True
    provenance = Provenance.HARDWARE
    inferences = 10

    @pytest.fixture
    def scene(self) -> Scene:
        return Scene() if self.sees_steps else Scene(active_a=(0.005,))

    @pytest.fixture
    def pretend(self, scene: Scene) -> PretendBoard:
        """The board under the meter."""
        return PretendBoard(scene)

    def measure(self, meter: EnergyMeter, pretend: PretendBoard, *, subtract_idle: bool = False) -> Energy:
        """One measurement from opening to closing."""
        device: Device = pretend
        meter.open(device)
        try:
            return meter.measure(pretend, self.inferences, subtract_idle=subtract_idle)
        finally:
            meter.close()

    def test_known_energy_is_found_to_within_one_per_cent(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        energy = self.measure(meter_of(scene), pretend)
        assert energy.energy_uj == pytest.approx(scene.energy_uj, rel=0.01)

    def test_figure_carries_what_it_rests_on(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        meter = meter_of(scene)
        energy = self.measure(meter, pretend)
        assert energy.meter == meter.name
        assert energy.voltage_v == pytest.approx(scene.voltage_v, rel=0.01)
        assert energy.window_s == pytest.approx(self.inferences * scene.latency_s, rel=0.01)
        assert energy.inferences == self.inferences
        assert energy.samples > 0
        assert energy.uncertainty_uj is not None
        # It covers 95 %; a rectangular distribution ends at 87 % of it, two edges at 141 % of it.
        assert abs(energy.energy_uj - scene.energy_uj) <= 1.5 * energy.uncertainty_uj
        assert not energy.idle_subtracted

    def test_is_worth_what_the_board_is_worth(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        assert self.measure(meter_of(scene), pretend).provenance is self.provenance
        emulated = replace(pretend, provenance=Provenance.EMULATED)
        assert self.measure(meter_of(scene), emulated).provenance is Provenance.EMULATED

    def test_idle_current_is_subtracted_on_request(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        energy = self.measure(meter_of(scene), pretend, subtract_idle=True)
        idle_uj = scene.voltage_v * scene.idle_a * scene.latency_s * 1e6
        assert energy.idle_subtracted
        assert energy.idle_current_a == pytest.approx(scene.idle_a, rel=0.01)
        assert energy.energy_uj == pytest.approx(scene.energy_uj - idle_uj, rel=0.01)

    def test_missing_trigger_is_refused_and_the_wire_named(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        if not self.sees_trigger:
            pytest.skip("finds the window without the trigger")
        scene.trigger_wired = False
        with pytest.raises(MissingTrigger) as caught:
            self.measure(meter_of(scene), pretend)
        assert "trigger pin" in caught.value.wire
        assert caught.value.wire in str(caught.value.remedy)

    def test_few_lost_samples_are_counted(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        if not self.loses_samples:
            pytest.skip("loses nothing")
        scene.lost = 40
        energy = self.measure(meter_of(scene), pretend)
        assert energy.lost_samples == scene.lost
        assert energy.energy_uj == pytest.approx(scene.energy_uj, rel=0.01)

    def test_many_lost_samples_are_refused(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        if not self.loses_samples:
            pytest.skip("loses nothing")
        scene.lost = 5000
        with pytest.raises(LostSamples):
            self.measure(meter_of(scene), pretend)

    def test_measures_again_after_the_board_has_failed(
        self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard
    ) -> None:
        meter = meter_of(scene)
        pretend.fails = True
        with pytest.raises(DeviceTimeout):
            self.measure(meter, pretend)
        pretend.fails = False
        assert self.measure(meter, pretend).energy_uj == pytest.approx(scene.energy_uj, rel=0.01)

    def test_closing_twice_is_harmless(self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard) -> None:
        meter = meter_of(scene)
        self.measure(meter, pretend)
        meter.close()

    def test_figure_is_plain_data(self, meter_of: MeterOf, scene: Scene, pretend: PretendBoard) -> None:
        from hil.measurement_json import energy_from_dict, energy_to_dict

        energy = self.measure(meter_of(scene), pretend)
        assert energy_from_dict(json.loads(json.dumps(energy_to_dict(energy)))) == energy
