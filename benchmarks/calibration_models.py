r"""Random networks to calibrate a board's simulator with: pictures and spectrograms of several sizes.

    python benchmarks/calibration_models.py build/calibration 24
    python -m hil.calibrate --device emulated:nrf52840_dk --write boards/nrf52840_dk.toml \
        build/calibration/*.tflite

Boards with little memory need small networks, here of at most 900 bytes of activations and 60,000 MACs:

    python benchmarks/calibration_models.py build/calibration_uno 16 900 60000

The same numbers give the same networks.  Add your own models: the fit is best near what it has seen.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from hil.quantize import quantize
from search.network import build
from search.space import make_space

SHAPES = ((8, 8, 1), (16, 16, 1), (32, 32, 3), (49, 10, 1), (28, 28, 1))
MAX_MACS = 3_000_000
MAX_ACTIVATION_BYTES = 100_000
SEED = 1


def main(
    folder: Path, count: int, max_activation_bytes: int = MAX_ACTIVATION_BYTES, max_macs: int = MAX_MACS
) -> None:
    """Write `count` models into `folder`."""
    shapes = [shape for shape in SHAPES if math.prod(shape) <= max_activation_bytes // 2]
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    for number in range(count):
        shape = shapes[number % len(shapes)]
        space = make_space("chain", {}, input_shape=shape, classes=10)
        while True:
            architecture = space.sample(rng)
            cost = space.cost(architecture)
            if cost.macs <= max_macs and cost.peak_activation_bytes <= max_activation_bytes:
                break
        model = build(space.layers(architecture), shape, seed=number)
        data = rng.standard_normal((16, *shape)).astype(np.float32)
        path = folder / f"{number:03}.tflite"
        path.write_bytes(quantize(model, data))
        print(f"{path}: {'x'.join(map(str, shape))} {architecture}, {cost.macs:,} MACs")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
