"""DeployedSpace: how a network is deployed, as a part of the search: board, clock, in stripes or not.

It wraps any space and puts up to three decisions in front of the wrapped one's:

    gene            what it may be                                     where it stands in the text
    deploy.board    ids of boards                                      board=nucleo_f446re
    deploy.clock    what that board offers, in Hz                      clock=84MHz
    deploy.patches  whether the first operators may run in stripes     patches=yes

"board=nucleo_f446re clock=84MHz patches=yes | conv3-16 ds3-24" is an architecture then: the same network on
another board is another candidate, with figures of its own, and is trained once for both.  What has one
option is no decision.

Source: the hardware as a part of the search, beside the network: Jiang et al., "Hardware/Software
Co-Exploration of Neural Architectures", IEEE TCAD 39(12), 2020.  What differs: no hardware is designed, it is
chosen among boards that can be bought and their clocks, and each choice is measured like any candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from search.errors import BadArchitecture
from search.space.base import Architecture, Choice, Cost, Deployment, Space, Value
from search.space.decisions import apart, shown
from search.space.layers import Layer
from search.space.options import BadOption, Options, nearest
from search.space.walk import Choose, Pick, Way, checked, drawn, inherited, next_choice, walk

PART = "deploy"
BOARD, CLOCK, PATCHES = f"{PART}.board", f"{PART}.clock", f"{PART}.patches"
_BETWEEN = " | "
_KEPT = 1_000  # texts that were read lately
_FREQUENCY = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>Hz|kHz|MHz|GHz)")
_UNITS = {"Hz": 1, "kHz": 10**3, "MHz": 10**6, "GHz": 10**9}


@dataclass(frozen=True)
class DeployOptions(Options):
    """The table [deploy] of a study file.  Nothing given: the study's board, its own clock, `patches`.

    Attributes:
        boards: ids of the boards to choose from.
        clocks: "all" that each board's profile offers, or a list such as ["84 MHz", "180 MHz"], of which
            each board takes those that it has.
        patches: "never" and "auto", both: whether a network may run in stripes is searched.
        devices: board -> what it is measured on, e.g. "serial:/dev/ttyACM1"; a board that is not named here
            is one of the study's devices, or of the kind of the first of them, "emulated:BOARD".
    """

    boards: tuple[str, ...] = ()
    clocks: Literal["all"] | tuple[str, ...] = ()
    patches: tuple[Literal["never", "auto"], ...] = ()
    devices: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("boards", "clocks", "patches"):
            values = getattr(self, key)
            if len(set(values)) < len(values) and not isinstance(values, str):
                raise BadOption((key,), "something stands there twice", remedy="name each once")
        for board in self.boards:
            if "@" in board:
                raise BadOption(
                    ("boards",), f'got "{board}", expected the id of a board', remedy="clocks stand in clocks"
                )
        for board in self.devices:
            if board not in self.boards:
                raise BadOption(("devices", board), "is not in boards", remedy=nearest(board, self.boards))
        if not isinstance(self.clocks, str):
            for text in self.clocks:
                _clock_hz(text)

    def clocks_of_all(self, offered_hz: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
        """`clocks_of` for each board.

        Raises:
            BadOption: also for a clock that no board has.
        """
        known = {hz for clocks in offered_hz.values() for hz in clocks}
        for text in () if isinstance(self.clocks, str) else self.clocks:
            if _clock_hz(text) not in known:
                raise BadOption(
                    ("clocks",),
                    f'got "{text}", which {" and ".join(offered_hz)} cannot run at',
                    remedy=f"known: {', '.join(clock_text(hz) for hz in sorted(known))}",
                    near=text,
                )
        return {board: self.clocks_of(board, clocks) for board, clocks in offered_hz.items()}

    def clocks_of(self, board: str, offered_hz: Sequence[int]) -> tuple[int, ...]:
        """Those of the clocks that `board` offers that are to be chosen from, in Hz.

        Raises:
            BadOption: it has none of them.
        """
        if isinstance(self.clocks, str):
            return tuple(offered_hz)
        wanted = [_clock_hz(text) for text in self.clocks]
        found = tuple(hz for hz in offered_hz if hz in wanted)
        if not found:
            offers = ", ".join(clock_text(hz) for hz in offered_hz)
            raise BadOption(
                ("clocks",),
                f"board '{board}' has none of {', '.join(self.clocks)}",
                remedy=f'it offers {offers}; clocks = "all" takes what each board has',
            )
        return found


def clock_text(hz: int) -> str:
    """84000000 -> "84MHz"."""
    return f"{hz / 10**6:.10g}MHz"


def _clock_hz(text: str) -> int:
    match = _FREQUENCY.fullmatch(text.strip())
    if match is None:
        raise BadOption(("clocks",), f'got "{text}", expected a frequency such as "84 MHz"', near=text)
    return round(float(match["number"]) * _UNITS[match["unit"]])


class DeployedSpace:
    """See the module.

    Args:
        inner: the space of the networks.
        boards: ids, at least one.
        clocks: board -> clocks in Hz; a board that it does not name runs at its own.
        patches: whether networks may run in stripes: one of both, both; none: as the study says.

    Raises:
        BadOption: no board.
    """

    def __init__(
        self,
        inner: Space,
        *,
        boards: Sequence[str],
        clocks: Mapping[str, Sequence[int]] | None = None,
        patches: Sequence[bool] = (),
    ) -> None:
        if not boards:
            raise BadOption(("boards",), "got none, expected at least one")
        self.inner = inner
        self.name = f"{inner.name}, deployed"
        self.input_shape = inner.input_shape
        self._boards = tuple(boards)
        self._clocks = {board: tuple(hz) for board, hz in (clocks or {}).items()}
        self._patches = tuple(patches)
        self._read = lru_cache(maxsize=_KEPT)(self._parsed)

    def _decide(self, choose: Choose) -> Deployment:
        board = choose(BOARD, self._boards)
        clocks, patches = self._clocks.get(board), self._patches
        return Deployment(
            board,
            choose(CLOCK, clocks) if clocks else None,
            choose(PATCHES, patches) if patches else None,
        )

    # What an architecture is

    def network(self, architecture: Architecture) -> Architecture:
        """The network alone, as an architecture of the wrapped space.

        Raises:
            BadArchitecture: as `layers`.
        """
        return self._split(architecture)[1]

    def deployment(self, architecture: Architecture) -> Deployment:
        """Board, clock and patches.  Raises BadArchitecture as `layers`."""
        return self._split(architecture)[0].made

    def contains(self, architecture: Architecture) -> bool:
        """Whether it can be built in this space."""
        try:
            return self.inner.contains(self._split(architecture)[1])
        except BadArchitecture:
            return False

    def layers(self, architecture: Architecture) -> tuple[Layer, ...]:
        """Decode.

        Raises:
            BadArchitecture: its text cannot be read, or lies outside this space.
        """
        return self.inner.layers(self.network(architecture))

    def cost(self, architecture: Architecture) -> Cost:
        """That of the network, which is the same wherever it runs."""
        return self.inner.cost(self.network(architecture))

    def takes(self, architecture: Architecture) -> tuple[int, int, int]:
        """Shape of one input."""
        return self.inner.takes(self.network(architecture))

    def distance(self, a: Architecture, b: Architecture) -> float:
        """That of the networks, and for each gene in front of them up to 1: a sum of metrics."""
        (first, network_a), (second, network_b) = self._split(a), self._split(b)
        one, other = first.genes, second.genes
        before = sum(
            apart(one[gene], other[gene]) if gene in one and gene in other else 1.0
            for gene in {**one, **other}
        )
        return before + self.inner.distance(network_a, network_b)

    # Moves

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Deployment and network drawn independently."""
        return self._joined(walk(self._decide, drawn(rng)), self.inner.sample(rng))

    def mutate(self, parent: Architecture, rng: np.random.Generator) -> Architecture:
        """Another option for one gene of the deployment, or a neighbour of the network: each gene of both is
        as likely to be the one."""
        way, network = self._split(parent)
        at = int(rng.integers(max(1, len(way.path) + len(self.inner.path(network)))))
        if at >= len(way.path):
            return self._joined(way, self.inner.mutate(network, rng))
        options = way.choices[at].options
        step = 1 + int(rng.integers(len(options) - 1))
        genes = {**way.genes, way.choices[at].gene: options[(way.path[at] + step) % len(options)]}
        return self._joined(walk(self._decide, lambda choice: inherited(choice, [genes], rng)), network)

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """The deployment as a whole from `a` or from `b`, and a child of the networks."""
        (first, network_a), (second, network_b) = self._split(a), self._split(b)
        return self._joined(
            second if rng.integers(2) else first, self.inner.crossover(network_a, network_b, rng)
        )

    # As a tree

    def choice(self, path: tuple[int, ...]) -> Choice | None:
        """See `search.space.base.Space`."""
        size, left = self._head(path)
        return left if left is not None else self.inner.choice(path[size:])

    def path(self, architecture: Architecture) -> tuple[int, ...]:
        """See `search.space.base.Space`."""
        way, network = self._split(architecture)
        return (*way.path, *self.inner.path(network))

    def follow(self, path: tuple[int, ...]) -> Architecture:
        """See `search.space.base.Space`."""
        steps = iter(path)
        way = walk(self._decide, lambda choice: checked(next(steps, -1), choice))
        return self._joined(way, self.inner.follow(path[len(way.path) :]))

    # How it is done

    def _head(self, path: tuple[int, ...]) -> tuple[int, Choice | None]:
        """How many indices of `path` are of the deployment, and what is left to decide there."""
        size = 0
        while (left := next_choice(self._decide, path[:size])) is not None:
            if size == len(path):
                return size, left
            size += 1
        return size, None

    def _split(self, architecture: Architecture) -> tuple[Way[Deployment], Architecture]:
        if architecture.space != self.name:
            raise BadArchitecture(
                f"got an architecture of space '{architecture.space}', expected '{self.name}'"
            )
        return self._read(architecture.text)

    def _joined(self, way: Way[Deployment], network: Architecture) -> Architecture:
        text = " ".join([_token(gene, value) for gene, value in way.genes.items()])
        return Architecture(self.name, f"{text}{_BETWEEN}{network.text}" if text else network.text)

    def _parsed(self, text: str) -> tuple[Way[Deployment], Architecture]:
        tokens, between, rest = text.partition(_BETWEEN)
        told = iter(tokens.split(" ") if between else ())
        way = walk(self._decide, _pick(told, text))
        network = Architecture(self.inner.name, rest if way.path else text)
        if (way.path and not between) or self._joined(way, network).text != text:
            raise BadArchitecture(
                f'"{text}" is not written as this space writes it',
                remedy=f'valid is "{self._joined(way, network)}"',
            )
        self.inner.path(network)  # refuses what it cannot read
        return way, network


def _token(gene: str, value: Value) -> str:
    text = clock_text(value) if gene == CLOCK and isinstance(value, int) else shown(value)
    return f"{gene.rpartition('.')[2]}={text}"


def _pick(tokens: Iterator[str], text: str) -> Pick:
    def pick(choice: Choice) -> int:
        token = next(tokens, None)
        for index, option in enumerate(choice.options):
            if _token(choice.gene, option) == token:
                return index
        offered = ", ".join([_token(choice.gene, option) for option in choice.options])
        raise BadArchitecture(f'"{text}": got "{token or ""}", expected one of {offered}')

    return pick


def network_space(space: Space) -> Space:
    """The space of the networks alone."""
    return space.inner if isinstance(space, DeployedSpace) else space


def undeployed(space: Space, architecture: Architecture) -> Architecture:
    """The network alone, where its deployment is part of the architecture."""
    return space.network(architecture) if isinstance(space, DeployedSpace) else architecture
