"""Diabetes: 442 patients, 10 measures each, and how far the disease has gone a year later.  A regression on
real data that need no download.

Each measure is standardised by the training split; the target stays as published (25 to 346).

Source: Efron, Hastie, Johnstone and Tibshirani 2004, "Least Angle Regression", Annals of Statistics 32(2),
table 1; scikit-learn carries a copy (`sklearn.datasets.load_diabetes`).
"""

from __future__ import annotations

import numpy as np

from search.datasets.base import Dataset, random_split

SPLIT_SEED = 20_260
FRACTIONS = (0.6, 0.2, 0.2)  # train, validation, test


def load() -> Dataset:
    """The patients as (count, 1, 1, 10), split 60/20/20 at random."""
    from sklearn.datasets import load_diabetes

    raw = load_diabetes(scaled=False)
    y = raw.target.astype(np.float32)[:, np.newaxis]
    train, val, test = random_split(len(y), FRACTIONS, seed=SPLIT_SEED)
    mean, scale = raw.data[train].mean(axis=0), raw.data[train].std(axis=0)
    x = ((raw.data - mean) / scale).astype(np.float32)[:, np.newaxis, np.newaxis, :]
    return Dataset(
        name="diabetes",
        x_train=x[train],
        y_train=y[train],
        x_val=x[val],
        y_val=y[val],
        x_test=x[test],
        y_test=y[test],
        classes=1,
        task="regression",
    )
