"""Measure one image on one device: frames -> Measurement.

    flash, connect, HELLO (is it the image that was flashed?), warm-up, repeats until the spread is small or a
    bound is met, one profiled run where layers are asked for, and the output held against the reference.

Transient faults (a lost frame, a failed flash) are met by closing the way to the device and beginning again
with the flash, at most `retries` times; all others are raised at once (docs/faults.md).
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from hil.device import Device
from hil.errors import DeviceError, Outcome, UnstableOutput, WrongOutput
from hil.identity import identify
from hil.image import Image
from hil.interpreter import Reference
from hil.layers import layer_measurements
from hil.link import Link
from hil.macs import model_macs
from hil.measurement import Energy, Measurement, Origin, OutputCheck, Provenance
from hil.program import Program
from hil.protocol import Info

if TYPE_CHECKING:
    from hil.meters.metering import Metering

EMULATED_UNIT = b"EMULATED"
"""The unit id that an emulated board gives in INFO."""

REPLY_TIMEOUT_S = 2.0
"""Silence after which a question is asked again."""

SILENT_REPLIES = 8
"""So many such silences, beside the inference itself, make a board one that hangs: two for each attempt."""

MOST_CYCLES_PER_MAC = 1000
"""Far more than any kernel takes on any core; only the deadline of an inference is made of it."""


@dataclass(frozen=True)
class BenchSettings:
    """How to measure.  Part of a measurement's origin, and of what tells two measurements apart.

    Attributes:
        warmup_runs: inferences that are not counted.
        min_runs, max_runs: bounds of the counted ones.
        max_run_s: no further repeat begins after this much time on the host, once `min_runs` are done.
        spread: (max - min) / median of the cycles at which repeating ends.
        per_layer: also ask for each operator's cycles, in a run of its own.
        flash_timeout_s: deadline of one flash.
        retries: how often a transient fault is met by beginning again.
    """

    warmup_runs: int = 1
    min_runs: int = 3
    max_runs: int = 20
    max_run_s: float = 10.0
    spread: float = 0.005
    per_layer: bool = False
    flash_timeout_s: float = 60.0
    retries: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.min_runs <= self.max_runs:
            raise ValueError(
                f"min_runs {self.min_runs} and max_runs {self.max_runs}, expected 1 <= min_runs <= max_runs"
            )
        if self.warmup_runs < 0 or self.retries < 0:
            raise ValueError(f"warmup_runs {self.warmup_runs} and retries {self.retries}, expected 0 or more")


@dataclass(frozen=True)
class _Inference:
    cycles: int
    stack_used: int
    output: bytes


@dataclass(frozen=True)
class _Run:
    """One session's yield, before it becomes a Measurement."""

    info: Info
    cycles: tuple[int, ...]
    stack_bytes: int
    output: bytes
    layer_cycles: tuple[int, ...]
    instructions: int | None
    energy: Energy | None
    stages_s: dict[str, float]


def input_bytes(count: int) -> bytes:
    """The input of every measurement, pseudo-random: int8 value of byte k is ((73 k + 41) mod 256) - 128."""
    values = (73 * np.arange(count, dtype=np.int64) + 41) % 256 - 128
    return values.astype(np.int8).tobytes()


def bench(
    image: Image,
    device: Device,
    settings: BenchSettings,
    reference: Reference,
    *,
    metering: Metering | None = None,
    reply_timeout_s: float = REPLY_TIMEOUT_S,
) -> Measurement:
    """Flash `image` and measure it.

    Args:
        metering: what measures energy; None: the profile's estimate.
        reply_timeout_s: silence after which a question is asked again; no figure depends on it.

    The transport that this opens is closed again, whatever happens; the device stays open for the next image.

    Raises:
        WrongImage: another image answers, although the flash was reported as done.
        WrongOutput: the device's output differs from the reference by more than its tolerance.
        DeviceError: any other fault of the device; transient ones after `settings.retries` retries.
    """
    attempt = 0
    while True:
        try:
            run = _session(image, device, settings, metering, reply_timeout_s)
            break
        except DeviceError as error:
            if error.outcome is not Outcome.TRANSIENT or attempt >= settings.retries:
                if attempt:
                    error.add_note(f"after {attempt + 1} attempts")
                raise
            attempt += 1
    with _timed(run.stages_s, "check"):
        check = _check_output(run, device, reference)
    return _measurement(image, device, settings, run, check)


@contextmanager
def _timed(stages_s: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        stages_s[stage] = time.perf_counter() - start


def _session(
    image: Image, device: Device, settings: BenchSettings, metering: Metering | None, reply_timeout_s: float
) -> _Run:
    stages_s = {"build": image.build_s}
    if metering is not None:
        metering.open(device)  # the meter may be what feeds the board
    with _timed(stages_s, "flash"):
        device.flash(image, timeout_s=settings.flash_timeout_s)
    with ExitStack() as stack:
        with _timed(stages_s, "connect"):
            transport = device.connect()
            stack.callback(transport.close)
            link = Link(transport, device.name, reply_timeout_s=reply_timeout_s)
            info = identify(link, image, device)
        timeout_s = longest_run_s(image.program, info.clock_hz, reply_timeout_s)
        return _runs(link, info, device, settings, metering, timeout_s, stages_s)


def longest_run_s(program: Program, clock_hz: int, reply_timeout_s: float) -> float:
    """After how long without a word an inference counts as hanging, in seconds.

    Far beyond what any core takes, so that only a board that hangs meets it; MACs are what takes long.
    """
    return SILENT_REPLIES * reply_timeout_s + MOST_CYCLES_PER_MAC * model_macs(program.graph) / clock_hz


def _runs(
    link: Link,
    info: Info,
    device: Device,
    settings: BenchSettings,
    metering: Metering | None,
    timeout_s: float,
    stages_s: dict[str, float],
) -> _Run:
    data = input_bytes(info.input_bytes)

    def infer(*, profile: bool = False) -> _Inference:
        link.write_input(data)
        cycles, stack_used = link.run(profile=profile, timeout_s=timeout_s)
        return _Inference(cycles, stack_used, link.read_output(info.output_bytes))

    with _timed(stages_s, "run"):
        warmup = [infer() for _ in range(settings.warmup_runs)]
        counted = _repeat(infer, settings)
    instructions = device.instructions()
    profiled = []
    layer_cycles: tuple[int, ...] = ()
    if settings.per_layer:
        with _timed(stages_s, "profile"):
            profiled.append(infer(profile=True))
            layer_cycles = tuple(link.read_profile(info.operator_count))
    every = [*warmup, *counted, *profiled]
    energy = None
    if metering is not None:
        cycles = statistics.median_low([one.cycles for one in counted])
        with _timed(stages_s, "energy"):
            energy = metering.measure(link, info, device, _provenance(device, info), cycles, data)
        if energy.input_restored:  # then what was metered has to have computed the same
            every.append(_Inference(0, 0, link.read_output(info.output_bytes)))
    return _Run(
        info=info,
        cycles=tuple(one.cycles for one in counted),
        stack_bytes=max(one.stack_used for one in every),
        output=_the_output(every, device),
        layer_cycles=layer_cycles,
        instructions=instructions,
        energy=energy,
        stages_s=stages_s,
    )


def _repeat(infer: Callable[[], _Inference], settings: BenchSettings) -> list[_Inference]:
    """Repeat until the spread is small, or the bound of runs or time is met."""
    start = time.perf_counter()
    done: list[_Inference] = []
    while len(done) < settings.max_runs:
        done.append(infer())
        if len(done) < settings.min_runs:
            continue
        cycles = [one.cycles for one in done]
        if max(cycles) - min(cycles) <= settings.spread * statistics.median(cycles):
            break
        if time.perf_counter() - start > settings.max_run_s:
            break
    return done


def _the_output(inferences: list[_Inference], device: Device) -> bytes:
    outputs = {one.output for one in inferences}
    if len(outputs) > 1:
        raise UnstableOutput(
            f"the same input gave {len(outputs)} different outputs in {len(inferences)} runs",
            device=device.name,
            remedy="something overwrites memory: check the stack's size and the power supply",
        )
    return outputs.pop()


def _check_output(run: _Run, device: Device, reference: Reference) -> OutputCheck:
    truth = np.frombuffer(reference.run(input_bytes(run.info.input_bytes)), dtype=np.int8).astype(np.int16)
    found = np.frombuffer(run.output, dtype=np.int8).astype(np.int16)
    if truth.shape != found.shape:
        raise WrongOutput(
            f"{found.size} bytes of output, {reference.name} gives {truth.size}", device=device.name
        )
    check = OutputCheck(
        reference=reference.name,
        exact=reference.exact,
        tolerance=reference.tolerance,
        max_difference=int(np.abs(found - truth).max(initial=0)),
        elements=int(truth.size),
        output_digest=hashlib.sha256(run.output).hexdigest(),
    )
    if not check.passed:
        differing = int(np.count_nonzero(np.abs(found - truth) > check.tolerance))
        raise WrongOutput(
            f"{differing} of {check.elements} output values differ from {check.reference} by more than "
            f"{check.tolerance}, at most by {check.max_difference}",
            device=device.name,
            remedy="this is a fault of the kernels or of the board; please report it with the model",
        )
    return check


def _measurement(
    image: Image, device: Device, settings: BenchSettings, run: _Run, check: OutputCheck
) -> Measurement:
    graph = image.program.graph
    cycles = statistics.median_low(run.cycles)
    us_per_cycle = 1e6 / run.info.clock_hz
    latency_us = cycles * us_per_cycle
    energy_uj, energy_provenance = _energy_figure(run.energy, device, latency_us)
    return Measurement(
        latency_us=latency_us,
        latency_min_us=min(run.cycles) * us_per_cycle,
        latency_max_us=max(run.cycles) * us_per_cycle,
        runs=len(run.cycles),
        cycles=cycles,
        instructions=run.instructions,
        macs=model_macs(graph),
        general_macs=image.program.general_macs,
        arena_bytes=image.arena_bytes,
        static_bytes=image.static_bytes,
        stack_bytes=run.stack_bytes,
        code_bytes=image.code_bytes,
        weight_bytes=image.weight_bytes,
        energy_uj=energy_uj,
        energy_provenance=energy_provenance,
        energy=run.energy,
        check=check,
        layers=layer_measurements(image.program, run.layer_cycles, us_per_cycle),
        stages_s=run.stages_s,
        origin=_origin(image, device, settings, run.info),
    )


def _energy_figure(
    metered: Energy | None, device: Device, latency_us: float
) -> tuple[float | None, Provenance | None]:
    """What the meter said, else the profile's estimate."""
    if metered is not None:
        return metered.energy_uj, metered.provenance
    power = device.board.power
    if power is None:
        return None, None
    return power.voltage_v * power.active_current_a * latency_us, Provenance.ESTIMATED  # W x us = uJ


def _provenance(device: Device, info: Info) -> Provenance:
    """Of the figures: an emulated board behind a serial port answers as such, and is no hardware."""
    if info.unit_id == EMULATED_UNIT and device.provenance is Provenance.HARDWARE:
        return Provenance.EMULATED
    return device.provenance


def _origin(image: Image, device: Device, settings: BenchSettings, info: Info) -> Origin:
    return Origin(
        provenance=_provenance(device, info),
        device=device.name,
        board_id=device.board.id,
        clock_hz=info.clock_hz,
        runtime=image.program.runtime,
        firmware_version=info.firmware_version,
        instruction_cache=info.instruction_cache,
        model_digest=image.program.digest,
        image_digest=image.digest,
        profile_digest=device.board.digest,
        tools=dict(image.tools),
        settings={
            **{key: float(value) for key, value in asdict(settings).items()},
            **(image.program.patches.to_settings() if image.program.patches else {}),
        },
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
