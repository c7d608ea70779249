"""The outputs of the MLPerf Tiny reference models on the emulated nRF52840, with their figures, as JSON.

Run: make golden            writes build/golden.json and prints the digests.
`make bench-device` shows the same figures beside those of others.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import mlperf_tiny


def main(folder: Path) -> int:
    present = mlperf_tiny.present(folder)
    if not present:
        print(mlperf_tiny.none_there(folder, "make golden"))
        return 2
    found = {name: mlperf_tiny.figures(mlperf_tiny.measure(path)) for name, path in present.items()}
    for name, figures in found.items():
        print(f"{name:<4} output SHA-256 {figures['output_sha256']}")
    mlperf_tiny.write(Path("build/golden.json"), found)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else mlperf_tiny.FOLDER))
