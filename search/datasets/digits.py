"""Handwritten digits: 1,797 images of 8x8 pixels, 10 classes.  Real data that need no download.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    1998,
https://doi.org/10.24432/C50P49; scikit-learn carries a copy of its test set (`sklearn.datasets.load_digits`).
"""

from __future__ import annotations

import numpy as np

from search.datasets.base import Dataset, stratified_split

SPLIT_SEED = 20_260  # fixed: every study compares on the same images
FRACTIONS = (0.6, 0.2, 0.2)  # train, validation, test
PIXEL_MAX = 16.0  # counts of set pixels in 4x4 blocks of the original bitmaps


def load() -> Dataset:
    """The digits, pixels scaled to 0..1, split 60/20/20 with every class in the same proportion."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    images = (raw.images / PIXEL_MAX).astype(np.float32)[..., np.newaxis]
    labels = raw.target.astype(np.int32)
    train, val, test = stratified_split(labels, FRACTIONS, seed=SPLIT_SEED)
    return Dataset(
        name="digits",
        x_train=images[train],
        y_train=labels[train],
        x_val=images[val],
        y_val=labels[val],
        x_test=images[test],
        y_test=labels[test],
        classes=10,
    )
