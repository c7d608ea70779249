"""The tally: what was put at risk, what was struck, and what came right in the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hil.testing.virtual_board.kinds import Kind, Operation


@dataclass
class Tally:
    """Counts since the plan was laid down.

    A fault is open until an operation of the same sort succeeds, with the same image; then it has been
    recovered from.  What is open when another image comes is not recovered from: that image was given up.
    Hello alone has nothing to do with an image.

    Attributes:
        operations: what the host attempted, each repetition counted.
        faults: what was injected.
        recoveries: faults after which the operation succeeded.
    """

    operations: Counter[Operation] = field(default_factory=Counter)
    faults: Counter[Kind] = field(default_factory=Counter)
    recoveries: int = 0
    _open: list[Operation] = field(default_factory=list)
    _image: str = ""

    @property
    def injected(self) -> int:
        """Faults of all kinds together."""
        return self.faults.total()

    def attempted(self, operation: Operation) -> int:
        """Count an attempt; returns how many of its sort came before."""
        self.operations[operation] += 1
        return self.operations[operation] - 1

    def struck(self, operation: Operation, kind: Kind) -> None:
        """Count a fault."""
        self.faults[kind] += 1
        self._open.append(operation)

    def succeeded(self, operation: Operation) -> None:
        """An operation of this sort went all the way: what struck its like before is recovered from."""
        self.recoveries += self._open.count(operation)
        self._open = [other for other in self._open if other is not operation]

    def image(self, digest: str) -> None:
        """The host flashes this image."""
        if digest != self._image:
            self._image = digest
            self._open = [operation for operation in self._open if operation is Operation.HELLO]

    def to_json(self) -> str:
        """Text for `from_json`."""
        return json.dumps(
            {
                "operations": {operation.name: count for operation, count in self.operations.items()},
                "faults": {kind.name: count for kind, count in self.faults.items()},
                "recoveries": self.recoveries,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """The counts that `to_json` wrote; what is open is the board's own affair."""
        table: Mapping[str, Mapping[str, int]] = json.loads(text)
        return cls(
            operations=Counter({Operation[name]: count for name, count in table["operations"].items()}),
            faults=Counter({Kind[name]: count for name, count in table["faults"].items()}),
            recoveries=int(str(table["recoveries"])),
        )
