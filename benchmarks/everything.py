"""Every space, strategy and reward, from a study file, on the handwritten digits and the emulated nRF52840.

Run: make everything        (some minutes; NAME alone: python -m benchmarks.everything nsga2)

Each is a study of its own with a few trials that train for one epoch: that it runs is what is shown, not how
good it is.  Prints a line for each; exits with 1 where one did not end as it should.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from search.config import loads
from search.reward import REWARDS
from search.space import SPACES
from search.strategies import STRATEGIES
from search.study import Study
from search.trial import State

TRIALS = 3
SMALL = '[space]\nname = "chain"\nmax_depth = 2\nfilters = [8, 16]\nkernels = [3]\n'
HYPERMODEL = """
import keras

def build(hp):
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(hp.Int("filters", 4, 16, step=4), 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(10, activation="softmax"),
    ])
"""


def studies(folder: Path) -> dict[str, str]:
    """What is run: name -> study file."""
    (folder / "hypermodel.py").write_text(HYPERMODEL)
    options = {"keras_tuner": f'hypermodel = "{folder / "hypermodel.py"}:build"\n'}
    found = {
        f"space {name}": f'[space]\nname = "{name}"\n{options.get(name, "")}[strategy]\nname = "random"\n'
        for name in SPACES
    }
    found |= {f"strategy {name}": f'{SMALL}[strategy]\nname = "{name}"\n' for name in STRATEGIES}
    rewards = {
        "weighted": "weights = { accuracy = 1.0, latency_us = -1e-5 }\n",
        "unas": "error_bound = 0.5\n",
        "two_stage": "floor = 0.5\n",
    }
    found |= {
        f"reward {name}": f'{SMALL}[reward]\nname = "{name}"\n{rewards.get(name, "")}' for name in REWARDS
    }
    return {
        name: 'name = "everything"\ndevice = "emulated:nrf52840_dk"\n'
        'objectives = ["maximize accuracy", "minimize latency_us", "minimize energy_uj"]\n'
        'constraints = ["latency_us <= 200 ms", "ram_bytes <= 200 kB", "energy_uj <= 5 mJ"]\n'
        f'data = "{"synthetic_motion" if name == "space series" else "digits"}"\n'
        f"budget = {{ trials = {TRIALS} }}\ntrain = {{ epochs = 1 }}\n{rest}"
        for name, rest in found.items()
    }


def main() -> None:
    wanted = sys.argv[1:]
    table = Table(title=f"{TRIALS} trials each, one epoch, on emulated:nrf52840_dk")
    for heading in ("what", "trials", "complete", "on the front", "s", ""):
        table.add_column(heading, justify="left" if heading in ("what", "") else "right")
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        for what, text in studies(Path(name)).items():
            if wanted and not any(what == one or what.endswith(f" {one}") for one in wanted):
                continue
            start = time.perf_counter()
            try:
                with Study.open(loads(text), Path(name) / what.replace(" ", "-")) as study:
                    study.run()
                    trials, front = study.trials(), study.front()
            except Exception as error:  # whatever it is: the others are tried as well
                faults += 1
                table.add_row(what, "", "", "", "", f"{type(error).__name__}: {error}")
                continue
            complete = sum(trial.state is State.COMPLETE for trial in trials)
            failed = [trial.failure for trial in trials if trial.failure is not None]
            faults += bool(failed) or not complete
            note = (
                f"{failed[0].error}: {failed[0].message}" if failed else "" if complete else "none complete"
            )
            took = f"{time.perf_counter() - start:.1f}"
            table.add_row(what, str(len(trials)), str(complete), str(len(front)), took, note)
            print(f"{what}: {complete} of {len(trials)} complete", file=sys.stderr)
    Console().print(table)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
