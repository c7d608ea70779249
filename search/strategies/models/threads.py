"""One thread for algebra: faster on small matrices, and the same figures whatever the number of cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, BLAS uses one thread.

    On matrices of a few hundred rows threads wait longer for one another than they work, above all where
    trainings or builds run beside; and how sums are split among threads changes their last digits.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  # its BLAS has to be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
