"""Random and mutated frames, both ways: nothing crashes, and C and Python find the same frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.firmware.host_protocol import build_frame_driver, build_runtime
from tests.firmware.host_protocol.drivers import FrameDriver
from tests.support.fuzz import MAX_PAYLOAD, Findings, Fuzzer

FRAMES = 4000  # `make fuzz` sends a million


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameDriver, Path]:
    folder = tmp_path_factory.mktemp("fuzz")
    driver = FrameDriver(build_frame_driver(folder, max_payload=MAX_PAYLOAD))
    return driver, build_runtime(folder, HIL_MAX_PAYLOAD=MAX_PAYLOAD, HIL_MLPERF=1)


@pytest.mark.parametrize("direction", ["requests", "replies"])
def test_fuzzed_frames_crash_nobody_and_mean_the_same_to_both(
    programs: tuple[FrameDriver, Path], direction: str
) -> None:
    found = Findings()
    fuzzer = Fuzzer(*programs, seed=5)
    for _ in range(2):
        getattr(fuzzer, direction)(FRAMES // 2, found)
    assert found.frames == FRAMES
    assert found.crashes == []
    assert found.disagreements == 0
    # Some of all sorts, or the test would prove nothing.
    assert FRAMES / 4 < found.accepted < FRAMES
    assert FRAMES / 20 < found.refused < found.accepted / 2
