"""Faults of devices and models, as the cascade understands them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hil.errors import (
    DeviceError,
    DoesNotFit,
    HilError,
    Outcome,
)
from search import network
from search.cascade import Fatal, Transient, Unfit


@contextmanager
def faults_told_apart() -> Iterator[None]:
    """Turn the outcomes of `hil.errors` into what the cascade understands (docs/DESIGN.md, decision 10)."""
    try:
        yield
    except network.CannotBuild as error:
        raise Unfit("buildable", 0.0, 1.0, error.message) from error
    except DoesNotFit as error:
        limit = float(error.available_bytes)
        raise Unfit(f"{error.resource}_bytes", error.needed_bytes, limit, error.message) from error
    except HilError as error:
        if error.outcome is Outcome.TRANSIENT:
            lasting = isinstance(error, DeviceError) and error.when_it_lasts is Outcome.FATAL
            raise Transient(error.message, fatal_if_it_lasts=lasting) from error
        if error.outcome is Outcome.FATAL:
            raise Fatal(error.message) from error
        raise  # a fact about this candidate without a figure: a failed trial, and the search goes on
