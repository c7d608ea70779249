"""A Measurement: what one device said about one image, with units in the names and an origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Provenance(Enum):
    """Where a figure comes from.  Figures of different provenance are never ranked together silently."""

    HARDWARE = "hardware"  # read from a real board
    EMULATED = "emulated"  # the very ELF ran on an instruction-level emulator with a timing model
    SIMULATED = "simulated"  # an analytic model of the board answered; nothing ran
    ESTIMATED = "estimated"  # derived from another figure, e.g. energy = power of the profile x latency


@dataclass(frozen=True)
class Origin:
    """All that is needed to tell where a measurement came from, and to repeat it.

    Attributes:
        provenance: of latency, cycles and stack use.
        device: as the user named it, e.g. "emulated:nrf52840_dk".
        instruction_cache: True on, False off, None where the core has none.
        profile_digest: SHA-256 (hex) of the board profile, whose figures go into emulated timing.
        tools: name -> version.
        settings: of the bench, e.g. {"warmup": 1, "min_runs": 3}.
        measured_at: ISO 8601, UTC.
    """

    provenance: Provenance
    device: str
    board_id: str
    clock_hz: int
    runtime: str
    firmware_version: str
    instruction_cache: bool | None
    model_digest: str
    image_digest: str
    profile_digest: str
    tools: Mapping[str, str]
    settings: Mapping[str, float]
    measured_at: str


@dataclass(frozen=True)
class OutputCheck:
    """The device's output held against a reference.

    Attributes:
        reference: what it was compared with, e.g. "tflite-micro 0.dev20261023" or "tflite-runtime 2.14.0".
        exact: True where the reference is the exact truth; optimised host kernels may round otherwise.
        tolerance: largest difference allowed, in int8 steps.
        max_difference: largest difference found.
        elements: how many output values were compared.
        output_digest: SHA-256 (hex) of the device's output bytes, for the input of `hil.bench.input_bytes`.
    """

    reference: str
    exact: bool
    tolerance: int
    max_difference: int
    elements: int
    output_digest: str

    @property
    def passed(self) -> bool:
        return self.max_difference <= self.tolerance


@dataclass(frozen=True)
class LayerMeasurement:
    """One operator's share.

    Attributes:
        cycles: of this operator, measured with the profile switched on.
        live_bytes: arena bytes live while it runs (from the plan).
        variant: the kernel that served it.
    """

    index: int
    operator: str
    layer: str
    variant: str
    output_shape: tuple[int, ...]
    macs: int
    cycles: int
    latency_us: float
    live_bytes: int
    weight_bytes: int


@dataclass(frozen=True)
class Energy:
    """What a meter said about one inference (docs/energy.md).

    Attributes:
        meter: its name, e.g. "ppk2"; "estimate" where nothing was metered.
        provenance: HARDWARE where a meter measured a board, EMULATED where either is emulated.
        energy_uj: of one inference, mean over the window.
        uncertainty_uj: half width that covers about 95 %, of what the meter's maker vouches for, of edges
            and of lost samples; None where it is not known.
        voltage_v, current_a: means over the window; idle current subtracted where `idle_subtracted`.
        window_s: how long the inferences took together.
        inferences: in the window.
        samples: of the current, in the window; 0 where nothing was sampled.
        lost_samples: of these.
        idle_current_a: of the board while it waits; None where it was not measured.
        input_restored: whether each inference ran on the same input.
    """

    meter: str
    provenance: Provenance
    energy_uj: float
    uncertainty_uj: float | None
    voltage_v: float
    current_a: float
    window_s: float
    inferences: int
    samples: int
    lost_samples: int = 0
    idle_current_a: float | None = None
    idle_subtracted: bool = False
    input_restored: bool = True


@dataclass(frozen=True)
class Measurement:
    """What one device said about one image.

    Attributes:
        latency_us: median over `runs` inferences.
        latency_min_us, latency_max_us: the spread.
        cycles: median, of the core's own counter.
        instructions: executed, where the device counts them (emulated); else None.
        arena_bytes, static_bytes, stack_bytes: RAM of the activations, of .data and .bss, and the high-water
            mark of the stack.
        code_bytes, weight_bytes: flash without and of the model's constants.
        energy_uj: per inference; None where neither meter nor profile gives it.
        energy_provenance: how `energy_uj` came about.
        energy: how it was metered; None where no meter was named and it is the profile's estimate.
        macs: multiply-accumulates of the model, padding included.
        general_macs: of these, on the general path: served by a slower kernel than the core's best for that
            kind of operator, because the better one's precondition (on shape or weight values) did not hold.
        layers: empty unless asked for.
        stages_s: seconds spent per stage, e.g. {"build": 1.1, "flash": 0.1, "run": 0.4}.
    """

    latency_us: float
    latency_min_us: float
    latency_max_us: float
    runs: int
    cycles: int
    instructions: int | None
    macs: int
    arena_bytes: int
    static_bytes: int
    stack_bytes: int
    code_bytes: int
    weight_bytes: int
    energy_uj: float | None
    energy_provenance: Provenance | None
    check: OutputCheck
    layers: tuple[LayerMeasurement, ...]
    stages_s: Mapping[str, float]
    origin: Origin
    general_macs: int = 0
    energy: Energy | None = None

    @property
    def general_share(self) -> float:
        """Share of the MACs on the general path, 0 to 1."""
        return self.general_macs / self.macs if self.macs else 0.0

    @property
    def ram_bytes(self) -> int:
        """All RAM in use: arena, static data and the stack's high-water mark."""
        return self.arena_bytes + self.static_bytes + self.stack_bytes

    @property
    def flash_bytes(self) -> int:
        return self.code_bytes + self.weight_bytes

    @property
    def output_checked(self) -> bool:
        """Whether `check` says anything: a simulated board answers with the reference's own output."""
        return self.origin.provenance is not Provenance.SIMULATED
