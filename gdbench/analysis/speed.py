"""How fast the data was read: against what the machine can, and against peers that do the same work."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from gdbench.analysis import uncertainty
from gdbench.analysis.across import Across
from gdbench.analysis.view import ProblemView, SolverView, View
from gdbench.errors import GdbenchError, one_line


@dataclass(frozen=True)
class Reading:
    """How fast one solver went through the data of one problem."""

    problem: str
    label: str
    kind: str
    gb_s: float


@dataclass(frozen=True)
class Pair:
    """The same work here and elsewhere.

    Attributes
    ----------
    work, peer : str
    ours, theirs : float
        Seconds of a unit of the work.
    ratio, low, high : float
        How many times as long the peer took, with the ends of its interval.
    """

    work: str
    peer: str
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Speed:
    """All readings of a folder, and all pairs.

    Attributes
    ----------
    problems : list of str
    readings : list of Reading
    limit : float or None
        What one core reads from memory, in GB/s.
    pairs : list of Pair
    absent : list of str
        Peers that were not installed, and so not measured.
    """

    problems: list[str]
    readings: list[Reading]
    limit: float | None
    pairs: list[Pair]
    absent: list[str] = field(default_factory=list)


def build(shown: View, over: Across, peers: Path | None = None) -> Speed:
    """The speed of a folder's timed runs; `peers` is what ``benchmarks/peers.py --json`` wrote."""
    solvers = {(problem.name, one.solver): one for problem in shown.problems for one in problem.solvers}
    rows = over.bandwidth[over.bandwidth.gb_s > 0]
    readings = []
    for row in rows.itertuples():
        solver = solvers[row.problem, row.solver]
        kind = "baseline" if solver.baseline else solver.variant
        readings.append(Reading(str(row.problem), solver.label, kind, float(row.gb_s)))
    pairs = [pair for problem in shown.problems for pair in baselines(shown, problem)]
    limit = shown.machine.get("read_bandwidth_gb_s")
    measured, absent = from_file(peers) if peers else ([], [])
    return Speed([p.name for p in shown.problems], readings, limit, pairs + measured, absent)


def baselines(shown: View, problem: ProblemView) -> list[Pair]:
    """A problem's baselines beside the solver of ours that does the same steps."""
    found = []
    # a note tells of other work, such as another objective
    timed = [solver for solver in problem.solvers if solver.timed and solver.status != "failed" and not solver.note]
    for theirs in timed:
        same = [s for s in timed if not s.baseline and work_of(s) == work_of(theirs)]
        if not theirs.baseline or not same:
            continue
        ours, peer = paces(shown, problem, same[0]), paces(shown, problem, theirs)
        for clock in ours:
            a, b = ours[clock], peer[clock]
            ratios = (b / a).dropna().to_numpy(dtype=float)
            if len(ratios):
                work = f"{same[0].label}, {problem.name}, {clock}"
                middle = uncertainty.median(ratios)
                found.append(Pair(work, theirs.label, a.median(), b.median(), middle, *uncertainty.interval(ratios)))
    return found


def work_of(solver: SolverView) -> tuple[Any, ...]:
    """What has to be the same for two solvers on a problem to do the same work in a step."""
    row = solver.row
    return solver.optimizer, solver.variant, solver.batch_size, row["schedule"], row["dtype"], row["loss"]


def paces(shown: View, problem: ProblemView, solver: SolverView) -> pd.DataFrame:
    """Of each timing of a solver, by its seed: seconds a row on the step clock, and of a call over all epochs of the budget."""
    timed = shown.results.timed
    runs = timed[(timed.problem == problem.name) & (timed.solver == solver.solver) & (timed.repeat == 0)].set_index("seed")
    return pd.DataFrame({"steps": runs.seconds / runs.n_samples, "calls": runs.call_seconds})


def from_file(path: Path) -> tuple[list[Pair], list[str]]:
    """The pairs that ``benchmarks/peers.py --json`` wrote, and the peers that it did not find.

    Raises
    ------
    GdbenchError
        The file is not there, or holds something else.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        found = [
            Pair(
                str(row["work"]),
                str(row["peer"]),
                row["ours_ms"] / 1e3,
                row["peer_ms"] / 1e3,
                *(float(row[key]) for key in ("ratio", "low", "high")),
            )
            for row in given["rows"]
        ]
        absent = [str(name) for name in given.get("absent", [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GdbenchError(f"{path} holds no result of benchmarks/peers.py --json: {one_line(error)}") from None
    numbers = [[getattr(pair, field.name) for field in fields(Pair)[2:]] for pair in found]
    if not all(math.isfinite(value) and value > 0 for row in numbers for value in row):
        raise GdbenchError(f"{path} holds a time or a ratio that is no positive number")
    return found, absent
