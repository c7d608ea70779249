"""`hardware`: a KerasTuner tuner that measures each trial's model on a device before it trains it.

    tuner = hardware(kt.RandomSearch)(build, objective="val_accuracy", max_trials=10,
                                      device="simulated:nrf52840_dk", constraints=["latency_us <= 20 ms"])

Each trial: the model is built, quantized with some of the training data, compiled, put on the device and
measured.  What breaks a constraint, does not fit or cannot be built ends there as FAILED, with its figures
and the reason in `trial.message`, and is never trained.  The others are trained as ever; the int8 model of
the trained weights is kept and scored.  Metrics of a trial, beside those of training:

    latency_us ram_bytes arena_bytes flash_bytes macs energy_uj (where known) val_int8_accuracy

Beside each trial's files lie measurement.json (with the origin of every figure) and model.tflite.

KerasTuner ends a search after `max_consecutive_failed_trials` (3).  Here only failures of the training count:
that a network is too large is what a search is to find out.

What differs from KerasTuner: with an objective that only the hardware gives, the weights of the last epoch
are kept and reported, as no epoch is better than another.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.api import measure
from hil.devices import open_device
from hil.errors import DeviceError, HilError, Outcome
from hil.measurement_json import to_dict
from hil.quantize import quantize
from search.keras_tuner.library import kt
from search.keras_tuner.samples import int8_accuracy, training_inputs, validation
from search.network import forget_models, load_keras, settle
from search.objective import Constraint

if TYPE_CHECKING:
    from hil.bench import BenchSettings
    from hil.board import Board
    from hil.device import Device
    from hil.measurement import Measurement

INT8_ACCURACY = "val_int8_accuracy"
FIGURES = ("latency_us", "ram_bytes", "arena_bytes", "flash_bytes", "macs", "energy_uj")
_MOST_BROKEN = 100  # builds that may fail while the space is explored


class Infeasible(kt.errors.FailedTrialError):  # type: ignore[misc]  # it has no types
    """A trial whose network cannot be had on this device: nobody's mistake, and no reason to end a search."""


class HardwareTuner:
    """Stands before a `keras_tuner.Tuner` among the bases; see the module, and `hardware`.

    Args:
        args, kwargs: of the tuner.
        device: as for `hil.measure`, e.g. "simulated:nrf52840_dk".
        board: the board behind a serial port, where its USB id does not tell.
        constraints: such as "latency_us <= 20 ms" (search/metrics.py has metrics and units); "accuracy" is
            that of the int8 model, and judged after training.
        meter, subtract_idle, settings: as for `hil.measure`.
    """

    def __init__(
        self,
        *args: Any,
        device: str | Device,
        board: str | Board | None = None,
        constraints: Sequence[str] = (),
        meter: str | None = None,
        subtract_idle: bool = False,
        settings: BenchSettings | None = None,
        **kwargs: Any,
    ) -> None:
        self._constraints = tuple([Constraint.parse(text) for text in constraints])
        self._bench: dict[str, Any] = {
            "device": device,
            "board": board,
            "meter": meter,
            "subtract_idle": subtract_idle,
            "settings": settings,
        }
        if isinstance(device, str) and not device.startswith("serial:"):
            open_device(device, board=board).close()  # a misspelt name is told now, not in the first trial
        self._measured: dict[tuple[tuple[str, str], ...], Measurement] = {}
        self._infeasible: set[str] = set()
        self._failed_in_a_row = 0
        super().__init__(*args, **kwargs)
        oracle: Any = self.__dict__["oracle"]
        self._most_failures = oracle.max_consecutive_failed_trials
        oracle.max_consecutive_failed_trials = None  # counted in on_trial_end

    # ---- one trial

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Measure, then train; see `keras_tuner.Tuner.run_trial`."""
        samples = training_inputs(args, kwargs)
        try:
            measurement = self._measurement(trial, samples)
            figures = figures_of(measurement)
            self._keep(trial, "measurement.json", json.dumps(to_dict(measurement), indent=2).encode())
            self._must_keep_constraints(trial, figures, figures)
            kwargs["callbacks"] = [*kwargs.get("callbacks", [])]
            if not self._known_after_training_only(figures):
                kwargs["callbacks"].insert(0, _in_the_logs(figures))
            if "tuner/epochs" in trial.hyperparameters.values:
                kwargs["epochs"] = trial.hyperparameters.values["tuner/epochs"]
            results = super().run_trial(trial, *args, **kwargs)  # type: ignore[misc]  # of the tuner behind
            accuracy = self._int8_accuracy(trial, samples, validation(args, kwargs))
            if accuracy is not None:
                self._must_keep_constraints(trial, {"accuracy": accuracy}, figures)
                figures[INT8_ACCURACY] = accuracy
        except Infeasible:
            self._infeasible.add(trial.trial_id)
            raise
        return self._reported(results, figures)

    def on_trial_end(self, trial: Any) -> None:
        """Count failures in a row, those of training alone."""
        super().on_trial_end(trial)  # type: ignore[misc]
        known = self._oracle.get_trial(trial.trial_id)
        if known.status == "COMPLETED":
            self._failed_in_a_row = 0
        elif known.status == "FAILED" and trial.trial_id not in self._infeasible:
            self._failed_in_a_row += 1
            if self._failed_in_a_row == self._most_failures:
                raise RuntimeError(
                    f"{self._most_failures} trials in a row failed in training "
                    f"(max_consecutive_failed_trials); the last:\n{known.message}"
                )

    # ---- how it is done

    def _configure_tensorboard_dir(self, callbacks: list[Any], trial: Any, execution: int = 0) -> None:
        """KerasTuner imports TensorBoard here, whether it is wanted or not; TensorFlow does not bring it any
        more."""
        if any(type(callback).__name__ == "TensorBoard" for callback in callbacks):
            super()._configure_tensorboard_dir(callbacks, trial, execution)  # type: ignore[misc]

    @property
    def _oracle(self) -> Any:
        return self.__dict__["oracle"]

    @property
    def _hypermodel(self) -> Any:
        return self.__dict__["hypermodel"]

    def _measurement(self, trial: Any, samples: Any) -> Measurement:
        """Of the trial's untrained network; one that was measured before is not measured again."""
        values = trial.hyperparameters.values
        key = tuple(sorted((k, repr(v)) for k, v in values.items() if not k.startswith("tuner/")))
        if key not in self._measured:
            model = self._built(trial.hyperparameters)
            try:
                settle(model, samples)
                self._measured[key] = measure(quantize(model, samples), **self._bench)
            except HilError as error:
                raise _told_apart(error) from error
            except Exception as error:  # whatever a layer of the user's raises when it is run
                raise Infeasible(f"the model cannot be run: {type(error).__name__}: {error}") from error
        return self._measured[key]

    def _built(self, hyperparameters: Any) -> Any:
        forget_models()
        try:
            model = self._hypermodel.build(hyperparameters)
        except (kt.errors.FatalError, Infeasible):
            raise
        except Exception as error:  # whatever the user's code raises
            raise Infeasible(f"the model cannot be built: {type(error).__name__}: {error}") from error
        if not isinstance(model, load_keras().Model):
            raise Infeasible(f"build(hp) returned {model!r}, expected a keras.Model")
        return model

    def _must_keep_constraints(
        self, trial: Any, values: Mapping[str, float], figures: Mapping[str, float]
    ) -> None:
        broken = [
            f"{constraint.metric} is {values[constraint.metric]:,.6g}, wanted {constraint}"
            for constraint in self._constraints
            if constraint.metric in values and constraint.excess(values[constraint.metric]) > 0
        ]
        if broken:
            for name, value in figures.items():
                trial.metrics.update(name, value)
            raise Infeasible("; ".join(broken))

    def _known_after_training_only(self, figures: Mapping[str, float]) -> bool:
        """Whether no epoch is better than another, as far as the objective can be told while it trains."""
        objective = self._oracle.objective
        names = set(getattr(objective, "name_to_direction", {objective.name}))
        return INT8_ACCURACY in names or names <= set(figures)

    def _int8_accuracy(self, trial: Any, samples: Any, data: tuple[Any, Any] | None) -> float | None:
        """Of the weights that KerasTuner has kept; the int8 model is kept beside them."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the optimizer's state, which is not needed, is not loaded
                model = self.load_model(trial)  # type: ignore[attr-defined]
        except kt.errors.FatalError:
            raise
        except Exception:  # a HyperModel.fit of the user's own, without callbacks, has kept no weights
            return None
        try:
            tflite = quantize(model, samples)
        except HilError as error:
            raise Infeasible(f"after training: {error.message}") from error
        self._keep(trial, "model.tflite", tflite)
        return None if data is None else int8_accuracy(tflite, *data)

    def _keep(self, trial: Any, name: str, content: bytes) -> None:
        folder = Path(self.get_trial_dir(trial.trial_id))  # type: ignore[attr-defined]
        (folder / name).write_bytes(content)

    def _reported(self, results: Any, figures: Mapping[str, float]) -> list[Any]:
        """What `run_trial` returns, with the figures in it, in whatever form it came."""
        objective = self._oracle.objective
        several = results if isinstance(results, list) else [results]
        reported: list[Any] = []
        for one in several:
            history = getattr(one, "history", None)
            if history is not None and not self._known_after_training_only(figures):
                epochs = max([len(values) for values in history.values()], default=1)
                for name, value in figures.items():
                    history.setdefault(name, [value] * epochs)
                reported.append(one)
                continue
            if history is not None:
                one = {name: values[-1] for name, values in history.items()}
            elif isinstance(one, int | float) or hasattr(one, "item"):
                one = {objective.name: float(one)}
            if isinstance(one, Mapping):
                one = {**one, **figures}
                if hasattr(objective, "name_to_direction") and objective.has_value(one):
                    one[objective.name] = objective.get_value(one)
            reported.append(one)
        return reported

    def _populate_initial_space(self) -> None:
        """As KerasTuner does, but builds that fail on the way to all conditional scopes are passed over; the
        first, of the default values, is not."""
        hypermodel = self._hypermodel
        if hypermodel is None:
            return
        build, runs, broken = hypermodel.build, 0, 0

        def tolerant(hp: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal runs, broken
            runs += 1
            try:
                return build(hp, *args, **kwargs)
            except kt.errors.FatalError:
                raise
            except Exception:
                broken += 1
                if runs == 1 or broken > _MOST_BROKEN:
                    raise
                return None

        hypermodel.build = tolerant
        try:
            super()._populate_initial_space()  # type: ignore[misc]
        finally:
            hypermodel.build = build


@cache
def hardware(tuner: Any) -> Any:
    """A subclass of a KerasTuner tuner that measures on a device: see the module and `HardwareTuner`.

    Args:
        tuner: `keras_tuner.RandomSearch`, or any other subclass of `keras_tuner.Tuner`.

    Raises:
        TypeError: it is none.
    """
    if not (isinstance(tuner, type) and issubclass(tuner, kt.Tuner)):
        raise TypeError(
            f"hardware() got {tuner!r}, expected a class of tuners, e.g. keras_tuner.RandomSearch"
        )
    return type(f"Hardware{tuner.__name__}", (HardwareTuner, tuner), {"__module__": __name__})


def figures_of(measurement: Measurement) -> dict[str, float]:
    """The figures of a measurement that become metrics of a trial."""
    known = {name: getattr(measurement, name) for name in FIGURES}
    return {name: float(value) for name, value in known.items() if value is not None}


def _told_apart(error: HilError) -> Exception:
    """A fact about this network, or something that a person has to mend (docs/DESIGN.md, decision 10)."""
    lasting = isinstance(error, DeviceError) and error.when_it_lasts is Outcome.FATAL
    if error.outcome is Outcome.FATAL or (error.outcome is Outcome.TRANSIENT and lasting):
        remedy = f"  ({error.remedy})" if error.remedy else ""
        fatal: Exception = kt.errors.FatalRuntimeError(f"{error.message}{remedy}")
        return fatal
    return Infeasible(error.message)


def _in_the_logs(figures: Mapping[str, float]) -> Any:
    """A callback that adds the figures to the logs of each epoch, so that objectives which weigh them against
    the accuracy see both."""

    class Figures(load_keras().callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            if logs is not None:
                logs.update(figures)

    return Figures()
