"""What a report shows beside its problems: speed, the noise of the clock, how sure the ranks are, parity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdbench.errors import GdbenchError, one_line
from gdbench.report import speed
from gdbench.report.across import Across, Contestant
from gdbench.report.speed import Speed
from gdbench.report.view import View
from gdbench.suite import statistics


@dataclass(frozen=True)
class Noise:
    """How far apart the clocks of identical runs are on a problem.

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
class Difference:
    """How far average ranks have to be apart.

    Attributes
    ----------
    who : list of Contestant
        The lowest average rank first.
    mean : ndarray
    critical : float
        Contestants whose average ranks differ by less are not told apart (Nemenyi).
    p : float
        Friedman's test that all are alike; NaN with fewer than three problems.
    problems : int
    """

    who: list[Contestant]
    mean: np.ndarray
    critical: float
    p: float
    problems: int

    @property
    def alone(self) -> int:
        """How many contestants the first one is told apart from."""
        return int((self.mean - self.mean[0] > self.critical).sum())


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
    difference: Difference | None
    parity: Parity | None


def build(shown: View, over: Across, parity: Path | None = None, peers: Path | None = None) -> Beside:
    """What stands beside the problems of a view.

    Parameters
    ----------
    shown : View
    over : Across
    parity, peers : path, optional
        What ``gdbench validate --json`` and ``benchmarks/peers.py --json`` wrote; by default parity.json and peers.json
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
        difference=difference(over),
        parity=parity_of(found["parity.json"]) if found["parity.json"] else None,
    )


def noise(shown: View) -> list[Noise]:
    """The noise of each problem that has solvers which were timed twice."""
    timed = shown.results.timed
    pace = (timed.seconds / timed.n_samples).groupby([timed.problem, timed.solver, timed.learning_rate, timed.seed])
    excess = (pace.max() / pace.min() - 1)[pace.size() > 1]
    found = []
    for problem in shown.problems:
        if problem.pairs:
            found.append(Noise(problem.name, np.sort(excess[problem.name].to_numpy(dtype=float)), problem.noise - 1))
    return found


def difference(over: Across) -> Difference | None:
    """The critical difference of the average ranks; None for fewer than two problems or three contestants."""
    ranks = over.ranks
    if ranks is None or len(ranks.problems) < 2 or len(ranks.who) < 3:
        return None
    found = statistics.ranking(pd.DataFrame(ranks.costs.T, columns=range(len(ranks.who))))
    order = [int(i) for i in found.ranks.index]
    mean = found.ranks.to_numpy(dtype=float)
    return Difference([ranks.who[i] for i in order], mean, found.critical_difference, found.p, found.problems)


def parity_of(path: Path) -> Parity:
    """The table that ``gdbench validate --json`` wrote.

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
        raise GdbenchError(f"{path} holds no result of gdbench validate --json: {one_line(error)}") from None
