"""The catalog: every data set that gdbench knows by name, declared in datasets/catalog.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from gdbench.errors import GdbenchError, unknown

KINDS = ("sklearn", "synthetic", "fetcher", "shipped")
TASKS = ("regression", "binary", "multiclass")


@dataclass(frozen=True)
class Entry:
    """One table of catalog.toml.

    Attributes
    ----------
    name : str
        The table's name.
    kind : {"sklearn", "synthetic", "fetcher", "shipped"}
    source : str
        The function of sklearn.datasets, or the file in the datasets folder.
    task : {"regression", "binary", "multiclass"}
    description, licence, provenance : str
        For people: what it is, and where it comes from.
    size : tuple of int
        Rows and columns after preprocessing, training and test rows together.
    target : str
        The column to predict, where the source has named columns.
    numeric, categorical : tuple of str
        The columns used as features, for a table.
    preprocess : tuple of str
        Steps of `gdbench.problems.preprocess`, in order; () for none.
    target_preprocess : {"none", "standardise"}
    sparse : bool
        Build X as CSR; categories keep all their levels then.
    test_fraction : float
        Share of the rows kept for testing.
    split_seed : int
        Seed of the train/test split.
    sha256 : str
        Of the file, for a shipped one.
    options : dict
        Arguments of the source that a caller may override.
    """

    name: str
    kind: str
    source: str
    task: str
    description: str
    licence: str
    provenance: str
    size: tuple[int, int]
    target: str = ""
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    preprocess: tuple[str, ...] = ()
    target_preprocess: str = "none"
    sparse: bool = False
    test_fraction: float = 0.2
    split_seed: int = 0
    sha256: str = ""
    options: dict[str, Any] = field(default_factory=dict, hash=False)


def folder() -> Path:
    """The folder of catalog.toml and the data files: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "datasets", package.parent / "datasets"):
        if (candidate / "catalog.toml").is_file():
            return candidate
    raise GdbenchError("datasets/catalog.toml is missing from this installation; install gdbench again")


def names() -> list[str]:
    """The names of all data sets, in the catalog's order."""
    return list(_entries())


def entry(name: str) -> Entry:
    """The catalog's entry of that name; an unknown name raises a GdbenchError that lists the names."""
    entries = _entries()
    if name not in entries:
        raise unknown("dataset", name, entries)
    return entries[name]


@lru_cache(maxsize=1)
def _entries() -> dict[str, Entry]:
    return parse((folder() / "catalog.toml").read_text(encoding="utf-8"))


def parse(text: str) -> dict[str, Entry]:
    """Parse and check a catalog's text.

    Parameters
    ----------
    text : str
        TOML, one table a data set.

    Returns
    -------
    dict of str to Entry
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GdbenchError(f"catalog.toml is not valid TOML: {error}") from None
    return {name: _entry(name, table) for name, table in tables.items()}


def _entry(name: str, table: Any) -> Entry:
    if not isinstance(table, dict):
        raise GdbenchError(f"catalog.toml: '{name}' has to be a table")
    known = {f.name: f for f in fields(Entry) if f.name != "name"}
    for key in table:
        if key not in known:
            raise GdbenchError(f"catalog.toml, [{name}]: {unknown('key', key, known)}")
    required = ("kind", "source", "task", "description", "licence", "provenance", "size")
    missing = [key for key in required if key not in table]
    if missing:
        raise GdbenchError(f"catalog.toml, [{name}]: missing {', '.join(missing)}")
    # lists become tuples, so that an entry is immutable
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    made = Entry(name=name, **values)
    _check(made)
    return made


def _check(e: Entry) -> None:
    from gdbench.problems.preprocess import STEPS

    size = e.size if isinstance(e.size, tuple) else ()
    if len(size) != 2 or not all(type(length) is int and length >= 1 for length in size):
        raise GdbenchError(f"catalog.toml, [{e.name}]: size has to be [rows, columns], two whole numbers, not {e.size!r}")
    choices = [("kind", e.kind, KINDS), ("task", e.task, TASKS)]
    choices += [("preprocess step", step, STEPS) for step in e.preprocess]
    choices += [("target_preprocess", e.target_preprocess, ("none", "standardise"))]
    for what, value, valid in choices:
        if value not in valid:
            raise GdbenchError(f"catalog.toml, [{e.name}]: {unknown(what, value, valid)}")
    if not 0 <= e.test_fraction < 1:
        raise GdbenchError(f"catalog.toml, [{e.name}]: test_fraction has to be in [0, 1), not {e.test_fraction}")
    if e.kind == "shipped" and not (e.sha256 and e.target):
        raise GdbenchError(f"catalog.toml, [{e.name}]: a shipped file needs sha256 and target")
