"""The PPK2 through its real driver, fed with the bytes of a pretended instrument."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.errors import LostSamples, MeterError, ToolMissing
from hil.meters.integrate import integrate
from hil.meters.ppk2 import Ppk2Recorder, decode
from hil.meters.recording import Accuracy
from hil.meters.streaming import StreamingMeter
from hil.testing.meter_suite import MeterOf, MeterSuite, PretendBoard, Scene
from tests.support.pretend_ppk2 import RATE_HZ, PretendPpk2, stream

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

PERFECT = Accuracy(0.0, 0.0, 0.0, "test")


class TestPpk2(MeterSuite):
    @pytest.fixture
    def meter_of(self) -> Iterator[MeterOf]:
        pytest.importorskip("ppk2_api", reason="needs pip install 'hilnas[ppk2]'")
        opened: list[PretendPpk2] = []

        def make(scene: Scene) -> StreamingMeter:
            opened.append(PretendPpk2(scene))
            return StreamingMeter(Ppk2Recorder(opened[-1].port, lead_s=0.0))

        yield make
        for instrument in opened:
            instrument.close()

    def test_range_switches_are_metered_and_widen_the_uncertainty(self, meter_of: MeterOf) -> None:
        scene = Scene(active_a=(0.030, 0.0001, 0.004, 0.300), idle_a=2e-6)
        energy = self.measure(meter_of(scene), PretendBoard(scene))
        assert energy.energy_uj == pytest.approx(scene.energy_uj, rel=0.01)
        steady = Scene(active_a=(0.0835,), idle_a=2e-6)
        one_range = self.measure(meter_of(steady), PretendBoard(steady))
        assert energy.uncertainty_uj > one_range.uncertainty_uj  # type: ignore[operator]

    def test_feeds_the_board_or_measures_in_series(self) -> None:
        pytest.importorskip("ppk2_api", reason="needs pip install 'hilnas[ppk2]'")
        modes = {}
        for feeds in (True, False):
            instrument = PretendPpk2(Scene())
            recorder = Ppk2Recorder(instrument.port, 3.0, feeds=feeds)
            recorder.open(PretendBoard(Scene()))
            recorder.close()
            instrument.close()
            modes[feeds] = bytes(instrument.commands)
        # SET_POWER_MODE source or ampere, REGULATOR_SET 3000 mV, DEVICE_RUNNING_SET on: nRF Connect's codes.
        assert b"\x11\x02" in modes[True]
        assert b"\x11\x01" in modes[False]
        assert all(b"\x0d\x0b\xb8\x0c\x01" in commands for commands in modes.values())


def test_an_instrument_that_still_streams_is_silenced_first() -> None:
    pytest.importorskip("ppk2_api", reason="needs pip install 'hilnas[ppk2]'")
    instrument = PretendPpk2(Scene())
    instrument.stream_on()
    recorder = Ppk2Recorder(instrument.port)
    recorder.open(PretendBoard(Scene()))
    recorder.close()
    instrument.close()
    assert instrument.commands.index(0x07) < instrument.commands.index(0x19)


def test_without_its_driver_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ppk2_api.ppk2_api", None)
    with pytest.raises(ToolMissing) as caught:
        Ppk2Recorder("/dev/null").open(PretendBoard(Scene()))
    assert caught.value.remedy == "pip install 'hilnas[ppk2]'"


def test_a_port_that_is_no_ppk2_is_told(tmp_path: Any) -> None:
    pytest.importorskip("ppk2_api", reason="needs pip install 'hilnas[ppk2]'")
    with pytest.raises(MeterError, match="cannot be used"):
        Ppk2Recorder(str(tmp_path / "nothing")).open(PretendBoard(Scene()))


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    """The real class, calibrated by a pretended instrument."""
    module = pytest.importorskip("ppk2_api.ppk2_api", reason="needs pip install 'hilnas[ppk2]'")
    instrument = PretendPpk2(Scene())
    driver = module.PPK2_API(instrument.port, timeout=1)
    assert driver.get_modifiers()
    driver.set_source_voltage(3000)
    yield driver
    driver.ser.close()
    instrument.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    levels=st.lists(st.floats(20e-6, 0.4), min_size=1, max_size=4),
    first_counter=st.integers(0, 63),
    lost=st.lists(st.tuples(st.integers(600, 2500), st.integers(1, 3)), max_size=2),
)
def test_known_charge_in_bytes_is_found_to_within_one_per_cent(
    api: Any, levels: list[float], first_counter: int, lost: list[tuple[int, int]]
) -> None:
    current = np.concatenate(
        [np.full(500, levels[0]), *(np.full(700, level) for level in levels), [1e-3] * 50]
    )
    high = np.zeros(current.size, dtype=bool)
    high[500:-50] = True
    words = stream(current, high, 3.0, first_counter)
    kept = np.ones(words.size, dtype=bool)
    for start, count in lost:
        kept[start : start + count] &= start + count >= words.size - 60
    api.rolling_avg = api.rolling_avg4 = api.prev_range = None
    api.after_spike = 0
    recording = decode(words[kept].astype("<u4").tobytes(), api, 3.0, "ppk2")
    assert recording.current_a.size == words.size
    assert np.array_equal(recording.lost, ~kept)
    window_s = 700 * len(levels) / RATE_HZ
    found = integrate(recording, PERFECT, expected_s=window_s, device="ppk2", wire="D0")
    energy_j = 3.0 * float(current[500:-50].sum()) / RATE_HZ
    allowed = found.uncertainty_j if found.lost_samples else 0.0
    # The finest step of each range is known: 4 ADC steps over the range's resistance.
    assert abs(found.energy_j - energy_j) <= 0.01 * energy_j + allowed


def test_bytes_lost_within_a_word_are_refused(api: Any) -> None:
    words = stream(np.full(5000, 0.005), np.zeros(5000, dtype=bool), 3.0).astype("<u4").tobytes()
    torn = words[:8001] + words[8003:]
    with pytest.raises(LostSamples, match="bytes of the stream were lost"):
        decode(torn[: len(torn) // 4 * 4], api, 3.0, "ppk2")
