"""A Power Profiler Kit II that is none: its serial port, its commands, and its stream of samples.

The stream is made by inverting what ppk2-api computes: for each current the range that the instrument would
choose, and the ADC value that this range's calibration turns into that current.
"""

from __future__ import annotations

import math
import os
import select
import threading
import tty
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from hil.testing.meter_suite import Scene

RATE_HZ = 100_000
_ADC_V = 1.8 / 163840
# Like those of a real unit: no range is ideal.
CALIBRATION: dict[str, tuple[float, ...]] = {
    "R": (1003.5, 101.6, 10.15, 0.963, 0.0433),
    "GS": (0.5, 12.0, 1.2, 0.1, 0.01),
    "GI": (1.0, 0.97, 0.96, 0.95, 0.96),
    "O": (112.7, 85.5, 89.9, 97.1, 116.6),
    "S": (1e-9, -6e-9, -5e-8, -5e-7, 2e-5),
    "I": (4e-9, 3e-8, 1e-6, -2e-5, -1e-4),
    "UG": (1.0, 1.0, 1.0, 1.0, 1.0),
}
_LIMITS_A = (0.5e-3, 5e-3, 50e-3, 0.5)  # above these, the next range
_ARGUMENTS = {0x0D: 2, 0x11: 1, 0x0C: 1}  # bytes behind these commands


def metadata() -> str:
    """What the instrument answers when it is asked for its calibration."""
    rows = [f"{key}{n}: {value}" for key, values in CALIBRATION.items() for n, value in enumerate(values)]
    return "\n".join(["Calibrated: 1", *rows, "HW: 9173", "IA: 56", "END"])


def range_of(current_a: float) -> int:
    """The range that the instrument would choose."""
    return sum(current_a > limit for limit in _LIMITS_A)


def adc_of(current_a: float, measuring_range: int, voltage_v: float) -> int:
    """The 14-bit value whose conversion gives this current."""
    c = {key: values[measuring_range] for key, values in CALIBRATION.items()}
    wanted = current_a / c["UG"] - (c["S"] * voltage_v + c["I"])
    # wanted = gs x^2 + gi x
    x = (-c["GI"] + math.sqrt(c["GI"] ** 2 + 4 * c["GS"] * wanted)) / (2 * c["GS"])
    return round((x * c["R"] / _ADC_V + c["O"]) / 4)


def stream(
    current_a: NDArray[np.float64], trigger: NDArray[np.bool_], voltage_v: float, first_counter: int = 0
) -> NDArray[np.uint32]:
    """Words of the stream, one a sample."""
    levels, which = np.unique(current_a, return_inverse=True)
    ranges = np.array([range_of(level) for level in levels], dtype=np.uint32)
    adcs = np.array(
        [adc_of(level, int(r), voltage_v) for level, r in zip(levels, ranges, strict=True)], dtype=np.uint32
    )
    counter = (np.arange(current_a.size, dtype=np.uint32) + first_counter) % 64
    return adcs[which] | ranges[which] << 14 | counter << 18 | trigger.astype(np.uint32) << 24


def samples(scene: Scene) -> NDArray[np.uint32]:
    """Words of a recording around the scene's window."""
    lead, tail = 0.05, 0.01
    times = np.arange(round((lead + scene.window_s + tail) * RATE_HZ)) / RATE_HZ - lead
    within = (times >= 0) & (times < scene.window_s)
    step = scene.latency_s / len(scene.active_a)
    level = np.floor(np.where(within, times, 0) / step + 1e-9).astype(int) % len(scene.active_a)
    current = np.where(within, np.asarray(scene.active_a)[level], scene.idle_a)
    return stream(current, within & scene.trigger_wired, scene.voltage_v)


def lose(words: NDArray[np.uint32], scene: Scene) -> NDArray[np.uint32]:
    """Without those that the scene loses: runs of 20 within the window."""
    kept = np.ones(words.size, dtype=bool)
    start = round((0.05 + 0.1 * scene.window_s) * RATE_HZ)
    for number in range(scene.lost // 20):
        kept[start + 30 * number :][:20] = False
    return words[kept]


class PretendPpk2:
    """Serves the instrument's serial port until it is closed.

    Attributes:
        port: its name.
        commands: bytes that came in.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        scene.on_window = lambda: self._send(lose(samples(scene), scene).astype("<u4").tobytes())
        self._own, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self.commands = bytearray()
        self._understood = 0
        self._streaming = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stream_on(self) -> None:
        """As a program leaves it that was killed."""
        self._streaming.set()
        os.write(
            self._own, stream(np.full(500, 0.005), np.zeros(500, dtype=bool), 3.0).astype("<u4").tobytes()
        )

    def close(self) -> None:
        self._ended = True
        self._thread.join()
        os.close(self._own)
        os.close(self._theirs)

    def _serve(self) -> None:
        """Until it is closed and all that was sent before has been read."""
        while True:
            ended = self._ended  # asked first: what was sent before the end is waiting by then
            if select.select([self._own], [], [], 0.0 if ended else 0.02)[0]:
                with suppress(OSError):
                    self._obey(os.read(self._own, 100))
            elif ended:
                return

    def _obey(self, data: bytes) -> None:
        self.commands += data
        while self._understood < len(self.commands):
            command = self.commands[self._understood]
            whole = self._understood + 1 + _ARGUMENTS.get(command, 0)
            if whole > len(self.commands):
                return  # the rest is on its way
            self._understood = whole
            if command == 0x19:
                os.write(self._own, metadata().encode())
            elif command in (0x06, 0x07):
                (self._streaming.set if command == 0x06 else self._streaming.clear)()

    def _send(self, data: bytes) -> None:
        """All of it; the reader empties the port meanwhile."""
        sent = 0
        self._streaming.wait(timeout=10)  # until the command to start has arrived
        while self._streaming.is_set() and sent < len(data):
            sent += os.write(self._own, data[sent : sent + 4096])
