"""Search for networks by what a board measures.

    import search

    config = search.StudyConfig(
        name="digits",
        objectives=["maximize accuracy", "minimize latency_us"],
        constraints=["latency_us <= 20 ms", "ram_bytes <= 64 kB"],
        device="emulated:nrf52840_dk",
        budget=search.Budget(trials=20),
    )
    with search.run(config, folder="studies/digits") as study:
        for trial in study.front():
            print(trial.architecture, trial.values["accuracy"], trial.values["latency_us"])

Names are loaded when they are used, so `import search` is quick and loads neither TensorFlow nor a device.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.cascade import Evaluator
    from search.config import Budget, RunConfig, StudyConfig, load
    from search.events import Progress
    from search.store import Store
    from search.study import Study, Summary
    from search.trial import Stage, State, Trial

_HOMES = {
    "Budget": "search.config",
    "RunConfig": "search.config",
    "StudyConfig": "search.config",
    "load": "search.config",
    "Store": "search.store",
    "Study": "search.study",
    "Summary": "search.study",
    "Stage": "search.trial",
    "State": "search.trial",
    "Trial": "search.trial",
}

__all__ = [
    "Budget",
    "RunConfig",
    "Stage",
    "State",
    "Store",
    "Study",
    "StudyConfig",
    "Summary",
    "Trial",
    "load",
    "run",
]


def run(
    config: StudyConfig | str | Path,
    *,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    evaluator: Evaluator | None = None,
) -> Study:
    """Begin or continue a study, run it to its end, and return it.

    Args:
        config: the study, or the path of a study file.
        folder: where it is kept; default is studies/NAME in the current folder.
        progress: shows what happens; default is `search.progress.for_terminal()`.  Hand in
            `search.events.Silence()` for none.
        evaluator: see `Study.open`.

    Returns:
        The study, still open: close it, or use it in a `with`.

    Raises:
        SearchError, hil.HilError: what was done until then is kept, and the same call continues.
    """
    from search.config import load
    from search.progress import for_terminal
    from search.study import Study

    known = load(config) if isinstance(config, str | Path) else config
    study = Study.open(known, Path("studies") / known.name if folder is None else folder, evaluator=evaluator)
    try:
        study.run(progress or for_terminal())
    except BaseException:
        study.close()
        raise
    return study


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'search' has no attribute '{name}'")
