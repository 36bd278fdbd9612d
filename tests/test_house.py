"""The floors of the house: what is compiled lies lowest, the command line highest, and nothing imports upward."""

import ast
from pathlib import Path

import pytest

import gdbench

ROOT = Path(gdbench.__file__).parent
FLOORS = (
    "errors",
    "writing",
    "shown",
    "kernels",
    "tasks",
    "problems",
    "solve",
    "estimators",
    "baselines",
    "parity",
    "suite",
    "report",
    "demo",
)
TOP = ("cli", "__init__", "__main__")


def imported(path):
    """The parts of the package that a module imports, also late or for types only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("gdbench."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gdbench":
            yield from [node.module.split(".")[1]] if "." in node.module else [name.name for name in node.names]


def test_every_part_has_its_floor():
    parts = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert parts == {*FLOORS, *TOP}


@pytest.mark.parametrize("part", FLOORS)
def test_nothing_imports_upward(part):
    paths = [ROOT / f"{part}.py"] if (ROOT / f"{part}.py").exists() else list((ROOT / part).rglob("*.py"))
    above = {*FLOORS[FLOORS.index(part) + 1 :], *TOP}
    found = {(path.name, name) for path in paths for name in imported(path) if name in above}
    assert not found
