"""What operators ask of the arena, and what the planner answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Kernels read four int8 values as one word, and keep int32 in scratch.  LDR, LDRD and LDM ask for no more
# than this on any core in use, and a larger alignment would only cost bytes.
ALIGNMENT = 4


@dataclass(frozen=True)
class Overlap:
    """The output may lie over an activation that nobody needs after the operator.

    Attributes:
        input: position of the activation in `Operator.inputs`.
        lead_bytes: the output starts at least so many bytes before that input, because the kernel writes
            forwards and has by then read what it overwrites; any distance beyond that is as good.  It may be
            negative: then the output may start within the input.  None: the output starts exactly where the
            input starts, and is no longer.
    """

    input: int
    lead_bytes: int | None = None


@dataclass(frozen=True)
class Needs:
    """What one operator asks of the arena beside its tensors.

    Attributes:
        scratch_bytes: work space while it runs.
        overlap: the input that the output may lie over; None where it needs bytes of its own.
        scratch_over: position in `Operator.inputs` of an activation that the scratch may start at, destroying
            it, where nobody needs it afterwards; None where the scratch needs bytes of its own.
    """

    scratch_bytes: int = 0
    overlap: Overlap | None = None
    scratch_over: int | None = None


@dataclass(frozen=True)
class ArenaPlan:
    """Offsets in bytes from the start of the arena, which is aligned to `ALIGNMENT`.

    Attributes:
        offsets: tensor index -> offset, for every activation.
        scratch: operator index -> (offset, bytes), for operators that need scratch.
        arena_bytes: size of the arena, the peak.
        peak_operator: index of the operator during which the peak is reached.
        live_bytes: per operator, how many bytes of the arena are occupied while it runs, by tensors (each
            rounded up to `ALIGNMENT`) and scratch; where two overlap, their bytes count once.
    """

    offsets: Mapping[int, int]
    scratch: Mapping[int, tuple[int, int]]
    arena_bytes: int
    peak_operator: int
    live_bytes: tuple[int, ...]
