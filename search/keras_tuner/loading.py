"""A user's HyperModel, named in a study file as "my_file.py:MyHyperModel" or handed in from Python.

It may be a class (of `keras_tuner.HyperModel`, or any with a method `build`), an instance, or a function
`build(hp)`.  A class is called with those of `input_shape`, `classes` and `num_classes` that its `__init__`
names, so that one HyperModel serves several data sets.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from search.keras_tuner.library import kt
from search.space.options import BadOption, nearest

KEY = ("hypermodel",)


def load(text: str, folder: Path | None) -> tuple[Any, str]:
    """What `text` names.

    Args:
        text: "FILE.py:NAME".
        folder: what a relative path is relative to, the study file's folder; else, and where it is not there,
            the current one.

    Returns:
        The class, instance or function, and the SHA-256 (hex) of the file.

    Raises:
        BadOption: no such file, no such name in it, or the file fails when it is run.
    """
    file_name, colon, name = text.rpartition(":")
    if not colon or not file_name.endswith(".py") or not name:
        raise BadOption(
            KEY,
            f'got "{text}", expected a Python file and a name in it',
            remedy='write e.g. hypermodel = "my_file.py:MyHyperModel"',
        )
    path = _found(Path(file_name).expanduser(), folder, text)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    module = _run(path, f"_hypermodel_{digest[:12]}", text)
    if not hasattr(module, name):
        own = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise BadOption(KEY, f"{path} has no '{name}'", remedy=nearest(name, own))
    return getattr(module, name), digest


def hypermodel_of(subject: Any, *, input_shape: tuple[int, ...], classes: int) -> Any:
    """A `keras_tuner.HyperModel` (or what has its `build`) of a class, an instance or a function.

    Raises:
        BadOption: it is none of these, or its class cannot be called.
    """
    if inspect.isclass(subject):
        subject = _instance(subject, {"input_shape": input_shape, "classes": classes, "num_classes": classes})
    if callable(getattr(subject, "build", None)):
        return subject
    if not callable(subject):
        raise BadOption(
            KEY,
            f"got a {type(subject).__name__}, expected a HyperModel or a function build(hp)",
            remedy="define: def build(hp): ... return keras.Sequential([...])",
        )
    return _FromFunction(subject)


def digest_of(subject: Any) -> str:
    """SHA-256 (hex) of the source of what was handed in from Python; of its name where there is no source."""
    known = subject if inspect.isclass(subject) or inspect.isroutine(subject) else type(subject)
    try:
        source = inspect.getsource(known)
    except (OSError, TypeError):
        source = getattr(known, "__qualname__", repr(known))
    return hashlib.sha256(source.encode()).hexdigest()


class _FromFunction(kt.HyperModel):  # type: ignore[misc]  # it has no types
    """A HyperModel of a function `build(hp)`."""

    def __init__(self, function: Any) -> None:
        super().__init__(name=getattr(function, "__name__", None))
        self.build = function


def _found(path: Path, folder: Path | None, text: str) -> Path:
    places = [path] if path.is_absolute() or folder is None else [folder / path, path]
    for place in places:
        if place.is_file():
            return place
    tried = " nor ".join(str(place.absolute()) for place in places)
    raise BadOption(
        KEY, f'got "{text}", but there is no file {tried}', remedy="a path is relative to the study file"
    )


def _run(path: Path, module_name: str, text: str) -> Any:
    spec = spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise BadOption(KEY, f'got "{text}", but {path} is no Python file')
    module = module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and Keras' registry look their module up
    sys.path.insert(0, str(path.absolute().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's file raises
        del sys.modules[module_name]
        raise BadOption(
            KEY,
            f"{path} fails when it is run: {type(error).__name__}: {error}",
            remedy=f"run it by itself: python {path}",
        ) from error
    finally:
        sys.path.remove(str(path.absolute().parent))
    return module


def _instance(kind: type, known: dict[str, Any]) -> Any:
    try:
        named = inspect.signature(kind).parameters
        return kind(**{name: value for name, value in known.items() if name in named})
    except Exception as error:  # whatever the user's class raises
        raise BadOption(
            KEY,
            f"{kind.__name__} cannot be made: {type(error).__name__}: {error}",
            remedy="give its __init__ defaults; it may ask for input_shape, classes and num_classes by name",
        ) from error
