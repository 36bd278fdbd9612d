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
    "analysis",
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


def module_of(path):
    """The name of the module that a file is."""
    return ".".join(("gdbench", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def imported_files(path, modules):
    """The modules of the package that a file imports, also late; what only a type checker sees is no import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    unseen = {inner for guard in guards for statement in guard.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if node in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {name: f"{node.module}.{name}" for name in (alias.name for alias in node.names)}
            yield from (part if part in modules else node.module for part in parts.values() if {part, node.module} & modules)


def circles(imports):
    """The groups of modules each of which imports the others of its group, directly or not."""
    reached = {name: set(others) for name, others in imports.items()}
    for middle in reached:
        for others in reached.values():
            if middle in others:
                others |= reached[middle]
    return {frozenset(o for o in reached[name] if name in reached[o]) for name in reached if name in reached[name]}


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == {frozenset("bc")}


def test_no_file_imports_one_that_imports_it():
    paths = {module_of(path): path for path in ROOT.rglob("*.py")}
    found = circles({name: set(imported_files(path, paths.keys())) - {name} for name, path in paths.items()})
    assert not found
