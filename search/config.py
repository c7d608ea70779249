"""StudyConfig: all that a study is told, from a TOML file or from Python.

    study = StudyConfig(
        name="digits",
        data="digits",
        space=SpaceConfig("chain", {"filters": [8, 16, 32], "max_depth": 5}),
        strategy=StrategyConfig("aging_evolution", {"population": 16}, seed=1),
        objectives=["maximize accuracy", "minimize latency_us"],
        constraints=["latency_us <= 20 ms", "ram_bytes <= 64 kB"],
        device="emulated:nrf52840_dk",
        budget=Budget(trials=40, minutes=5),
    )

The keys of a study file are the fields of these classes; options of space, strategy and reward stand in
their tables, beside `name`.  A table that needs its name alone may be written as text: data = "digits".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from search.datasets.files import Kind
from search.errors import BadConfig
from search.objective import Objectives
from search.space import Space, make_space, space_options
from search.space.deploy import DeployedSpace, DeployOptions
from search.space.options import BadOption, Bounds, Options, build, nearest
from search.strategies import Strategy, make_strategy, strategy_options
from search.toml_file import TomlFile, parse_toml, read_toml

Positive: TypeAlias = Annotated[float, Bounds(above=0)]
DEVICES = ("emulated", "simulated", "serial")
METERS = ("estimate", "ina226", "ina219", "ppk2", "joulescope", "emulated")


@dataclass(frozen=True)
class DataConfig(Options):
    """Which data set.

    Attributes:
        name: a built-in one, or the path of an .npz file, relative to the study file.
        kind: how the samples of a file are to be read (docs/data.md).
    """

    name: str = "digits"
    kind: Kind = "images"


@dataclass(frozen=True)
class _Named(Options):
    """A choice by name with options of its own, which stand beside the name in the study file."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        plain = super().to_dict()
        options: dict[str, Any] = plain.pop("options")
        return plain | options

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Any:
        own = {one.name for one in fields(cls)} - {"options"}
        options = {key: value for key, value in table.items() if key not in own}
        return build(cls, {key: table[key] for key in table if key in own} | {"options": options})


@dataclass(frozen=True)
class SpaceConfig(_Named):
    """What to search in: a name in `search.space.SPACES`, and its options (e.g. `ChainOptions`)."""

    name: str = "chain"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "options", space_options(self.name, self.options).to_dict())


@dataclass(frozen=True)
class StrategyConfig(_Named):
    """How to search: a name in `search.strategies.STRATEGIES`, its options, and the seed of all choices."""

    name: str = "aging_evolution"
    seed: Annotated[int, Bounds(at_least=0)] = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "options", strategy_options(self.name, self.options).to_dict())


@dataclass(frozen=True)
class RewardConfig(_Named):
    """What strategies climb that climb one number: a name in `search.reward.REWARDS`, and its options."""

    name: str = "mnas"


@dataclass(frozen=True)
class Budget(Options):
    """When to end: after this many trials, or after this much time, whichever comes first."""

    trials: Annotated[int, Bounds(at_least=1)] | None = None
    minutes: Positive | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trials is None and self.minutes is None:
            message = "got neither trials nor minutes, expected at least one"
            raise BadOption((), message, remedy="write trials = 40")


@dataclass(frozen=True)
class TrainConfig(Options):
    """How a candidate is trained.

    Attributes:
        epochs: passes over the training data.
        batch_size: images per step.
        learning_rate: at the start.
    """

    epochs: Annotated[int, Bounds(at_least=1)] = 20
    batch_size: Annotated[int, Bounds(at_least=1)] = 64
    learning_rate: Positive = 0.01


@dataclass(frozen=True)
class MeasureConfig(Options):
    """How a candidate is measured.

    Attributes:
        warmup_runs: inferences that are not counted.
        min_runs, max_runs: bounds of the counted ones.
        max_run_s: no further repeat begins after this much time, once `min_runs` are done.
        spread: (max - min) / median of the cycles at which repeating ends.
        flash_timeout_s: deadline of one flash.
        retries: how often a transient fault is met by beginning again.
    """

    warmup_runs: Annotated[int, Bounds(at_least=0)] = 1
    min_runs: Annotated[int, Bounds(at_least=1)] = 3
    max_runs: Annotated[int, Bounds(at_least=1)] = 20
    max_run_s: Positive = 10.0
    spread: Annotated[float, Bounds(at_least=0)] = 0.005
    flash_timeout_s: Positive = 60.0
    retries: Annotated[int, Bounds(at_least=0)] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_runs > self.max_runs:
            raise BadOption(
                ("min_runs",), f"got {self.min_runs}, expected at most max_runs = {self.max_runs}"
            )


@dataclass(frozen=True)
class RunConfig(Options):
    """How a study is worked on; what it finds out of each network does not depend on it.

    Attributes:
        workers: processes that quantize, build and train; 1 with one device: this process does everything.
        order: "fixed": outcomes are told to the strategy in the order of the trials, so that a seed gives the
            same search again, with as many workers and devices.  "free": as they come, so that it knows most.
    """

    workers: Annotated[int, Bounds(at_least=1, at_most=256)] = 1
    order: Literal["fixed", "free"] = "fixed"


@dataclass(frozen=True)
class MeterConfig(Options):
    """What measures energy (docs/energy.md).

    Attributes:
        name: "ppk2:/dev/ttyACM1", "joulescope", "ina226" and so on; "estimate": the board profile's figures.
        subtract_idle: leave out what the board takes when it does nothing.
    """

    name: str = "estimate"
    subtract_idle: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        kind = self.name.partition(":")[0]
        if kind not in METERS:
            raise BadOption(("name",), f'got "{self.name}", no such meter', remedy=nearest(kind, METERS))


@dataclass(frozen=True)
class StudyConfig(Options):
    """One study.

    Attributes:
        name: letters, digits, ".", "_" and "-"; the study's folder is called so.
        objectives: such as "maximize accuracy"; the Pareto front is taken over them.
        constraints: such as "latency_us <= 20 ms"; `search/metrics.py` has metrics and units.
        device: "emulated:BOARD", "simulated:BOARD" or "serial:PORT".
        devices: further ones, which measure at the same time.
        board: id of a profile in boards/; needed for "serial:PORT" only, else it is part of `device`.
        patches: "auto" runs the first operators of a network in stripes where its arena would break a limit
            on RAM, at the price of latency; "never" gives such a network up.
        deploy: board, clock and patches as decisions of the search (docs/spaces/deploy.md).
        source: the file that it was read from; not part of what the study is.

    Raises:
        BadOption: a value that does not fit, with the dotted key.
    """

    name: str
    objectives: Annotated[tuple[str, ...], Bounds(at_least=1)] = ("maximize accuracy", "minimize latency_us")
    constraints: tuple[str, ...] = ()
    device: str = "emulated:nrf52840_dk"
    devices: tuple[str, ...] = ()
    board: str = ""
    patches: Literal["never", "auto"] = "never"
    data: DataConfig = field(default_factory=DataConfig)
    space: SpaceConfig = field(default_factory=SpaceConfig)
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    budget: Budget = field(default_factory=lambda: Budget(trials=40))
    train: TrainConfig = field(default_factory=TrainConfig)
    measure: MeasureConfig = field(default_factory=MeasureConfig)
    meter: MeterConfig = field(default_factory=MeterConfig)
    run: RunConfig = field(default_factory=RunConfig)
    deploy: DeployOptions = field(default_factory=DeployOptions)
    source: Path | None = field(default=None, compare=False, repr=False, metadata={"written": False})

    def __post_init__(self) -> None:
        for key, table in _TABLES.items():
            object.__setattr__(self, key, _read_table(key, table, getattr(self, key)))
        super().__post_init__()
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise BadOption(
                ("name",),
                f'got "{self.name}", expected letters, digits, ".", "_" or "-"',
                remedy="the study's folder is called so",
            )
        object.__setattr__(self, "board", _board_of(self.device, self.board))
        for device in self.devices:
            _board_of(device, self.board if device.startswith("serial:") else "")
            if self.all_devices.count(device) > 1:
                raise BadOption(
                    ("devices",), f'"{device}" stands there twice', remedy="name each device once"
                )
        self._check_boards()
        self.make_objectives()

    def _check_boards(self) -> None:
        named = [(device, text, _without_clock(text)) for device, text in self._boards_named()]
        boards = self.deploy.boards
        for device, text, board in named:
            if not boards and text != named[0][1]:
                message = f'"{device}" is another board than "{self.device}"'
                remedy = "to search over several boards, name them in [deploy]: boards = [...]"
                raise BadOption(("devices",), message, remedy=remedy, near=device)
            if boards and device != self.device and board not in boards:
                message = f'"{device}" is of none of the boards in [deploy]'
                raise BadOption(("devices",), message, remedy=f"known: {', '.join(boards)}", near=device)
            if self.deploy.clocks and text != board:
                message = f'"{device}" names a clock, and clocks are searched'
                raise BadOption(("deploy", "clocks"), message, remedy="name the clock once")
        kind = self.device.partition(":")[0]
        for board in boards:
            if (
                kind == "serial"
                and board not in self.deploy.devices
                and board not in [b for _, _, b in named]
            ):
                message = f"no device is named for board '{board}'"
                remedy = f'[deploy] devices = {{ {board} = "serial:PORT" }} names one, or "emulated:{board}"'
                raise BadOption(("deploy", "boards"), message, remedy=remedy, near=board)
            device = self.deploy.devices.get(board, f"emulated:{board}")
            try:
                named_board = _board_of(device, board if device.startswith("serial:") else "")
            except BadOption as error:
                raise BadOption(("deploy", "devices", board), error.detail, remedy=error.remedy) from None
            if _without_clock(named_board) != board:
                raise BadOption(("deploy", "devices", board), f'got "{device}", which is another board')

    def _boards_named(self) -> list[tuple[str, str]]:
        named = [(device, device.partition(":")) for device in self.all_devices]
        return [(device, self.board if kind == "serial" else rest) for device, (kind, _, rest) in named]

    @property
    def all_devices(self) -> tuple[str, ...]:
        """The first one, then the further ones."""
        return (self.device, *self.devices)

    def boards_of_devices(self) -> list[tuple[str, str]]:
        """Each device with the id of its board; boards of [deploy] that no device is named for have one of
        the first device's kind."""
        named = [(device, _without_clock(text)) for device, text in self._boards_named()]
        if not self.deploy.boards:
            return named
        found = [(device, board) for device, board in named if board in self.deploy.boards]
        found += [pair for pair in [(d, b) for b, d in self.deploy.devices.items()] if pair not in found]
        kind = self.device.partition(":")[0]
        served = {board for _, board in found}
        return found + [(f"{kind}:{board}", board) for board in self.deploy.boards if board not in served]

    def led_by(self, device: str) -> StudyConfig:
        """The same study with another of its devices as the first and, but for other boards, only one.

        Args:
            device: of `boards_of_devices`.
        """
        boards = dict(self.boards_of_devices())
        board = (boards[device] if self.deploy.boards else self.board) if device.startswith("serial:") else ""
        serving = {board: device for device, board in reversed(boards.items())} | {boards[device]: device}
        deploy = replace(self.deploy, devices=serving) if self.deploy.boards else self.deploy
        return replace(self, device=device, devices=(), board=board, deploy=deploy)

    def make_objectives(self) -> Objectives:
        """Objectives, constraints and reward as the strategies and reports use them."""
        return Objectives.parse(
            self.objectives, self.constraints, reward=self.reward.name, reward_options=self.reward.options
        )

    def make_space(
        self, *, input_shape: tuple[int, ...], classes: int, clocks: Mapping[str, Sequence[int]] | None = None
    ) -> Space:
        """The space, for data of this shape.

        Args:
            clocks: `search.devices.clocks_of(self)`, where clocks are a part of the search.
        """
        folder = self.source.parent if self.source is not None else None
        space = make_space(
            self.space.name, self.space.options, input_shape=input_shape, classes=classes, folder=folder
        )
        if self.deploy == DeployOptions():
            return space
        if self.deploy.clocks and not clocks:
            message = "clocks are a part of the search, but not known here"
            raise BadOption(("deploy", "clocks"), message, remedy="hand in search.devices.clocks_of(config)")
        return DeployedSpace(
            space,
            boards=self.deploy.boards or (_without_clock(self.board),),
            clocks=clocks,
            patches=[word == "auto" for word in self.deploy.patches],
        )

    def make_strategy(self, space: Space) -> Strategy:
        """The strategy, not asked for anything yet."""
        return make_strategy(
            self.strategy.name,
            space,
            self.make_objectives(),
            seed=self.strategy.seed,
            options=self.strategy.options,
        )

    def to_dict(self) -> dict[str, Any]:
        """Canonical: the keys of a study file, all defaults filled in.  `from_dict` reads it back."""
        plain: dict[str, Any] = {}
        for one in fields(self):
            if one.name != "source":
                value = getattr(self, one.name)
                plain[one.name] = value.to_dict() if isinstance(value, Options) else value
        for key in ("objectives", "constraints", "devices"):
            plain[key] = list(plain[key])
        return plain

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> StudyConfig:
        """Of a mapping like that of a study file.

        Raises:
            BadOption: with the dotted key.
        """
        return build(cls, table)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all but [budget] and [run]: a study may go on for longer, and otherwise worked on,
        than was planned at first."""
        text = json.dumps(_identity(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


_TABLES: dict[str, type[Options]] = {
    "data": DataConfig,
    "space": SpaceConfig,
    "strategy": StrategyConfig,
    "reward": RewardConfig,
    "budget": Budget,
    "train": TrainConfig,
    "measure": MeasureConfig,
    "meter": MeterConfig,
    "run": RunConfig,
    "deploy": DeployOptions,
}


def load(path: str | Path) -> StudyConfig:
    """Read a study file.

    Raises:
        BadConfig: missing or malformed file, unknown key, wrong value: with file, line, key, what was
            received and what was expected.
    """
    return _placed(read_toml(Path(path)), Path(path))


def loads(text: str, *, name: str = "<text>") -> StudyConfig:
    """As `load`, of a text that messages call `name`."""
    return _placed(parse_toml(text, name=name), None)


def diff(old: StudyConfig, new: StudyConfig) -> list[str]:
    """What tells two studies apart (see `StudyConfig.digest`), one line a key: "train.epochs: 20 -> 30"."""
    before, after = dict(_flat((), _identity(old))), dict(_flat((), _identity(new)))
    return [
        f"{key}: {before.get(key, '(absent)')} -> {after.get(key, '(absent)')}"
        for key in [*before, *(key for key in after if key not in before)]
        if before.get(key) != after.get(key)
    ]


def _placed(file: TomlFile, source: Path | None) -> StudyConfig:
    try:
        config = StudyConfig.from_dict(file.data)
    except BadOption as error:
        line = file.line_of(error.key, near=error.near)
        raise BadConfig(f"{file.name}:{line}: {error.message}", remedy=error.remedy) from error
    object.__setattr__(config, "source", source)
    return config


def _read_table(key: str, table: type[Options], value: Any) -> Any:
    """A table as its class, from the class itself, a mapping, or the name alone."""
    try:
        if isinstance(value, str) and "name" in {one.name for one in fields(table)}:
            value = {"name": value}
        if isinstance(value, Mapping):
            return table.from_dict(value) if issubclass(table, _Named) else build(table, value)
    except BadOption as error:
        raise error.below(key) from None
    return value


def _board_of(device: str, board: str) -> str:
    kind, colon, rest = device.partition(":")
    if kind not in DEVICES or not colon or not rest:
        message = f'got "{device}", expected "emulated:BOARD", "simulated:BOARD" or "serial:PORT"'
        behind = f'write "{kind}:" and the board or port behind it'
        remedy = behind if kind in DEVICES else nearest(kind, DEVICES)
        raise BadOption(("device",), message, remedy=remedy)
    if kind == "serial" and not board:
        message = f'missing; "{device}" does not say which board it is'
        raise BadOption(("board",), message, remedy='write board = "..."; `hilnas boards` lists them')
    if kind != "serial" and board not in ("", rest):
        raise BadOption(("board",), f'got "{board}", but device = "{device}"', remedy="leave board out")
    return board or rest


def _without_clock(board: str) -> str:
    """ "nucleo_f446re@84MHz" -> "nucleo_f446re"."""
    return board.partition("@")[0]


def _identity(config: StudyConfig) -> dict[str, Any]:
    identity = {key: value for key, value in config.to_dict().items() if key not in ("budget", "run")}
    if not config.devices:
        del identity["devices"]
    if config.data.kind == DataConfig().kind:
        del identity["data"]["kind"]
    if config.deploy == DeployOptions():
        del identity["deploy"]
    if config.meter == MeterConfig():
        del identity["meter"]  # a study that was begun before there were meters goes on
    return identity


def _flat(prefix: tuple[str, ...], value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for key in value for pair in _flat((*prefix, str(key)), value[key])]
    return [(".".join(prefix), json.dumps(value))]
