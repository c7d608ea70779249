"""`ppk2`: Nordic Power Profiler Kit II, through PyPI's ppk2-api.

It samples current and eight logic inputs 100,000 times a second; D0 takes the trigger.  Each sample is a
little-endian word of 32 bits:

    bits   0-13   ADC value
          14-16   range: 0 (most sensitive) to 4
          18-23   counter, which tells samples that USB has lost
          24-31   logic inputs D0 to D7

The current is ppk2-api's, which knows the unit's calibration and filters the spikes after a switch of range.
The counter is looked at here, as that package leaves it alone.  Its licence is the GPL v2; it is installed on
request only, and no part of this project.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.device import Device
from hil.errors import LostSamples, MeterError, ToolMissing
from hil.meters.recording import Accuracy, Recording

RATE_HZ = 100_000
COUNTER_STEPS = 64
FILTERED_SAMPLES = 3  # after a switch of range, by ppk2-api's spike filter
_MOST_GAPS = 0.02  # of all samples; beyond it bytes were lost, and words are no longer words
_POLL_S = 0.005
_QUIET_POLLS = 10  # without a byte, after the stream was stopped

ACCURACY = Accuracy(
    gain=0.10,
    offset_a=0.2e-6,
    voltage_gain=0.0,
    source="10 % as the maker's product page is quoted, offset 1 LSB of the finest range; not confirmed",
)


@dataclass
class Ppk2Recorder:
    """One PPK2.

    Attributes:
        port: its serial port; "" for the only one that is attached.
        voltage_v: what it feeds the board with, or what feeds the board; None for the profile's figure.
        feeds: whether it is the board's supply (source meter); else it measures in series (ampere meter).
    """

    port: str = ""
    voltage_v: float | None = None
    feeds: bool = True
    name: str = "ppk2"
    lead_s: float = 0.25
    trigger_input: str = "D0 of the PPK2's logic port (its VCC to the board's supply, GND to GND)"
    accuracy: Accuracy = ACCURACY
    _api: Any = field(default=None, repr=False)
    _voltage_v: float = 0.0
    _bytes: bytearray = field(default_factory=bytearray, repr=False)
    _reader: threading.Thread | None = field(default=None, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    _lost: Exception | None = field(default=None, repr=False)

    def open(self, device: Device) -> None:
        """Open the port, read the calibration, choose the mode, and feed the board where it is to."""
        if self._api is not None:
            return
        power = device.board.power
        if self.voltage_v is None and power is None:
            raise MeterError(
                f"the profile of {device.board.name} tells no voltage",
                device=device.name,
                remedy="write it behind the port: --meter ppk2:PORT,source=3.0 (or ampere=3.0)",
            )
        self._voltage_v = self.voltage_v if self.voltage_v is not None else power.voltage_v if power else 0.0
        api_class = _driver()
        port = self.port or _only_port(api_class, device.name)
        try:
            api = api_class(port, timeout=1, write_timeout=1)
            _silence(api)
            if not api.get_modifiers():
                raise OSError("it does not tell its calibration")
            if self.feeds:
                api.use_source_meter()
            else:
                api.use_ampere_meter()
            api.set_source_voltage(round(self._voltage_v * 1000))
            api.toggle_DUT_power("ON")
        except (OSError, ValueError) as error:  # pyserial's errors are OSError
            raise MeterError(
                f"the PPK2 on {port} cannot be used: {error}",
                device=device.name,
                remedy="close nRF Connect's Power Profiler, plug the PPK2 out and in, name its first port",
            ) from error
        self._api = api

    def start(self) -> None:
        """Begin to stream; a thread empties the port, whose buffer holds a fraction of a second."""
        self._bytes = bytearray()
        self._lost = None
        self._ended.clear()
        self._opened().get_data()
        self._opened().start_measuring()
        self._reader = threading.Thread(target=self._read, name="ppk2", daemon=True)
        self._reader.start()

    def stop(self) -> Recording:
        """End the stream, and decode it."""
        api = self._opened()
        api.stop_measuring()
        self._ended.set()
        if self._reader is not None:
            self._reader.join()
            self._reader = None
        if self._lost is not None:
            raise MeterError(
                f"the PPK2 went away: {self._lost}", device=self.name, remedy="check its USB cable"
            )
        data = bytes(self._bytes)
        return decode(data[: len(data) // 4 * 4], api, self._voltage_v, self.name)

    def close(self) -> None:
        """Let go of the port.  The board stays on."""
        if self._api is not None:
            self._api.ser.close()
            self._api = None

    def _read(self) -> None:
        try:
            quiet_polls = 0
            while quiet_polls < _QUIET_POLLS:  # what is on its way at the end is read as well
                time.sleep(_POLL_S)
                piece = self._api.get_data()
                self._bytes += piece
                quiet_polls = quiet_polls + 1 if self._ended.is_set() and not piece else 0
        except OSError as error:
            self._lost = error

    def _opened(self) -> Any:
        if self._api is None:
            raise MeterError("the PPK2 is not open", device=self.name, remedy="call open() first")
        return self._api


def decode(data: bytes, api: Any, voltage_v: float, device: str) -> Recording:
    """Bytes of the stream -> samples on an even grid, NaN where the counter has a gap.

    Args:
        data: whole words.
        api: a PPK2_API, which turns words into microampere.

    Raises:
        LostSamples: the words make no sense, as bytes were lost.
    """
    words = np.frombuffer(data, dtype="<u4")
    if words.size == 0:
        return Recording(np.zeros(0), np.zeros(0, dtype=bool), voltage_v, RATE_HZ)
    counter = (words >> 18 & 63).astype(np.int64)
    gaps = (np.diff(counter, prepend=counter[0] - 1) - 1) % COUNTER_STEPS
    if np.count_nonzero(gaps) > _MOST_GAPS * words.size:
        raise LostSamples(
            f"{np.count_nonzero(gaps):,} gaps in {words.size:,} samples: bytes of the stream were lost",
            device=device,
            remedy="plug the PPK2 into a USB port of its own, without a hub, and close other programs",
        )
    api.remainder = {"sequence": b"", "len": 0}
    microampere, _ = api.get_samples(data)
    place = np.arange(words.size) + np.cumsum(gaps)
    count = int(place[-1]) + 1
    current = np.full(count, np.nan)
    current[place] = np.asarray(microampere, dtype=np.float64) * 1e-6
    trigger = np.zeros(count, dtype=bool)
    trigger[place] = (words >> 24 & 1).astype(bool)
    doubtful = np.zeros(count, dtype=bool)
    doubtful[place] = _filtered(words >> 14 & 7)
    return Recording(current, trigger, voltage_v, RATE_HZ, doubtful)


def _filtered(ranges: NDArray[Any]) -> NDArray[np.bool_]:
    """Samples that the spike filter has changed: the first ones after each switch of range."""
    switched = np.diff(ranges.astype(np.int64), prepend=int(ranges[0])) != 0
    filtered = np.zeros(ranges.size, dtype=bool)
    for later in range(FILTERED_SAMPLES):
        filtered[later:] |= switched[: ranges.size - later]
    return filtered


def _silence(api: Any) -> None:
    """End the stream of a program that died: samples are no text, and the calibration is."""
    api.stop_measuring()
    for _ in range(_QUIET_POLLS):
        time.sleep(_POLL_S)
        api.get_data()


def _driver() -> Any:
    try:
        from ppk2_api.ppk2_api import PPK2_API
    except ImportError as error:
        raise ToolMissing(
            "the driver of the PPK2 is not installed", remedy="pip install 'hilnas[ppk2]'"
        ) from error
    return PPK2_API


def _only_port(api_class: Any, device: str) -> str:
    ports = sorted(api_class.list_devices())
    if not ports:
        raise MeterError(
            "no PPK2 is attached", device=device, remedy="plug it in, or name it: --meter ppk2:PORT"
        )
    return str(ports[0])  # it shows several; the first one takes commands
