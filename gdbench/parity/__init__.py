"""Parity: the same computation here and in a reference, compared along the whole trajectory.

>>> from gdbench import parity
>>> rows = parity.validate("statistics")
>>> all(row.passed for row in rows)
True
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from gdbench.errors import GdbenchError, unknown
from gdbench.parity.case import Case, NoOracle, Row, differences, run, skipped
from gdbench.parity.table import disagreements, summary, to_json, to_markdown

#: Each reference's module and how to get the library that it needs.
REFERENCES = {
    "numpy": ("gdbench.parity.against_numpy", ""),
    "python": ("gdbench.parity.against_python", ""),
    "sklearn": ("gdbench.parity.against_sklearn", ""),
    "statistics": ("gdbench.parity.against_statistics", ""),
    "torch": ("gdbench.parity.against_torch", "pip install 'gdbench[torch]'"),
    "optax": ("gdbench.parity.against_optax", "pip install 'gdbench[optax]'"),
    "keras": ("gdbench.parity.against_keras", "pip install 'gdbench[keras]'"),
    "oracles": ("gdbench.parity.against_oracles", "pip install 'gdbench[oracles]'"),
}


def validate(
    against: str | Iterable[str] = "all",
    progress: Callable[[int, int, str], None] | None = None,
    *,
    quick: bool = False,
    jobs: int = 1,
) -> list[Row]:
    """Compare gdbench's steps with those of the references.

    Parameters
    ----------
    against : str or iterable of str, default "all"
        ``numpy``, ``python``, ``sklearn``, ``statistics``, ``torch``, ``optax``, ``keras``, ``oracles``, or ``all``.
    progress : callable, optional
        Called before each case, or with several processes after it, with the number of cases done, their total and the
        case in words.
    quick : bool, default False
        A part of the cases that still holds each member of each registry.
    jobs : int, default 1
        Processes that share the cases; nothing here is timed.

    Returns
    -------
    list of Row
        A row a case, with ``passed`` True or False; of ``all``, a reference whose library isn't installed is one row that
        says so.

    Raises
    ------
    GdbenchError
        An unknown reference, or one asked for by its name whose library isn't installed.
    """
    asked = [against] if isinstance(against, str) else list(against)
    names = chosen(asked)
    todo = {(name, number): item for name in names for number, item in enumerate(gathered(name, quick))}
    for (name, _), item in todo.items():
        # what was asked for by name is not left out in silence
        if "all" not in asked and isinstance(item, Row) and item.status == "skipped":
            raise GdbenchError(f"{name} is not installed, so nothing was compared: {item.reason}")
    rows = {}
    for done, (key, row) in enumerate(_spread(list(todo), quick, jobs) if jobs > 1 else _in_turn(todo, progress)):
        rows[key] = row
        if progress and jobs > 1:
            progress(done + 1, len(todo), row.case)
    return [rows[key] for key in todo]


def _in_turn(
    todo: dict[tuple[str, int], Case | Row], progress: Callable[[int, int, str], None] | None
) -> Iterator[tuple[tuple[str, int], Row]]:
    for done, (key, item) in enumerate(todo.items()):
        if progress:
            progress(done, len(todo), item.what if isinstance(item, Case) else item.case)
        yield key, _row(item)


def _spread(keys: list[tuple[str, int]], quick: bool, jobs: int) -> Iterator[tuple[tuple[str, int], Row]]:
    """Rows as they come, from processes that each gather the cases for themselves: a case holds functions."""
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(_apart)(key, quick) for key in keys)


def _apart(key: tuple[str, int], quick: bool) -> tuple[tuple[str, int], Row]:
    name, number = key
    return key, _row(_gathered_once(name, quick)[number])


@lru_cache(maxsize=8)
def _gathered_once(name: str, quick: bool) -> list[Case | Row]:
    return gathered(name, quick)


def _row(item: Case | Row) -> Row:
    return run(item) if isinstance(item, Case) else item


def chosen(against: str | Iterable[str]) -> list[str]:
    """The references that a name, or several, stand for."""
    names = [against] if isinstance(against, str) else list(against)
    for name in names:
        if name != "all" and name not in REFERENCES:
            raise unknown("reference", name, [*REFERENCES, "all"])
    return list(REFERENCES) if "all" in names else names


def gathered(name: str, quick: bool) -> list[Case | Row]:
    """A reference's cases; one skipped row where its library is missing."""
    module, hint = REFERENCES[name]
    try:
        return list(importlib.import_module(module).cases(quick))
    except ImportError as error:
        # a module of gdbench that fails to import is a bug, and never skipped
        if not hint or (error.name or "").startswith("gdbench"):
            raise
        return [skipped(name, hint)]


__all__ = [
    "REFERENCES",
    "Case",
    "NoOracle",
    "Row",
    "differences",
    "disagreements",
    "run",
    "summary",
    "to_json",
    "to_markdown",
    "validate",
]
