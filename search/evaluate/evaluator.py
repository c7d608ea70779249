"""The stages of the cascade, done by `hil` and Keras: one method each, from Work to Finding.

| stage    | does                                        | exact                        | at least          |
|----------|---------------------------------------------|------------------------------|-------------------|
| analytic | counts the layer list                       | macs, parameters             | arena, ram, flash |
| quantize | Keras model with initial weights -> .tflite |                              |                   |
| plan     | C sources and arena plan                    | arena, weights               | ram, flash        |
| build    | image for the device                        | flash, static                | ram               |
| measure  | runs it                                     | latency, cycles, ram, energy |                   |
| train    | trained weights -> .tflite                  | quality, e.g. accuracy       |                   |
| deploy   | builds and measures that, per layer         | all again, quality on test   |                   |

Everything between two stages (Keras model, program, image) can be made again from what is kept, so a stage
can start in a process that did not see the stages before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hil.api import compile_model
from hil.bench import REPLY_TIMEOUT_S, BenchSettings, bench
from hil.device import Device
from hil.devices.build_only import build_only
from hil.errors import (
    ArenaOverLimit,
    QuantizationFailed,
    UnsupportedOperator,
)
from hil.image import Image
from hil.measurement import Measurement
from hil.measurement_json import from_dict, to_dict
from hil.program import Program
from search import network, train
from search.cascade import Unfit, Work
from search.config import StudyConfig
from search.datasets import Dataset
from search.datasets.base import Images, Truth
from search.devices import Adapt, DevicePool
from search.evaluate.asked import arena_room_of, at_fidelity, load_data, metering_of
from search.evaluate.faults import faults_told_apart
from search.evaluate.int8 import int8_outputs
from search.events import EpochFinished
from search.finding import Finding
from search.judging import judged
from search.quality import qualities
from search.room import ArenaRoom
from search.space.base import Architecture, Deployment
from search.space.deploy import network_space, undeployed
from search.trial import Stage

SETTLING_SAMPLES = 128  # for the statistics of an untrained network's normalisations
UNTRAINED, TRAINED, KERAS = "untrained.tflite", "model.tflite", "model.keras"
ANALYTIC, PLANNED = "analytic", "planned"


class HilEvaluator:
    """Evaluates the candidates of one study, each on the device that its deployment asks for.

    Args:
        config: the study.
        device: in the place of the study's first one.
        adapt: makes of each device that is opened the one that is used.
        reply_timeout_s: silence after which it is asked again.

    Raises:
        BadData, BadOption, HilError: data, space or device that the study names cannot be had.
    """

    def __init__(
        self,
        config: StudyConfig,
        *,
        device: Device | None = None,
        adapt: Adapt = lambda device: device,
        reply_timeout_s: float = REPLY_TIMEOUT_S,
    ) -> None:
        self._config = config
        self._reply_timeout_s = reply_timeout_s
        self._data = load_data(config)
        self._judged = judged(config.make_objectives(), self._data)
        self._metering = metering_of(config)
        self._devices = DevicePool(config, self._metering, device=device, adapt=adapt)
        self._device = self._devices.of(Deployment())
        self._patches = config.patches == "auto"
        self._settings = BenchSettings(**config.measure.to_dict())
        self.space = config.make_space(
            input_shape=self._data.input_shape, classes=self._data.classes, clocks=self._devices.clocks
        )
        self._networks = network_space(self.space)
        self.identity = {"data": self._data.digest, **self._devices.identity}
        if isinstance(self._networks, network.BuildsModel):
            self.identity["models"] = self._networks.digest
        self._stages: dict[Stage, Callable[[Work], Finding]] = {
            Stage.ANALYTIC: self._analytic,
            Stage.QUANTIZE: self._quantize,
            Stage.PLAN: self._plan,
            Stage.BUILD: self._build,
            Stage.MEASURE: self._measure,
            Stage.TRAIN: self._train,
            Stage.DEPLOY: self._deploy,
        }
        self._program: tuple[Path, Program] | None = None
        self._image: tuple[Path, Image] | None = None

    def run(self, stage: Stage, work: Work) -> Finding:
        """See `search.cascade.Evaluator`."""
        with faults_told_apart():
            self._go_to(self.space.deployment(work.architecture))
            return self._stages[stage](work)

    def close(self) -> None:
        """Let go of all devices."""
        self._program = self._image = None
        if self._metering is not None:
            self._metering.meter.close()
        self._devices.close()

    def _go_to(self, deployment: Deployment) -> None:
        """The stages that follow are for this board, at this clock, in stripes or not."""
        device = self._devices.of(deployment)
        patches = self._config.patches == "auto" if deployment.patches is None else deployment.patches
        if device is not self._device or patches != self._patches:
            self._program = self._image = None
            self._device, self._patches = device, patches

    # ---- the stages

    def _analytic(self, work: Work) -> Finding:
        cost = self.space.cost(work.architecture)
        activations = cost.striped_activation_bytes if self._patches else cost.peak_activation_bytes
        self._must_fit(
            ram={"activations": activations},
            flash={"weights": cost.weight_bytes},
            how="by the layer list alone",
        )
        return Finding(
            Stage.ANALYTIC,
            values={"macs": cost.macs, "parameters": cost.parameters},
            provenance={"macs": ANALYTIC, "parameters": ANALYTIC},
            at_least={
                "arena_bytes": activations,
                "ram_bytes": activations,
                "weight_bytes": cost.weight_bytes,
                "flash_bytes": cost.weight_bytes,
            },
            detail=asdict(cost),
        )

    def _quantize(self, work: Work) -> Finding:
        self._forget()
        model, data = self._untrained(work.architecture), self._data_for(work.architecture)
        return Finding(
            Stage.QUANTIZE,
            detail={"tflite": work.store.write_artifact(work.number, UNTRAINED, self._int8(model, data))},
        )

    def _plan(self, work: Work) -> Finding:
        program = self._compiled(work.store.artifact(work.findings[Stage.QUANTIZE].detail["tflite"]))
        plan = program.plan
        peak = program.graph.operators[plan.peak_operator]
        self._must_fit(
            ram={"arena": plan.arena_bytes}, flash={"weights": program.weight_bytes}, how="by the arena plan"
        )
        return Finding(
            Stage.PLAN,
            values={"arena_bytes": plan.arena_bytes, "weight_bytes": program.weight_bytes},
            provenance={"arena_bytes": PLANNED, "weight_bytes": PLANNED},
            at_least={"ram_bytes": plan.arena_bytes, "flash_bytes": program.weight_bytes},
            detail={
                "model_digest": program.digest,
                "peak_operator": peak.name,
                "peak_layer": peak.layer,
                "operators": len(program.graph.operators),
                "patches": None if program.patches is None else program.patches.to_dict(),
            },
        )

    def _build(self, work: Work) -> Finding:
        image = self._built(work.store.artifact(work.findings[Stage.QUANTIZE].detail["tflite"]))
        values = {
            "flash_bytes": image.flash_bytes,
            "weight_bytes": image.weight_bytes,
            "arena_bytes": image.arena_bytes,
        }
        return Finding(
            Stage.BUILD,
            values=values,
            provenance=dict.fromkeys(values, self._device.provenance.value),
            at_least={"ram_bytes": image.arena_bytes + image.static_bytes},
            detail={
                "image_digest": image.digest,
                "code_bytes": image.code_bytes,
                "static_bytes": image.static_bytes,
                "stack_reserved_bytes": image.stack_reserved_bytes,
                "tools": dict(image.tools),
                "build_s": image.build_s,
            },
        )

    def _measure(self, work: Work) -> Finding:
        tflite = work.findings[Stage.QUANTIZE].detail["tflite"]
        digest = work.findings[Stage.BUILD].detail["image_digest"]
        measurement, reused = self._measured(work, tflite, self._settings, known_digest=digest)
        return replace(_finding(Stage.MEASURE, measurement), reused=reused)

    def _train(self, work: Work) -> Finding:
        config, seed = at_fidelity(self._config.train, work.fidelity), self._config.strategy.seed
        # Wherever it is deployed: it is trained once.
        alone = undeployed(self.space, work.architecture)
        key = (alone, self._data.digest, config.to_dict(), seed)
        known = work.store.training(*key)
        reused = known is not None
        if known is None:
            model = self._untrained(work.architecture)
            data = self._data_for(work.architecture)
            result = train.train(
                model,
                data,
                config,
                seed=seed,
                on_epoch=lambda end: work.emit(EpochFinished(work.number, end.epoch, end.epochs, end.loss)),
            )
            tflite = self._int8(model, data)
            known = {
                **asdict(result),
                **self._of_int8(tflite, data, data.x_val, data.y_val),
                **self._of_float(model, data),
                **_inverse(data),
                "tflite": work.store.write_artifact(work.number, TRAINED, tflite),
                "keras": work.store.write_artifact(work.number, KERAS, network.to_bytes(model)),
            }
            work.store.add_training(*key, known)
        values = {name: known[name] for one in self._judged for name in (one, f"float_{one}")}
        return Finding(
            Stage.TRAIN,
            values=values,
            provenance=dict.fromkeys(values, "trained"),
            detail=known,
            reused=reused,
        )

    def _deploy(self, work: Work) -> Finding:
        self._forget()
        tflite = work.findings[Stage.TRAIN].detail["tflite"]
        # With other weights other kernels may serve, which ask for other scratch: by then it is too late to
        # give the network up.
        self._built(work.store.artifact(tflite), as_small_as_can_be=True)
        measurement, reused = self._measured(work, tflite, replace(self._settings, per_layer=True))
        model = work.store.artifact(tflite).read_bytes()
        data = self._data_for(work.architecture)
        finding = _finding(Stage.DEPLOY, measurement)
        tested = self._of_int8(model, data, data.x_test, data.y_test)
        quality = {name: work.findings[Stage.TRAIN].values[name] for name in self._judged} | {
            f"test_{name}": value for name, value in tested.items()
        }
        return replace(
            finding,
            values={**finding.values, **quality},
            provenance={**finding.provenance, **dict.fromkeys(quality, "trained")},
            detail={**finding.detail, "tflite": tflite},
            reused=reused,
        )

    # ---- what stages share; made again where another process made it before

    def _forget(self) -> None:
        """Keep one candidate in memory, not the whole study."""
        self._program = self._image = None
        network.forget_models()

    def _untrained(self, architecture: Architecture) -> Any:
        """The Keras model with its initial weights: the same bytes whenever it is made."""
        data = self._data_for(architecture)
        alone = undeployed(self.space, architecture)
        model = network.model_of(
            self._networks,
            alone,
            seed=self._config.strategy.seed,
            probabilities=data.task == "classification",
        )
        network.settle(model, data.x_train[:SETTLING_SAMPLES])
        return model

    def _of_int8(self, tflite: bytes, data: Dataset, x: Images, y: Truth) -> dict[str, float]:
        """Quality of the int8 network on one split."""
        return qualities(self._judged, data.in_units(int8_outputs(tflite, x)), y)

    def _of_float(self, model: Any, data: Dataset) -> dict[str, float]:
        """The same of the float network on the validation split, under the names with `float_`."""
        found = qualities(self._judged, data.in_units(train.predict(model, data.x_val)), data.y_val)
        return {f"float_{name}": value for name, value in found.items()}

    def _data_for(self, architecture: Architecture) -> Dataset:
        """The data at the resolution that the network takes."""
        return self._data.resized(self.space.takes(architecture))

    def _int8(self, model: Any, data: Dataset) -> bytes:
        from hil.quantize import quantize

        try:
            return quantize(model, data.x_train)
        except (QuantizationFailed, UnsupportedOperator) as error:
            if isinstance(self._networks, network.BuildsModel):
                raise network.CannotBuild(error.message) from error
            raise  # from layers of the list it is a fault of this program

    def _compiled(self, tflite: Path, *, as_small_as_can_be: bool = False) -> Program:
        """The program; in stripes where the study wants that and nothing else would keep the limits.

        Args:
            as_small_as_can_be: take the smallest plan where none keeps the limits.
        """
        if self._program is None or self._program[0] != tflite:
            program = compile_model(tflite, board=self._device.board)
            room = arena_room_of(self._config, self._device.board, patches=self._patches)
            if room is not None and program.plan.arena_bytes > room.arena_bytes:
                program = self._in_stripes(tflite, room, as_small_as_can_be)
            self._program = (tflite, program)
        return self._program[1]

    def _in_stripes(self, tflite: Path, room: ArenaRoom, as_small_as_can_be: bool) -> Program:
        limit = max(room.arena_bytes, 1)
        try:
            return compile_model(tflite, board=self._device.board, arena_limit=limit)
        except ArenaOverLimit as error:
            if not as_small_as_can_be:
                needed = error.needed_bytes + room.beside_bytes
                reason = f"needs at least {needed:,} bytes, even in stripes; limit {room.limit:,.12g}"
                raise Unfit(room.metric, needed, room.limit, f"{room.metric}: {reason}") from error
            return compile_model(tflite, board=self._device.board, arena_limit=error.needed_bytes)

    def _built(self, tflite: Path, *, as_small_as_can_be: bool = False) -> Image:
        if self._image is None or self._image[0] != tflite:
            program = self._compiled(tflite, as_small_as_can_be=as_small_as_can_be)
            self._image = (tflite, self._device.build(program))
        return self._image[1]

    def _measured(
        self, work: Work, artifact: str, settings: BenchSettings, *, known_digest: str | None = None
    ) -> tuple[Measurement, bool]:
        """The measurement, and whether it was found in the store."""
        from hil.interpreter import truth

        # The timing of emulated and simulated boards comes from the profile, which is no part of an image.
        key = {**asdict(settings), "profile": self._device.board.digest}
        if self._metering is not None:
            key["meter"] = self._config.meter.to_dict()
        if known_digest is not None:
            known = work.store.measurement(known_digest, self._device.name, key)
            if known is not None:
                return from_dict(known), True
        image = self._built(work.store.artifact(artifact))
        known = work.store.measurement(image.digest, self._device.name, key)
        if known is not None:
            return from_dict(known), True
        measurement = bench(
            image,
            self._device,
            settings,
            truth(image.program.graph),
            metering=self._metering,
            reply_timeout_s=self._reply_timeout_s,
        )
        work.store.add_measurement(image.digest, self._device.name, key, to_dict(measurement))
        return measurement, False

    def _must_fit(self, *, ram: Mapping[str, int], flash: Mapping[str, int], how: str) -> None:
        """Hold lower bounds against the board itself; the linker's stack reserve counts, as it is certain."""
        board = self._device.board
        needs = {
            "ram_bytes": ({**ram, "stack": board.build.stack_bytes}, board.ram.size_bytes),
            "flash_bytes": (dict(flash), board.flash.size_bytes),
        }
        for metric, (parts, available) in needs.items():
            needed = sum(parts.values())
            if needed > available:
                share = " + ".join(f"{name} {size:,}" for name, size in parts.items())
                raise Unfit(
                    metric,
                    needed,
                    available,
                    f"needs at least {needed:,} bytes ({share}) {how}; {board.name} has {available:,}",
                )


def for_worker(config: StudyConfig, device: str | None) -> HilEvaluator:
    """The evaluator of a worker process (search/executors).

    Args:
        device: the one that it measures on; None: it quantizes, builds and trains, and touches no port.
    """
    if device is None:
        return HilEvaluator(config, adapt=build_only)
    return HilEvaluator(config.led_by(device))


def _inverse(data: Dataset) -> dict[str, list[float]]:
    """How the outputs of a network become the numbers of a regression: output * scale + mean."""
    if data.task == "classification":
        return {}
    return {"target_scale": data.target_scale.tolist(), "target_mean": data.target_mean.tolist()}


def _finding(stage: Stage, measurement: Measurement) -> Finding:
    values: dict[str, float] = {
        "latency_us": measurement.latency_us,
        "cycles": measurement.cycles,
        "ram_bytes": measurement.ram_bytes,
        "arena_bytes": measurement.arena_bytes,
        "flash_bytes": measurement.flash_bytes,
        "weight_bytes": measurement.weight_bytes,
    }
    provenance = dict.fromkeys(values, measurement.origin.provenance.value)
    if measurement.energy_uj is not None and measurement.energy_provenance is not None:
        values["energy_uj"] = measurement.energy_uj
        # Figures of different meters are different, and not ranked together (search.pareto.front).
        meter = "" if measurement.energy is None else f" ({measurement.energy.meter})"
        provenance["energy_uj"] = measurement.energy_provenance.value + meter
    return Finding(stage, values, provenance, detail={"measurement": to_dict(measurement)})
