"""What a report shows beside its problems: speed, the A/A spread of the step clock, parity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gdbench.analysis import speed
from gdbench.analysis.across import Across
from gdbench.analysis.speed import Speed
from gdbench.analysis.view import View
from gdbench.errors import GdbenchError, one_line


@dataclass(frozen=True)
class Noise:
    """How far apart the step clocks of identical runs are on a problem.

    Attributes
    ----------
    problem : str
    excess : ndarray
        Of each solver that was timed twice with the same seed: slower ÷ faster − 1.
    bound : float
        What nine of ten of them stay under.
    """

    problem: str
    excess: np.ndarray
    bound: float


@dataclass(frozen=True)
class Parity:
    """A parity table: a line a reference, and a line a case."""

    summary: list[dict[str, Any]]
    cases: list[tuple[str, ...]]
    heads: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """All of it; None and empty where the results hold too little."""

    speed: Speed
    noise: list[Noise]
    parity: Parity | None


def build(shown: View, over: Across, parity: Path | None = None, peers: Path | None = None) -> Beside:
    """What stands beside the problems of a view.

    Parameters
    ----------
    shown : View
    over : Across
    parity, peers : path, optional
        What ``gdbench validate --out`` and ``benchmarks/peers.py --json`` wrote; by default parity.json and peers.json
        of the folder, where they are.
    """
    found = {"parity.json": parity, "peers.json": peers}
    for name, given in found.items():
        beside = shown.results.folder / name
        if given is None and beside.exists():
            found[name] = beside
    return Beside(
        speed=speed.build(shown, over, found["peers.json"]),
        noise=noise(shown),
        parity=parity_of(found["parity.json"]) if found["parity.json"] else None,
    )


def noise(shown: View) -> list[Noise]:
    """The A/A spread of each problem that has solvers which were timed twice."""
    return [
        Noise(problem.name, shown.hits.clock_pairs(problem.name, "seconds"), problem.noise["seconds"] - 1)
        for problem in shown.problems
        if problem.pairs
    ]


def parity_of(path: Path) -> Parity:
    """The table that ``gdbench validate --out`` wrote.

    Raises
    ------
    GdbenchError
        The file is not there, or holds something else.
    """
    from gdbench.parity import Row, table

    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        rows = [Row(**{key: value for key, value in record.items() if key != "passed"}) for record in records]
        if not rows:
            raise ValueError("it has no rows")
        return Parity(table.summary(rows), [table.cells(row) for row in rows], table.HEADS)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise GdbenchError(f"{path} holds no result of gdbench validate --out: {one_line(error)}") from None
