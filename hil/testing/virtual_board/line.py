"""The line between port and chip: frames are told apart, damaged, and held back; their order is kept."""

from __future__ import annotations

import random
import struct
from collections import deque
from collections.abc import Callable
from zlib import crc32

from hil.protocol import MAX_PAYLOAD, OVERHEAD_BYTES, Decoder, Frame
from hil.protocol.frames import MAGIC
from hil.testing.virtual_board.kinds import Kind

_LENGTH_AT = 6
_HEADER_BYTES = 8
_CRC_BYTES = 4
_GARBAGE = (b"HL", b"H", b"HL\x02\x01", b"\x00\xff", b"\x55\xaa")


class Splitter:
    """Cuts a stream into whole frames and what lies between them; every byte comes out, in order."""

    def __init__(self) -> None:
        self._held = bytearray()

    def split(self, data: bytes) -> list[tuple[bytes, Frame | None]]:
        """(bytes, the frame that they are) of what `data` completes."""
        self._held += data
        pieces: list[tuple[bytes, Frame | None]] = []
        loose = bytearray()
        while self._held:
            size = self._frame_size()
            if size is None:
                break
            if size == 0:
                loose += self._take(1)
                continue
            if loose:
                pieces.append((bytes(loose), None))
                loose.clear()
            raw = self._take(size)
            pieces.append((raw, Decoder().feed(raw)[0]))
        if loose:
            pieces.append((bytes(loose), None))
        return pieces

    def flush(self) -> bytes:
        """What is held back because it may begin a frame."""
        return self._take(len(self._held))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def _frame_size(self) -> int | None:
        """Size of the frame that begins here; 0 where none does, None where that cannot be told yet."""
        held = self._held
        if not held.startswith(MAGIC[: len(held)]):
            return 0
        if len(held) < _HEADER_BYTES:
            return None
        (length,) = struct.unpack_from("<H", held, _LENGTH_AT)
        if length > MAX_PAYLOAD:
            return 0
        size = int(length) + OVERHEAD_BYTES
        if len(held) < size:
            return None
        expected = int.from_bytes(held[size - _CRC_BYTES : size], "little")
        return size if crc32(held[len(MAGIC) : size - _CRC_BYTES]) == expected else 0


def damaged(data: bytes, kind: Kind, dice: random.Random) -> bytes:
    """What a line makes of the frame `data`; a delay leaves it as it is."""
    changed = bytearray(data)
    start = dice.randrange(len(data))
    stretch = dice.choice((1, 2, len(data)))
    match kind:
        case Kind.LOST_BYTES:
            start = 0 if stretch == len(data) else start
            del changed[start : start + stretch]
        case Kind.DOUBLED_BYTES:
            start = 0 if stretch == len(data) else start
            changed[start:start] = data[start : start + stretch]
        case Kind.FLIPPED_BITS:
            for _ in range(dice.choice((1, 1, 2, 8))):
                changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        case Kind.GARBAGE:
            changed[:0] = dice.choice(_GARBAGE) + dice.randbytes(dice.randrange(40))
        case _:
            pass
    return bytes(changed)


class Way:
    """One direction of the line: what was held back holds back all that comes behind it.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pieces: deque[tuple[float, bytes]] = deque()

    def put(self, data: bytes, *, delay_s: float = 0.0) -> None:
        """Send `data` on its way."""
        behind = self._pieces[-1][0] if self._pieces else 0.0
        self._pieces.append((max(behind, self._clock() + delay_s), data))

    def take(self) -> bytes:
        """What has arrived by now."""
        arrived = bytearray()
        now = self._clock()
        while self._pieces and self._pieces[0][0] <= now:
            arrived += self._pieces.popleft()[1]
        return bytes(arrived)

    def clear(self) -> None:
        """Forget what is on its way."""
        self._pieces.clear()

    def wait_s(self) -> float | None:
        """Until the next piece arrives; None where none is on its way."""
        return max(0.0, self._pieces[0][0] - self._clock()) if self._pieces else None
