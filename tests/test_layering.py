"""The layers of docs/DESIGN.md, held by reading every import of every module."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Modules that may import hil although they belong to search.
SEARCH_MODULES_THAT_MAY_IMPORT_HIL = {
    "search.evaluate",
    "search.devices",  # opens the devices that evaluate measures on
    "search.report",
    "search.cli",
    "search.keras_tuner",
}
# Modules that may import TensorFlow or Keras.
MODULES_THAT_MAY_IMPORT_TENSORFLOW = {"hil.quantize", "search.network", "search.train", "search.keras_tuner"}
# What strategies may see of search.
STRATEGIES_MAY_SEE = (
    "search.space",
    "search.objective",
    "search.trial",
    "search.pareto",
    "search.metrics",
    "search.errors",
    "search.strategies",
)
# The oracles of KerasTuner as a strategy: they need KerasTuner, so they live with it; their line of the
# table, with their options, leads there.
LEADS_TO_KERAS_TUNER = "search.strategies.keras_tuner"

# The compiler, from the bottom up: what each package of hil may see of the others.
COMPILER_MAY_SEE = {
    "hil.graph": (),
    "hil.memory": ("hil.graph",),
    "hil.codegen": ("hil.graph", "hil.memory"),
    "hil.optimize": ("hil.graph", "hil.codegen"),
    "hil.stripes": ("hil.graph", "hil.memory", "hil.codegen"),
}


def modules() -> list[tuple[str, Path]]:
    found = []
    for package in ("hil", "search"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "_data" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer that they reach for"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize(("module", "path"), [pytest.param(m, p, id=m) for m, p in modules()])
def test_module_imports_only_what_its_layer_allows(module: str, path: Path) -> None:
    used = imports(path)
    if within(module, "hil"):
        assert not [n for n in used if within(n, "search")], "hil never imports search"
    elif not any(within(module, allowed) for allowed in SEARCH_MODULES_THAT_MAY_IMPORT_HIL):
        assert not [n for n in used if within(n, "hil")], (
            "only evaluate, devices, report, the CLI and the KerasTuner adaptor import hil"
        )
    if not any(within(module, allowed) for allowed in MODULES_THAT_MAY_IMPORT_TENSORFLOW):
        heavy = [n for n in used if any(within(n, t) for t in ("tensorflow", "keras", "keras_tuner"))]
        assert not heavy, "TensorFlow stays in the modules that docs/DESIGN.md names"
    for package, below in COMPILER_MAY_SEE.items():
        if within(module, package):
            for other in COMPILER_MAY_SEE.keys() - {package, *below}:
                assert not [n for n in used if within(n, other)], f"{package} may not see {other}"
    if within(module, "search.strategies"):
        for name in used:
            if module == LEADS_TO_KERAS_TUNER and within(name, "search.keras_tuner.strategy"):
                continue
            if within(name, "search") and name != "search":
                assert name.startswith(STRATEGIES_MAY_SEE), f"a strategy may not see {name}"


def test_modules_do_not_import_in_circles() -> None:
    names = {module for module, _ in modules()}
    edges: dict[str, set[str]] = {}
    for module, path in modules():
        top_level: set[str] = set()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                top_level.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    top_level.add(full if full in names else node.module or "")
        edges[module] = {n for n in top_level if n in names and n != module}

    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for target in sorted(edges[module]):
                visit(target, (*trail, module))
            done.add(module)

    for module in sorted(names):
        visit(module, ())


@pytest.mark.parametrize("statement", ["import hil", "import search", "import search.cli", "import hil.cli"])
def test_import_is_light(statement: str) -> None:
    heavy = "('tensorflow', 'keras', 'keras_tuner', 'sklearn', 'matplotlib', 'unicorn', 'tflite_runtime')"
    code = f"{statement}, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
