"""The board under a meter, spoken to over its Link."""

from __future__ import annotations

from dataclasses import dataclass, field

from hil.board import Board
from hil.link import Link
from hil.measurement import Provenance
from hil.protocol import RanWindow, Sensor

_SLOWER = 10.0  # than the board an emulated one may be, without a C compiler


@dataclass
class LinkedBoard:
    """A MeteredBoard (hil.meters.types).

    Attributes:
        data: the input of every inference.
    """

    name: str
    board: Board
    provenance: Provenance
    clock_hz: int
    latency_s: float
    link: Link = field(repr=False)
    data: bytes = field(repr=False)

    def run_window(self, inferences: int) -> RanWindow:
        """See MeteredBoard."""
        expected_s = inferences * self.latency_s
        self.link.write_input(self.data)
        return self.link.run_window(inferences, expected_s=expected_s, timeout_s=_SLOWER * expected_s + 30.0)

    def start_sensor(self, kind: int, address: int) -> Sensor:
        """See MeteredBoard."""
        return self.link.start_sensor(kind, address)

    def read_sensor(self) -> Sensor:
        """See MeteredBoard."""
        return self.link.read_sensor()
