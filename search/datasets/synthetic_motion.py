"""Synthetic motion: 1,200 made-up recordings of a three-axis accelerometer, 64 steps each, 6 classes.

No sensor was near.  They stand in where a demonstration of time series must need no download; a figure of
merit on them says that a set-up works, and nothing of how well activities are recognised.

A recording takes 64 steps at 20 a second.  In units of 2 g, on axis a of class c at step t:

    x(t, a) = gravity(a) + s * amplitude(c, a) * (sin(p) + harmonic(c) * sin(2 p + a)) + noise
    p       = 2 pi * f * frequency(c) * t / 20 + phase + a * pi / 3

| symbol  | drawn for each recording                                                      |
|---------|-------------------------------------------------------------------------------|
| f       | how fast: normal, mean 1, deviation 0.15, within 0.6 to 1.4                   |
| s       | how strongly: normal, mean 1, deviation 0.25, within 0.4 to 1.6               |
| phase   | uniform, 0 to 2 pi                                                            |
| gravity | length 0.5, along the third axis, tilted by a normal of deviation 0.15 an axis |
| noise   | normal, deviation 0.06, of each value                                         |

| class     | frequency, Hz | amplitude        | harmonic |
|-----------|---------------|------------------|----------|
| 0 still   | 0.3           | 0.01, 0.01, 0.01 | 0.0      |
| 1 walking | 1.8           | 0.12, 0.08, 0.20 | 0.4      |
| 2 running | 2.7           | 0.25, 0.15, 0.45 | 0.3      |
| 3 stairs  | 1.5           | 0.15, 0.08, 0.22 | 0.9      |
| 4 cycling | 1.3           | 0.16, 0.14, 0.06 | 0.1      |
| 5 shaking | 4.5           | 0.30, 0.30, 0.10 | 0.0      |

Walking and stairs overlap on purpose, so that there is something to search for.
"""

from __future__ import annotations

import numpy as np

from search.datasets.base import Dataset, Images, stratified_split

SEED = 20_261
FRACTIONS = (0.6, 0.2, 0.2)  # train, validation, test
PER_CLASS, STEPS, RATE_HZ = 200, 64, 20.0
CLASSES = ("still", "walking", "running", "stairs", "cycling", "shaking")
FREQUENCIES_HZ = (0.3, 1.8, 2.7, 1.5, 1.3, 4.5)
AMPLITUDES = (
    (0.01, 0.01, 0.01),
    (0.12, 0.08, 0.20),
    (0.25, 0.15, 0.45),
    (0.15, 0.08, 0.22),
    (0.16, 0.14, 0.06),
    (0.30, 0.30, 0.10),
)
HARMONICS = (0.0, 0.4, 0.3, 0.9, 0.1, 0.0)


def load() -> Dataset:
    """The recordings as (count, 64, 1, 3), split 60/20/20 with every class in the same proportion."""
    rng = np.random.default_rng(SEED)
    x = np.concatenate([_recordings(kind, rng) for kind in range(len(CLASSES))])
    labels = np.repeat(np.arange(len(CLASSES), dtype=np.int32), PER_CLASS)
    train, val, test = stratified_split(labels, FRACTIONS, seed=SEED)
    return Dataset(
        name="synthetic_motion",
        x_train=x[train],
        y_train=labels[train],
        x_val=x[val],
        y_val=labels[val],
        x_test=x[test],
        y_test=labels[test],
        classes=len(CLASSES),
    )


def _recordings(kind: int, rng: np.random.Generator) -> Images:
    """(PER_CLASS, STEPS, 1, 3) of one class; axes of the arrays: recording, step, axis."""
    shape = (PER_CLASS, 1, 1)
    speed = np.clip(rng.normal(1.0, 0.15, shape), 0.6, 1.4)
    strength = np.clip(rng.normal(1.0, 0.25, shape), 0.4, 1.6)
    phase = rng.uniform(0.0, 2 * np.pi, shape)
    tilt = rng.normal(0.0, 0.15, (PER_CLASS, 1, 3)) + np.array([0.0, 0.0, 1.0])
    gravity = 0.5 * tilt / np.linalg.norm(tilt, axis=-1, keepdims=True)
    step, axis = np.arange(STEPS)[:, np.newaxis], np.arange(3)
    angle = 2 * np.pi * speed * FREQUENCIES_HZ[kind] * step / RATE_HZ + phase + axis * np.pi / 3
    wave = np.sin(angle) + HARMONICS[kind] * np.sin(2 * angle + axis)
    noise = rng.normal(0.0, 0.06, (PER_CLASS, STEPS, 3))
    x = gravity + strength * np.array(AMPLITUDES[kind]) * wave + noise
    return np.asarray(x[:, :, np.newaxis, :], np.float32)
