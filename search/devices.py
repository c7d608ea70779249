"""DevicePool: the device for each way in which a study deploys networks.

Without a table [deploy] that is the device that the study names.  With it, each board at each of its clocks
has a device of its own, named like any other ("emulated:nucleo_f446re@84MHz"), so that measurements are
never taken for each other.  Devices are opened when they are first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hil.board import Board, load_board
from hil.device import Device
from hil.devices import open_device
from hil.emulator.open import require_emulated
from hil.meters.choose import with_sensor_driver
from hil.meters.metering import Metering
from hil.units import frequency
from search.config import StudyConfig
from search.errors import BadConfig
from search.space.base import Deployment
from search.space.options import BadOption

Adapt = Callable[[Device], Device]
_MODELLED_METERS = ("estimate", "emulated")


@dataclass(frozen=True, eq=False)
class _Place:
    """A board at one clock, and the text that its device is opened by."""

    board_id: str
    board: Board
    device: str

    @property
    def is_serial(self) -> bool:
        return self.device.startswith("serial:")


def clocks_of(config: StudyConfig, *, own: Board | None = None) -> Mapping[str, tuple[int, ...]]:
    """Board -> the clocks in Hz that the study chooses from; none where clocks are no part of the search.

    Args:
        own: in the place of the profile of the study's first device.

    Raises:
        BadOption: a clock that no board has, or a board that has none of them.
        UnknownBoard, BadBoard: see hil.board.load_board.
    """
    if not config.deploy.clocks:
        return {}
    offered = {board_id: board.clocks_hz for board_id, (board, _) in _boards(config, own).items()}
    try:
        return config.deploy.clocks_of_all(offered)
    except BadOption as error:
        raise error.below("deploy") from None


class DevicePool:
    """See the module.

    Args:
        config: the study.
        metering: with what energy is measured, as it decides what is built into the firmware.
        device: in the place of the study's first one; stays open for as long as the pool.
        adapt: makes of each opened device the one that is used.

    Raises:
        BadConfig, HilError: a board that cannot be used so, and why.
    """

    def __init__(
        self,
        config: StudyConfig,
        metering: Metering | None = None,
        *,
        device: Device | None = None,
        adapt: Adapt = lambda device: device,
    ) -> None:
        self._driver = metering is not None and metering.meter.needs_sensor_driver
        self._adapt = adapt
        self.clocks = clocks_of(config, own=None if device is None else device.board)
        self._places = _places(config, self.clocks, None if device is None else device.board)
        self._open: dict[_Place, Device] = {}
        if device is not None:
            self._open[self._places[0]] = device
        _check(config, self._places, given=device is not None)
        self._named_apart = bool(config.deploy.boards or config.deploy.clocks)

    @property
    def identity(self) -> dict[str, str]:
        """What the figures depend on beside the configuration: digests of the profiles."""
        if not self._named_apart:
            return {"board profile": self.of(Deployment()).board.digest}
        return {f"board profile {place.board.label}": place.board.digest for place in self._places}

    def of(self, deployment: Deployment) -> Device:
        """The device that such a network is measured on.

        Raises:
            HilError: it cannot be opened.
        """
        place = self._place(deployment)
        if place not in self._open:
            if place.is_serial:  # one port serves all clocks of its board
                self._let_go(place.device)
            device = open_device(place.device, board=place.board)
            if self._driver:
                device = open_device(place.device, board=with_sensor_driver(device.board))
            self._open[place] = self._adapt(device)
        return self._open[place]

    def close(self) -> None:
        """Let go of all devices.  Closing twice is harmless."""
        for device in self._open.values():
            device.close()

    def _place(self, wanted: Deployment) -> _Place:
        for place in self._places:
            if wanted.board in (None, place.board_id) and wanted.clock_hz in (
                None,
                place.board.core.clock_hz,
            ):
                return place
        raise BadConfig(
            f"the study has no device for {wanted}", remedy="name the board in [deploy], and a device for it"
        )

    def _let_go(self, port: str) -> None:
        for place in [place for place in self._open if place.device == port]:
            self._open.pop(place).close()


def _boards(config: StudyConfig, own: Board | None) -> dict[str, tuple[Board, str]]:
    """Id, as the study writes it -> profile, and the device that serves it."""
    found: dict[str, tuple[Board, str]] = {}
    for device, board_id in config.boards_of_devices():
        if board_id not in found:
            kind, _, name = device.partition(":")
            if kind == "serial":  # [deploy] gives other boards than the first device's by id
                name = config.board if config.board.partition("@")[0] == board_id else board_id
            profile = load_board(name)
            found[board_id] = (own if own is not None and not found else profile, device)
    return found


def _places(
    config: StudyConfig, clocks: Mapping[str, tuple[int, ...]], own: Board | None
) -> tuple[_Place, ...]:
    places = []
    for board_id, (board, device) in _boards(config, own).items():
        for hz in clocks.get(board_id, (board.core.clock_hz,)):
            at = board.at_clock(hz)
            serial = device.startswith("serial:") or at is board
            places.append(_Place(board_id, at, device if serial else f"{device}@{frequency(hz)}"))
    return tuple(places)


def _check(config: StudyConfig, places: tuple[_Place, ...], *, given: bool) -> None:
    """All that can be told of boards and devices before any work.  Raises BadConfig, BadDevice."""
    meter = config.meter.name.partition(":")[0]
    if len({place.board_id for place in places}) > 1 and meter not in _MODELLED_METERS:
        raise BadConfig(
            f"meter '{config.meter.name}' is wired to one board, but [deploy] chooses among several",
            remedy="leave the meter out, or search for one board",
        )
    weighs_energy = "energy_uj" in config.make_objectives().needed_metrics
    for place in places:
        if weighs_energy and place.board.power is None and meter in _MODELLED_METERS:
            raise BadConfig(
                f"the study weighs energy_uj, but the profile of {place.board.name} has no current to "
                f"estimate it with{_at(place.board)}",
                remedy="add the power figures to the board's profile, name a meter, or leave energy_uj out",
            )
        if given and place is places[0]:
            continue
        if place.device.startswith("emulated"):
            require_emulated(place.board)
        if not place.is_serial:
            open_device(place.device, board=place.board).close()


def _at(board: Board) -> str:
    return "" if board.own_clock is None else f" at {frequency(board.core.clock_hz)}"
