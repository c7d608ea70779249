"""A million random and mutated frames for the parsers of firmware and host, both directions.

Run: make fuzz            (FUZZ_FRAMES=100000 for a short one)

The firmware's parser and command loop are the C of firmware/lib, compiled for this computer under the address
and undefined-behaviour sanitizers; the host's are hil/protocol.  What is sent is in tests/support/fuzz.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.firmware.host_protocol import build_frame_driver, build_runtime
from tests.firmware.host_protocol.drivers import FrameDriver
from tests.support.fuzz import MAX_PAYLOAD, Findings, Fuzzer

BATCH = 5000


def fuzz(frames: int, seed: int) -> dict[str, Findings]:
    """Half of the frames in each direction."""
    found = {"requests to the firmware": Findings(), "replies to the host": Findings()}
    with tempfile.TemporaryDirectory() as name:
        driver = FrameDriver(build_frame_driver(Path(name), max_payload=MAX_PAYLOAD))
        runtime = build_runtime(Path(name), HIL_MAX_PAYLOAD=MAX_PAYLOAD, HIL_MLPERF=1)
        fuzzer = Fuzzer(driver, runtime, seed)
        for direction, send in zip(found, (fuzzer.requests, fuzzer.replies), strict=True):
            while found[direction].frames < frames // 2:
                send(min(BATCH, frames // 2 - found[direction].frames), found[direction])
    return found


def table(found: dict[str, Findings], seconds: float) -> Table:
    """One row per direction."""
    shown = Table(title=f"fuzzing of the protocol, {seconds:.0f} s")
    shown.add_column("")
    for heading in (
        "frames",
        "accepted",
        "rejected",
        "then refused",
        "crashes",
        "C and Python disagree",
    ):
        shown.add_column(heading, justify="right")
    for direction, one in found.items():
        counts = (one.frames, one.accepted, one.rejected, one.refused, len(one.crashes), one.disagreements)
        shown.add_row(direction, *(f"{count:,}" for count in counts))
    return shown


def main() -> int:
    """Fuzz and print; fails where anything crashed or disagreed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console()
    began_s = time.monotonic()
    found = fuzz(options.frames, options.seed)
    console.print(table(found, time.monotonic() - began_s))
    for one in found.values():
        for crash in one.crashes[:3]:
            console.print(crash, markup=False)
    return 1 if any(one.crashes or one.disagreements for one in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
