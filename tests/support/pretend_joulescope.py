"""A pyjoulescope_driver that has no instrument: topics, and messages in the form of the real one's.

The form is that of the driver's binding (2.2): for each signal a dict with `sample_id`, `utc`, `field_id`,
`index`, `sample_rate`, `decimate_factor`, `time_map`, and `data`: float32, or bits packed from the lowest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hil.testing.meter_suite import Scene

SAMPLE_RATE_HZ = 2_000_000
_MESSAGE_SAMPLES = 1000  # a multiple of 8, as the driver sends bits
_LEAD_S, _TAIL_S = 0.05, 0.01


class PretendDriver:
    """As pyjoulescope_driver.Driver; what it publishes follows the scene.

    Attributes:
        published: topic and value, in order.
    """

    def __init__(self, scene: Scene, paths: tuple[str, ...] = ("u/js220/000415",)) -> None:
        self._scene = scene
        self._paths = paths
        self._callbacks: dict[str, Callable[[str, Any], None]] = {}
        self._on: set[str] = set()
        self._decimate = 2
        self.published: list[tuple[str, Any]] = []
        scene.on_window = self._stream

    def device_paths(self) -> list[str]:
        return list(self._paths)

    def open(self, device_prefix: str, mode: str | None = None) -> None:
        if device_prefix not in self._paths:
            raise RuntimeError("no such device")

    def close(self, device_prefix: str) -> None:
        self._on.clear()

    def finalize(self) -> None:
        self._callbacks.clear()

    def publish(self, topic: str, value: Any, timeout: float | None = None) -> None:
        self.published.append((topic, value))
        if topic.endswith("/h/fs"):
            self._decimate = SAMPLE_RATE_HZ // int(value)
        elif topic.endswith("/ctrl"):
            (self._on.add if value else self._on.discard)(topic.removesuffix("/ctrl"))

    def subscribe(self, topic: str, flags: list[str], fn: Callable[[str, Any], None]) -> None:
        self._callbacks[topic] = fn

    def unsubscribe(self, topic: str, fn: Callable[[str, Any], None]) -> None:
        if self._callbacks.pop(topic) is not fn:  # the real one compares addresses
            raise RuntimeError("not subscribed")

    def _stream(self) -> None:
        scene, rate = self._scene, SAMPLE_RATE_HZ // self._decimate
        times = np.arange(round((_LEAD_S + scene.window_s + _TAIL_S) * rate)) / rate - _LEAD_S
        within = (times >= 0) & (times < scene.window_s)
        level = np.floor(np.where(within, times, 0) * len(scene.active_a) / scene.latency_s + 1e-9).astype(
            int
        )
        current = np.where(within, np.asarray(scene.active_a)[level % len(scene.active_a)], scene.idle_a)
        signals = {
            "s/i": current.astype(np.float32),
            "s/v": np.full(times.size, scene.voltage_v, dtype=np.float32),
            "s/gpi/0": (within & scene.trigger_wired).astype(np.uint8),
        }
        lost_from = round((_LEAD_S + 0.4 * scene.window_s) * rate)
        # Each signal comes in messages of its own, and begins a little later than the one before.
        for number, (signal, values) in enumerate(signals.items()):
            for start in range(8 * number, values.size, _MESSAGE_SAMPLES):
                self._message(signal, start, values[start : start + _MESSAGE_SAMPLES], lost_from)

    def _message(self, signal: str, start: int, values: Any, lost_from: int) -> None:
        lost_to = lost_from + self._scene.lost
        if signal == "s/i" and start < lost_to and start + values.size > lost_from:
            cut = max(0, lost_from - start)
            self._send(signal, start, values[:cut])
            resumed = min(values.size, lost_to - start)
            start, values = start + resumed, values[resumed:]
        self._send(signal, start, values)

    def _send(self, signal: str, start: int, values: Any) -> None:
        path = self._paths[0]
        topic = f"{path}/{signal}/!data"
        if not values.size or f"{path}/{signal}" not in self._on or topic not in self._callbacks:
            return
        data = np.packbits(values, bitorder="little") if signal == "s/gpi/0" else values
        self._callbacks[topic](
            topic,
            {
                "sample_id": start * self._decimate,
                "utc": 0,
                "field_id": 1,
                "index": 0,
                "sample_rate": SAMPLE_RATE_HZ,
                "decimate_factor": self._decimate,
                "time_map": {"offset_time": 0, "offset_counter": 0, "counter_rate": float(SAMPLE_RATE_HZ)},
                "data": data,
            },
        )
