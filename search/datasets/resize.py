"""Pictures made smaller by averaging areas: each new pixel is the mean of what it covers of the old ones.

That keeps edges from aliasing, needs no more than numpy, and is what a microcontroller can do while it reads
its camera.  A side that stays as it is, stays as it is to the bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.errors import BadData

Floats = NDArray[np.float32]


def smaller(images: Floats, height: int, width: int) -> Floats:
    """Shrink pictures.

    Args:
        images: (count, height, width, channels), float32.
        height, width: wanted, at most those of the images.

    Returns:
        (count, height, width, channels), float32.

    Raises:
        BadData: the wanted size is larger.
    """
    rows, columns = images.shape[1:3]
    if not (0 < height <= rows and 0 < width <= columns):
        raise BadData(
            f"cannot shrink pictures of {rows}x{columns} to {height}x{width}: expected no larger size"
        )
    if height < rows:
        images = np.einsum("or,nrwc->nowc", _shares(rows, height), images, optimize=True)
    if width < columns:
        images = np.einsum("or,nhrc->nhoc", _shares(columns, width), images, optimize=True)
    return np.ascontiguousarray(images)


def _shares(before: int, after: int) -> Floats:
    """(after, before): how much of each old pixel goes into a new one; each row sums to 1."""
    scale = before / after
    low = np.arange(after)[:, np.newaxis] * scale
    old = np.arange(before)[np.newaxis, :]
    covered = np.minimum(low + scale, old + 1) - np.maximum(low, old)
    shares: Floats = (np.maximum(covered, 0.0) / scale).astype(np.float32)
    return shares
