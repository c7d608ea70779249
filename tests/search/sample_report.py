"""A small study report of made-up networks, for tests of what reports show."""

from __future__ import annotations

from dataclasses import replace

from hil.measurement import LayerMeasurement, Measurement, Origin, OutputCheck, Provenance
from search.objective import Objectives
from search.report.data import Network, StudyReport
from search.space.base import Architecture
from search.trial import Failure, Infeasibility, Stage, State, Trial

LAYERS = (
    ("CONV_2D", "conv <1>", 9216, 120_000, 2048),
    ("MEAN", "pool", 0, 9_000, 1040),
    ("SOFTMAX", "probabilities", 0, 21_000, 20),
)


def sample_measurement(latency_us: float, arena_bytes: int) -> Measurement:
    layers = tuple(
        LayerMeasurement(i, op, layer, "generic", (1, 8, 8, 16), macs, cycles, cycles / 64, live, 100)
        for i, (op, layer, macs, cycles, live) in enumerate(LAYERS)
    )
    origin = Origin(
        provenance=Provenance.EMULATED,
        device="emulated:nrf52840_dk",
        board_id="nrf52840_dk",
        clock_hz=64_000_000,
        runtime="aot",
        firmware_version="0.1.0",
        instruction_cache=True,
        model_digest="ab" * 32,
        image_digest="cd" * 32,
        profile_digest="ef" * 32,
        tools={"arm-none-eabi-gcc": "12.2.1"},
        settings={"warmup": 1},
        measured_at="2026-01-02T03:04:05Z",
    )
    return Measurement(
        latency_us=latency_us,
        latency_min_us=latency_us,
        latency_max_us=latency_us,
        runs=3,
        cycles=int(latency_us * 64),
        instructions=1000,
        macs=9216,
        arena_bytes=arena_bytes,
        static_bytes=2000,
        stack_bytes=300,
        code_bytes=9000,
        weight_bytes=1500,
        energy_uj=latency_us * 0.0099,
        energy_provenance=Provenance.ESTIMATED,
        check=OutputCheck("tflite-micro", True, 0, 0, 10, "00" * 32),
        layers=layers,
        stages_s={"build": 1.0},
        origin=origin,
    )


def sample_network(number: int, accuracy: float, latency_us: float, arena_bytes: int) -> Network:
    m = sample_measurement(latency_us, arena_bytes)
    values = {
        "accuracy": accuracy,
        "latency_us": latency_us,
        "ram_bytes": float(m.ram_bytes),
        "flash_bytes": float(m.flash_bytes),
    }
    provenance = {
        "accuracy": "trained",
        "latency_us": "emulated",
        "ram_bytes": "emulated",
        "flash_bytes": "emulated",
    }
    trial = Trial(
        number, Architecture("chain", f"conv3-{8 * number + 8} <script>"), State.COMPLETE, values, provenance
    )
    # As deployed it is slower than the search saw it: its weights do not suit the fast kernel.
    return Network(trial, replace(m, latency_us=latency_us * 0.9), replace(m, general_macs=m.macs // 4))


def sample_report() -> StudyReport:
    networks = [
        sample_network(0, 0.91, 2100.0, 4000),
        sample_network(1, 0.955, 4300.0, 8000),
        sample_network(2, 0.94, 5200.0, 9000),
        sample_network(3, 0.985, 11800.0, 16000),
    ]
    refused = Trial(
        4,
        Architecture("chain", "conv5-64"),
        State.INFEASIBLE,
        {"ram_bytes": 90_000.0},
        {"ram_bytes": "analytic"},
        infeasibility=Infeasibility(Stage.PLAN, "ram_bytes", 90_000.0, 65_536.0, "arena too large"),
    )
    failed = Trial(
        5,
        Architecture("chain", "conv1-4"),
        State.FAILED,
        failure=Failure(Stage.MEASURE, "DeviceTimeout", "no answer", 3),
    )
    return StudyReport(
        name="digits",
        device="emulated:nrf52840_dk",
        data="digits (1,149 train, 288 validation, 360 test)",
        objectives=Objectives.parse(
            ["maximize accuracy", "minimize latency_us", "minimize ram_bytes"], ["latency_us <= 20 ms"]
        ),
        networks=(*networks, Network(refused, None), Network(failed, None)),
        front=(0, 1, 3),
        best=1,
        reward="mnas",
        settings={"strategy.seed": "1"},
    )
