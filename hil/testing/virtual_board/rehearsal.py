"""How long an image computes: found by running it once on another machine, so that faults can be aimed."""

from __future__ import annotations

from dataclasses import dataclass

from hil.board import Board
from hil.emulator.served import ServedMachine
from hil.protocol import Decoder, Hello, Info, Message, Ran, Run, WriteInput, encode, from_frame, to_frame

SLICE_CYCLES = 200  # short beside any inference
_LONGEST_SLICES = 10_000_000
_OFFSET_BYTES = 4  # in front of the data in WRITE_INPUT


@dataclass(frozen=True)
class Rehearsal:
    """One inference, in slices of SLICE_CYCLES.

    Attributes:
        answered: slices from the request to its answer, with all that the firmware does around.
        inference: of these, the last ones: the operators.
    """

    answered: int
    inference: int


def rehearse(board: Board, elf: bytes) -> Rehearsal | None:
    """Run the image once; None where it does not come to an end."""
    machine = ServedMachine(board)
    if machine.flash(elf) is not None:
        return None
    info, _ = _ask(machine, Hello(0, 255))
    if not isinstance(info, Info):
        return None
    size = info.max_payload - _OFFSET_BYTES
    for offset in range(0, info.input_bytes, size):
        _ask(machine, WriteInput(offset, bytes(min(size, info.input_bytes - offset))))
    ran, slices = _ask(machine, Run(0))
    if not isinstance(ran, Ran):
        return None
    return Rehearsal(slices, max(1, ran.cycles // SLICE_CYCLES))


def _ask(machine: ServedMachine, question: Message) -> tuple[Message | None, int]:
    """The answer, and after how many slices it began."""
    machine.receive(encode(to_frame(question, 1)))
    decoder = Decoder()
    for slices in range(_LONGEST_SLICES):
        frames = decoder.feed(machine.step(SLICE_CYCLES))
        if frames:
            return from_frame(frames[0]), slices
        if machine.wait_s() is None:
            break
    return None, 0
