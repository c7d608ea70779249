"""Integration between the trigger's edges: right on known charge, and nothing is guessed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import LostSamples, MeterError, MissingTrigger
from hil.meters.integrate import Integral, integrate
from hil.meters.recording import Accuracy, Recording
from tests.support.waveforms import VOLTAGE_V, Waveform, without

RATE_HZ = 20_000.0
PERFECT = Accuracy(0.0, 0.0, 0.0, "a meter without error")
PLAIN = Waveform(active_a=(0.006, 0.004), idle_a=0.001, window_s=0.5)


def energy_of(
    recording: Recording,
    expected_s: float,
    accuracy: Accuracy = PERFECT,
    *,
    subtract_idle: bool = False,
) -> Integral:
    return integrate(
        recording, accuracy, expected_s=expected_s, device="meter", wire="A to B", subtract_idle=subtract_idle
    )


currents = st.floats(1e-6, 0.5)


@settings(max_examples=60, deadline=None)
@given(
    active=st.lists(currents, min_size=1, max_size=6).map(tuple),
    idle=currents,
    window_s=st.floats(0.2, 1.0),
    phase=st.floats(0, 0.999),
    lost=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 20)), max_size=4),
)
def test_known_charge_is_found_to_within_one_per_cent(
    active: tuple[float, ...], idle: float, window_s: float, phase: float, lost: list[tuple[float, int]]
) -> None:
    wave = Waveform(active, idle, window_s, phase=phase)
    recording = wave.recording(RATE_HZ)
    for where, count in lost:
        if np.isnan(recording.current_a).sum() + count < 0.002 * window_s * RATE_HZ:
            recording = without(recording, int(where * (recording.current_a.size - count)), count)
    found = energy_of(recording, window_s)
    # What was lost may have been the largest current; the stated uncertainty says how much that may be.
    allowed = found.uncertainty_j if found.lost_samples else 0.0
    assert abs(found.energy_j - wave.energy_j) <= 0.01 * wave.energy_j + allowed


@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(0, 10_999),
    count=st.integers(1, 90),
    active=st.tuples(currents, currents, currents),
)
def test_what_is_lost_stays_within_the_stated_uncertainty(
    first: int, count: int, active: tuple[float, float, float]
) -> None:
    wave = Waveform(active, 0.001, 0.5)
    found = energy_of(without(wave.recording(RATE_HZ), first, count), wave.window_s)
    whole = energy_of(wave.recording(RATE_HZ), wave.window_s)
    # Twice the standard uncertainty is 1.15 half widths of a rectangular distribution.
    assert abs(found.energy_j - whole.energy_j) <= found.uncertainty_j
    assert found.uncertainty_j >= whole.uncertainty_j


def test_figures_of_a_plain_window() -> None:
    found = energy_of(PLAIN.recording(RATE_HZ), 0.5)
    assert found.energy_j == pytest.approx(PLAIN.energy_j, rel=1e-3)
    assert found.voltage_v == VOLTAGE_V
    assert found.current_a == pytest.approx(0.005, rel=1e-3)
    assert found.window_s == pytest.approx(0.5, rel=1e-3)
    assert (found.samples, found.lost_samples) == (10_000, 0)
    assert found.idle_current_a == pytest.approx(0.001)


def test_idle_current_is_subtracted_on_request() -> None:
    found = energy_of(PLAIN.recording(RATE_HZ), 0.5, subtract_idle=True)
    assert found.energy_j == pytest.approx(VOLTAGE_V * (0.005 - 0.001) * 0.5, rel=1e-3)


def test_idle_current_that_was_not_seen_is_not_made_up() -> None:
    short = replace(PLAIN, lead_s=0.005).recording(RATE_HZ)
    assert energy_of(short, 0.5).idle_current_a is None
    with pytest.raises(MeterError, match="idle"):
        energy_of(short, 0.5, subtract_idle=True)


def test_voltage_is_taken_sample_by_sample() -> None:
    recording = PLAIN.recording(RATE_HZ)
    sagging = np.where(recording.trigger, 2.5, 3.0)
    assert energy_of(replace(recording, voltage_v=sagging), 0.5).energy_j == pytest.approx(
        PLAIN.energy_j * 2.5 / 3.0, rel=1e-3
    )


def test_uncertainty_follows_the_formula() -> None:
    accuracy = Accuracy(gain=0.01, offset_a=2e-6, voltage_gain=0.005, source="test")
    wave = Waveform((0.005,), 0.001, 0.5)
    found = energy_of(wave.recording(RATE_HZ), 0.5, accuracy)
    energy = found.energy_j
    parts = (
        0.01 * energy / 3**0.5,
        0.005 * energy / 3**0.5,
        2e-6 * 3.0 * 0.5 / 3**0.5,
        2**0.5 / RATE_HZ * energy / 0.5 / 12**0.5,
    )
    assert found.uncertainty_j == pytest.approx(2 * sum(part**2 for part in parts) ** 0.5)


def test_doubtful_samples_widen_the_uncertainty() -> None:
    recording = PLAIN.recording(RATE_HZ)
    doubtful = np.zeros(recording.current_a.size, dtype=bool)
    doubtful[3000:3100] = True
    assert (
        energy_of(replace(recording, doubtful=doubtful), 0.5).uncertainty_j
        > 2 * energy_of(recording, 0.5).uncertainty_j
    )


def test_too_many_lost_samples_are_refused() -> None:
    with pytest.raises(LostSamples, match="lost 150 of 10,000"):
        energy_of(without(PLAIN.recording(RATE_HZ), 5000, 150), 0.5)


class TestTrigger:
    @pytest.mark.parametrize(
        ("edit", "why"),
        [
            (lambda high: high & False, "never rose"),
            (lambda high: high | True, "high before"),
            (lambda high: high | (np.arange(high.size) > 2000), "never fell"),
            (lambda high: high & (np.arange(high.size) % 2000 > 10), "edges"),
            (lambda high: high & (np.arange(high.size) < 5000), "the firmware says 500.000 ms"),
        ],
        ids=["no edge", "floating high", "no fall", "noise", "another signal"],
    )
    def test_that_does_not_fit_is_refused_and_the_wire_named(self, edit, why: str) -> None:  # type: ignore[no-untyped-def]
        recording = PLAIN.recording(RATE_HZ)
        with pytest.raises(MissingTrigger, match=why) as caught:
            energy_of(replace(recording, trigger=edit(recording.trigger)), 0.5)
        assert "A to B" in str(caught.value.remedy)

    def test_no_samples_at_all(self) -> None:
        empty = Recording(np.zeros(0), np.zeros(0, dtype=bool), 3.0, RATE_HZ)
        with pytest.raises(MissingTrigger, match="no samples"):
            energy_of(empty, 0.5)

    def test_an_edge_among_lost_samples_widens_the_uncertainty(self) -> None:
        rise = int(np.flatnonzero(PLAIN.recording(RATE_HZ).trigger)[0])
        found = energy_of(without(PLAIN.recording(RATE_HZ), rise - 20, 40), 0.5)
        assert found.energy_j == pytest.approx(PLAIN.energy_j, rel=0.01)
        assert found.uncertainty_j > 5 * energy_of(PLAIN.recording(RATE_HZ), 0.5).uncertainty_j
