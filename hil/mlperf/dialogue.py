"""Text commands and their answers over a Transport, as the benchmark's own runners send them.

A command ends with "%", an answer is lines that end with CR LF, the last of which is "m-ready".  What a
runner reads of them is in benchmark/runner/ of github.com/mlcommons/tiny (device_under_test.py, script.py).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.device import Transport
from hil.errors import DeviceError, DeviceTimeout

READY = "m-ready"
BYTES_PER_COMMAND = 31
"""As the runner of mlcommons/tiny sends them; a command has at most 80 characters."""
REPLY_TIMEOUT_S = 5.0

_NAME = re.compile(r"m-name-dut-\[([^]]+)]")
_MODEL = re.compile(r"m-model-\[([^]]+)]")
_LAP = re.compile(r"m-lap-us-(\d+)")
_RESULTS = re.compile(r"m-results-\[([^]]+)]")


@dataclass(frozen=True)
class Inference:
    """What an `infer` answered: time between its two laps, and the results as they were written."""

    iterations: int
    elapsed_us: int
    results: str


class Dialogue:
    """Asks one command at a time.

    Args:
        transport: stays the caller's, who closes it.
        device: as the user named it, for error texts.
        clock: seconds, monotonic.
    """

    def __init__(
        self, transport: Transport, device: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = transport
        self._device = device
        self._clock = clock
        self._received = b""

    def ask(self, command: str, *, timeout_s: float = REPLY_TIMEOUT_S) -> list[str]:
        """Send `command`, without its "%"; returns the lines of the answer before "m-ready".

        Raises:
            DeviceTimeout: no "m-ready" within `timeout_s`.
            DeviceError: the answer is an error, a line "e-[...]".
        """
        self._transport.write(f"{command}%".encode("ascii"))
        deadline = self._clock() + timeout_s
        lines: list[str] = []
        while (line := self._line(deadline, command)) != READY:
            lines.append(line)
        errors = [line for line in lines if line.startswith("e-[")]
        if errors:
            raise DeviceError(
                f"'{command[:40]}%' was answered with {errors[0]}",
                device=self._device,
                remedy="the model takes another input than the one that was sent (docs/mlperf.md)",
            )
        return lines

    def _line(self, deadline: float, command: str) -> str:
        while b"\r\n" not in self._received:
            piece = self._transport.read(max(0.0, deadline - self._clock()))
            if not piece and self._clock() >= deadline:
                raise DeviceTimeout(
                    f"no answer to '{command[:40]}%'",
                    device=self._device,
                    remedy="the firmware must be built with HIL_MLPERF; is the baud rate that of the board?",
                )
            self._received += piece
        line, _, self._received = self._received.partition(b"\r\n")
        return line.decode("ascii", "replace")

    def name(self) -> str:
        """Who the board says it is."""
        return self._one(_NAME, self.ask("name"))

    def model(self) -> str:
        """The task of the model, e.g. "kws01"; the runner chooses its script by it."""
        return self._one(_MODEL, self.ask("profile"))

    def load(self, data: bytes) -> None:
        """Send the content of one input file."""
        self.ask(f"db load {len(data)}")
        answer: list[str] = []
        for start in range(0, len(data), BYTES_PER_COMMAND):
            answer = self.ask(f"db {data[start : start + BYTES_PER_COMMAND].hex()}")
        if answer != ["m-load-done"]:
            raise DeviceError(
                f"'m-load-done' expected after the last byte, got {answer}", device=self._device
            )

    def infer(self, iterations: int, warmups: int, *, timeout_s: float) -> Inference:
        """Run `warmups` and then `iterations` inferences on the input that was loaded."""
        lines = self.ask(f"infer {iterations} {warmups}", timeout_s=timeout_s)
        laps = [int(lap[1]) for line in lines if (lap := _LAP.fullmatch(line))]
        if len(laps) != 2:
            raise DeviceError(f"two lines 'm-lap-us-N' expected, got {len(laps)}", device=self._device)
        elapsed_us = (laps[1] - laps[0]) % 2**32
        return Inference(iterations, elapsed_us, self._one(_RESULTS, lines))

    def _one(self, pattern: re.Pattern[str], lines: Sequence[str]) -> str:
        for line in lines:
            if found := pattern.fullmatch(line):
                return found[1]
        raise DeviceError(f"a line like '{pattern.pattern}' expected, got {list(lines)}", device=self._device)
