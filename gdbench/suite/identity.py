"""What a run's numbers depend on besides its configuration: the code that it executes, the libraries' versions, the processor.

The code is found by following the import statements from the module that executes runs, so that a module which comes to
be imported belongs to the keys of runs at once, and one that only plans, stores or shows results does not. The files are
read, not loaded: the answer is the same in every process, whatever it has imported before.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import platform
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

#: The module that executes runs: what it imports, directly or not, makes their numbers.
ENTRY = "gdbench.suite.execute"

#: Distributions whose version is part of each run's key.
LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "llvmlite")

PACKAGE = Path(__file__).resolve().parents[1]


@cache
def fingerprint() -> dict[str, str]:
    """What has to be the same in two processes for their results to be the same to the bit, by name."""
    import llvmlite.binding as llvm

    return {"code": code_digest(), "python": python_version()} | versions() | {"cpu": llvm.get_host_cpu_name()}


def python_version() -> str:
    """The implementation and version of Python."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def versions() -> dict[str, str]:
    """The version of each library that the numbers depend on; "none" where it is not installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def code_digest(package: Path = PACKAGE) -> str:
    """16 hexadecimal digits of the source of all modules that executing a run imports."""
    return _digest_of(modules(package).items())


def modules(package: Path = PACKAGE, entry: str = ENTRY) -> dict[str, Path]:
    """The file of each module of gdbench that a module imports, directly or not, itself included, sorted by name.

    Parameters
    ----------
    package : Path
        The folder of the package.
    entry : str
        The module to begin with.
    """

    def file_of(name: str) -> Path | None:
        top, *parts = name.split(".")
        if top != "gdbench":
            return None
        base = package.joinpath(*parts)
        return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)

    return _reached([entry], file_of)


def foreign_sources(*tags: Any) -> list[str]:
    """:func:`foreign_source` of the class of each tag, and of those of the tags that it is made of."""
    found = []
    for tag in tags:
        found.append(foreign_source(type(tag)))
        found += foreign_sources(*(value for value in tag if hasattr(value, "_fields")))
    return found


def foreign_source(cls: type) -> str:
    """Digest of the file that defines a class from outside gdbench, and of the user's modules that it imports.

    It is empty for gdbench's own classes, which :func:`code_digest` covers.
    """
    if cls.__module__.partition(".")[0] == "gdbench":
        return ""
    files = _reached([cls.__module__], _users_file)
    return _digest_of(files.items()) if files else repr(cls)


def _users_file(name: str) -> Path | None:
    """The file of a loaded module that is neither gdbench's, nor Python's, nor of an installed distribution."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file or not file.endswith(".py") or name.partition(".")[0] == "gdbench":
        return None
    path = Path(file).resolve()
    installed = {Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    return path if path.is_file() and installed.isdisjoint(path.parents) else None


def _reached(entries: Iterable[str], file_of: Callable[[str], Path | None]) -> dict[str, Path]:
    """The modules that others import, directly or not, those themselves included, that have a file."""
    found: dict[str, Path] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        path = file_of(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += _imports(name, path)
    return dict(sorted(found.items()))


def _imports(name: str, path: Path) -> Iterator[str]:
    """Names of the modules that a file imports, also inside of functions; some may be no modules."""
    # the packages around a module are imported before it
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts)))
    package = parts if path.name == "__init__.py" else parts[:-1]
    for node in _executed(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif path.name == "__init__.py" and _names_members(node):
            yield from (f"{name}.{_module_name(member)}" for member in path.parent.iterdir() if _module_name(member))


def _executed(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes of a module without what only type checkers read and what a module's ``__getattr__`` loads on demand."""
    waiting: list[ast.AST] = [
        node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
    ]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _names_members(node: ast.AST) -> bool:
    """Whether a package that holds this node imports its own modules by name, as the registries do."""
    return (isinstance(node, ast.Name) and node.id == "__path__") or (
        isinstance(node, ast.Attribute) and node.attr == "import_module"
    )


def _module_name(path: Path) -> str:
    """The name of the module in a package's folder that a path is; empty where it is none."""
    if path.is_dir():
        return path.name if (path / "__init__.py").is_file() else ""
    return path.stem if path.suffix == ".py" and path.stem != "__init__" else ""


def _digest_of(files: Iterable[tuple[str, Path]]) -> str:
    """16 hexadecimal digits of named files; line ends do not count, which differ between checkouts."""
    h = hashlib.sha256()
    for name, path in files:
        content = path.read_bytes().replace(b"\r\n", b"\n")
        h.update(f"{name} {len(content)}\n".encode() + content)
    return h.hexdigest()[:16]
