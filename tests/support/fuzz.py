"""Fuzzing both ways: random and mutated frames, and what the parsers of firmware and host make of them.

requests, mutated -> C decoder, Python decoder         the same frames, or they disagree
                  -> firmware core (under sanitizers)  answers, or ends: a crash
its answers       -> Python decoder, messages          each can be read, or it is a crash
replies, mutated  -> C decoder, Python decoder         the same frames
                  -> messages                          read, or refused with BadPayload
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hil.protocol import (
    REPLIES,
    REQUESTS,
    BadPayload,
    Decoder,
    Error,
    Frame,
    Hello,
    ReadOutput,
    ReadProfile,
    Reset,
    Run,
    WriteInput,
    encode,
    from_frame,
    to_frame,
)
from tests.firmware.host_protocol import RuntimeProcess
from tests.firmware.host_protocol.drivers import FrameDriver
from tests.hil.golden_frames import golden_frames

MAX_PAYLOAD = 128  # holds every INFO, and is so small that frames beyond it are frequent
LONGEST_PACKET = 2048  # of requests: the answers to it fit into what the host's port holds
RARELY = 2000  # a Reset starts the firmware's process anew, which takes milliseconds
REQUEST_TYPES = [message.TYPE for message in REQUESTS if message is not Reset]
REPLY_TYPES = [message.TYPE for message in REPLIES]
_MODEL_BYTES, _PIECE = 200, 50  # host_protocol/tiny_model.c
_INFERENCE = (
    Hello(0, 255),
    *(WriteInput(offset, bytes(range(_PIECE))) for offset in range(0, _MODEL_BYTES, _PIECE)),
    Run(Run.PROFILE),
    ReadOutput(0, _PIECE),
    ReadOutput(_MODEL_BYTES - 1, 1),
    ReadProfile(0, 2),
)
_TEXTS = (
    b"name%",
    b"timestamp%",
    b"db load 9%",
    b"db 00ff7f80%",
    b"infer 2 1%",
    b"results%",
    b"%",
    b"db load 99999999%",
)


@dataclass
class Findings:
    """What came of one direction.

    Attributes:
        frames: sent, whole or mutated or replaced by garbage.
        accepted: frames that the decoder gave out; mutations may make more of one.
        refused: of these, not a message (host), or answered with an error (firmware).
        crashes: texts of sanitizers, and of exceptions that nobody expects.
        disagreements: batches of which C and Python did not make the same frames.
    """

    frames: int = 0
    accepted: int = 0
    refused: int = 0
    crashes: list[str] = field(default_factory=list)
    disagreements: int = 0

    @property
    def rejected(self) -> int:
        return max(0, self.frames - self.accepted)


def conversation() -> Iterator[bytes]:
    """An inference, again and again: requests that get far, if nothing between is damaged."""
    for number in itertools.cycle(range(0x10000)):
        for message in _INFERENCE:
            yield encode(to_frame(message, number))


def answers() -> Iterator[bytes]:
    """Every kind of reply, again and again, as it should be."""
    for golden in itertools.cycle(golden_frames()):
        if isinstance(golden.message, REPLIES):
            yield golden.frame


def frame(dice: random.Random, types: list[int]) -> bytes:
    """A frame with a good CRC; type, length and content are mostly such as occur."""
    kind = dice.choice(types) if dice.random() < 0.9 else dice.randrange(256)
    size = dice.choice((0, 1, 2, 4, 6, 6, 13, dice.randrange(MAX_PAYLOAD + 8)))
    payload = dice.choice((dice.randbytes(size), bytes(size), b"HL\x02\x01" * (size // 4)))
    if dice.random() < 0.5:  # offsets within the model
        payload = dice.randrange(220).to_bytes(4, "little")[: len(payload)] + payload[4:]
    version = 2 if dice.random() < 0.95 else dice.randrange(256)
    return encode(Frame(kind, dice.randrange(0x10000), payload, version))


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """`raw`, in half of all cases as it is; else damaged, or something else entirely."""
    changed = bytearray(raw)
    at = dice.randrange(len(raw))
    match dice.randrange(14):
        case 0:
            changed[at] ^= 1 << dice.randrange(8)
        case 1:
            del changed[at:]
        case 2:
            del changed[at : at + dice.randrange(1, 5)]
        case 3:
            changed[at:at] = dice.randbytes(dice.randrange(1, 9))
        case 4:
            changed[6:8] = dice.randrange(0x10000).to_bytes(2, "little")
        case 5:
            changed[at:at] = raw
        case 6:
            return dice.randbytes(dice.randrange(1, 80))
        case 7:
            return dice.choice(_TEXTS)
    return bytes(changed)


def pieces(stream: bytes, dice: random.Random) -> list[bytes]:
    """`stream` in pieces of all sizes."""
    cut: list[bytes] = []
    at = 0
    while at < len(stream):
        size = dice.choice((1, 7, 64, 1000, 60_000))
        cut.append(stream[at : at + size])
        at += size
    return cut


class Fuzzer:
    """Both parsers.

    Args:
        driver: of the C decoder, built for MAX_PAYLOAD.
        runtime: the firmware core as a program, built for MAX_PAYLOAD, with its text commands.
    """

    def __init__(self, driver: FrameDriver, runtime: Path, seed: int) -> None:
        self._driver = driver
        self._runtime = runtime
        self._dice = random.Random(seed)
        self._conversation, self._answers = conversation(), answers()

    def requests(self, count: int, found: Findings) -> None:
        """Send `count` requests to the firmware, and read its answers."""
        raws = self._raws(count, REQUEST_TYPES, self._conversation)
        if self._dice.random() < count / RARELY:
            raws[-1] = encode(Frame(Reset.TYPE, 1, b""))
        self._decoded(raws, found)
        with _crashes_noted(found), RuntimeProcess(self._runtime) as process:
            for packet in _packets(raws):
                for answer in Decoder().feed(process.feed(packet)):
                    found.refused += answer.type == Error.TYPE
                    try:
                        from_frame(answer)
                    except BadPayload as error:
                        raise AssertionError(f"the firmware's {answer} cannot be read") from error

    def replies(self, count: int, found: Findings) -> None:
        """Send `count` replies to the host."""
        for received in self._decoded(self._raws(count, REPLY_TYPES, self._answers), found):
            with _crashes_noted(found):
                try:
                    from_frame(received)
                except BadPayload:
                    found.refused += 1

    def _raws(self, count: int, types: list[int], sensible: Iterator[bytes]) -> list[bytes]:
        """Runs of sensible frames, and of others; mutations strike the sensible ones less often."""
        dice = self._dice
        raws: list[bytes] = []
        while len(raws) < count:
            raws += itertools.islice(sensible, len(_INFERENCE))
            raws += [mutated(next(sensible), dice) for _ in range(5)]
            raws += [mutated(frame(dice, types), dice) for _ in range(dice.randrange(20))]
        return raws[:count]

    def _decoded(self, raws: list[bytes], found: Findings) -> list[Frame]:
        stream = b"".join(raws)
        frames: list[Frame] = []
        found.frames += len(raws)
        with _crashes_noted(found):
            frames = Decoder(MAX_PAYLOAD).feed(stream)
            found.disagreements += self._driver.decode(pieces(stream, self._dice)) != frames
        found.accepted += len(frames)
        return frames


def _packets(raws: list[bytes]) -> list[bytes]:
    packets = [b""]
    for raw in raws:
        if len(packets[-1]) + len(raw) > LONGEST_PACKET:
            packets.append(b"")
        packets[-1] += raw
    return packets


@contextmanager
def _crashes_noted(found: Findings) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever it is: nothing that came over a line may raise it
        found.crashes.append(f"{type(error).__name__}: {error}")
