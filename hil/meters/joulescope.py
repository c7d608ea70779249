"""`joulescope`: Joulescope JS110 or JS220, through PyPI's pyjoulescope_driver.

Current, voltage and general purpose input 0, which takes the trigger, come as messages of the driver: for
each signal a dict with `sample_id` (in samples of `sample_rate`), `decimate_factor`, and `data`: float32 of A
and V, or for the input one bit a sample, the first sample in the lowest bit of a byte.  A sample that no
message brought was lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.device import Device
from hil.errors import MeterError, ToolMissing
from hil.meters.recording import Accuracy, Recording

CURRENT, VOLTAGE, TRIGGER = "s/i", "s/v", "s/gpi/0"
RATE_HZ = 200_000
_RANGES = {
    "js110": (("s/i/range/select", "auto"), ("s/v/range/select", "15 V")),
    "js220": (("s/i/range/mode", "auto"), ("s/v/range/mode", "auto")),
}
_TIMEOUT_S = 1.0

ACCURACY = Accuracy(
    gain=0.005,
    offset_a=1e-6,
    voltage_gain=0.002,
    source="wider than what the maker's datasheets are quoted with for 1 mA to 1 A; not confirmed",
)


@dataclass
class JoulescopeRecorder:
    """One Joulescope.

    Attributes:
        serial_number: "" for the only one that is attached.
    """

    serial_number: str = ""
    name: str = "joulescope"
    lead_s: float = 0.25
    trigger_input: str = "GPI 0 of the Joulescope (its Vref to the board's supply)"
    accuracy: Accuracy = ACCURACY
    _driver: Any = field(default=None, repr=False)
    _path: str = ""
    _messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    _callback: Callable[[str, dict[str, Any]], None] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def open(self, device: Device) -> None:
        """Open the instrument; the board's supply then flows through it."""
        if self._driver is not None:
            return
        driver = _make_driver()
        try:
            self._path = self._find(driver, device.name)
            driver.open(self._path, mode="defaults")
            for topic, value in (("h/fs", RATE_HZ), *_RANGES[self._path.split("/")[1]]):
                driver.publish(f"{self._path}/{topic}", value)
        except (RuntimeError, OSError, TimeoutError) as error:
            driver.finalize()
            raise MeterError(
                f"the Joulescope cannot be used: {error}",
                device=device.name,
                remedy="close the Joulescope UI, and check its USB cable",
            ) from error
        except MeterError:
            driver.finalize()
            raise
        self._driver = driver

    def start(self) -> None:
        """Subscribe to the three signals, and switch them on."""
        with self._lock:
            self._messages = {CURRENT: [], VOLTAGE: [], TRIGGER: []}
        self._callback = (
            self._on_data
        )  # the driver asks for this very object again when it is to let go of it
        driver = self._opened()
        with self._told():
            for signal in self._messages:
                driver.subscribe(f"{self._path}/{signal}/!data", ["pub"], self._callback)
                driver.publish(f"{self._path}/{signal}/ctrl", 1, timeout=_TIMEOUT_S)

    def stop(self) -> Recording:
        """Switch them off, and put the messages together."""
        driver = self._opened()
        with self._told():
            for signal in self._messages:
                driver.publish(f"{self._path}/{signal}/ctrl", 0, timeout=_TIMEOUT_S)
                driver.unsubscribe(f"{self._path}/{signal}/!data", self._callback)
        with self._lock:
            return assemble(self._messages, self.name)

    def close(self) -> None:
        """Let go of the instrument.  The board stays on."""
        if self._driver is not None:
            self._driver.close(self._path)
            self._driver.finalize()
            self._driver = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Faults of the driver, as this package tells them."""
        try:
            yield
        except (RuntimeError, OSError, TimeoutError) as error:
            raise MeterError(
                f"the Joulescope went away: {error}", device=self.name, remedy="check its USB cable"
            ) from error

    def _on_data(self, topic: str, value: dict[str, Any]) -> None:
        """Called by the driver, from a thread of its own."""
        signal = topic.removeprefix(f"{self._path}/").removesuffix("/!data")
        with self._lock:
            self._messages[signal].append(value)

    def _find(self, driver: Any, device: str) -> str:
        paths = [path for path in driver.device_paths() if path.split("/")[1] in _RANGES]
        found = [path for path in paths if path.lower().endswith(self.serial_number.lower())]
        if len(found) != 1:
            raise MeterError(
                f"{len(found)} Joulescopes fit '{self.serial_number}', expected one",
                device=device,
                remedy="name one: --meter joulescope:SERIAL; attached: "
                + (", ".join(path.split("/")[2] for path in paths) or "none"),
            )
        return str(found[0])

    def _opened(self) -> Any:
        if self._driver is None:
            raise MeterError("the Joulescope is not open", device=self.name, remedy="call open() first")
        return self._driver


def assemble(messages: dict[str, list[dict[str, Any]]], device: str) -> Recording:
    """Messages of the three signals -> samples on one even grid, NaN where any of them is missing.

    Raises:
        MeterError: a signal did not come at all, or they were sampled at different rates.
    """
    silent = [signal for signal, found in messages.items() if not any(len(one["data"]) for one in found)]
    rates = {one["sample_rate"] / one["decimate_factor"] for found in messages.values() for one in found}
    if silent or len(rates) != 1:
        what = f"no data came for {', '.join(silent)}" if silent else f"signals came at rates {sorted(rates)}"
        raise MeterError(what, device=device, remedy="update the driver and the instrument's firmware")
    placed = {signal: [_placed(signal, one) for one in found] for signal, found in messages.items()}
    # What all three have begun and none has ended yet.
    first = max(min(start for start, _ in pieces) for pieces in placed.values())
    end = min(max(start + data.size for start, data in pieces) for pieces in placed.values())
    current, voltage, trigger = (_grid(placed[signal], first, end) for signal in (CURRENT, VOLTAGE, TRIGGER))
    lost = np.isnan(current) | np.isnan(voltage) | np.isnan(trigger)
    current[lost] = np.nan
    voltage[lost] = np.nan
    return Recording(current, trigger > 0.5, voltage, rates.pop())


def _placed(signal: str, message: dict[str, Any]) -> tuple[int, NDArray[np.float64]]:
    """Number of the first sample, and the samples."""
    data = np.asarray(message["data"])
    if signal == TRIGGER:
        # Whole bytes: the last one may hold bits of no sample, which the next message's samples replace.
        data = np.unpackbits(data, bitorder="little")
    return int(message["sample_id"]) // int(message["decimate_factor"]), data.astype(np.float64)


def _grid(pieces: list[tuple[int, NDArray[np.float64]]], first: int, end: int) -> NDArray[np.float64]:
    grid = np.full(max(0, end - first), np.nan)
    for start, data in sorted(pieces, key=lambda piece: piece[0]):
        low, high = max(start, first), min(start + data.size, end)
        if low < high:
            grid[low - first : high - first] = data[low - start : high - start]
    return grid


def _make_driver() -> Any:
    try:
        from pyjoulescope_driver import Driver
    except ImportError as error:
        raise ToolMissing(
            "the driver of the Joulescope is not installed", remedy="pip install 'hilnas[joulescope]'"
        ) from error
    return Driver()
