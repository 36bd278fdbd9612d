"""Closed-form functions as problems of a suite: one step is one gradient, and the seed draws the start.

Seed 0 starts where the landscape itself says; any other draws a point of its box. f* is the value of its global
minima; a landscape without one, such as a saddle, has no gaps. Every step is looked at, so that what it takes is exact. Nothing
is timed, for a run takes microseconds.
"""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import numpy as np

from gdbench.kernels import landscapes
from gdbench.solve.paths import Path, minimize
from gdbench.suite.execute.rows import FLOOR, base_row, told
from gdbench.suite.plan import Case, Pass, Run, Solver
from gdbench.suite.vocabulary import Record, crossings


def make(case: Case) -> Any:
    """The landscape's tag."""
    return landscapes.registry.make(case.landscape, **dict(case.landscape_fields))


def start_of(place: Any, seed: int) -> np.ndarray:
    """The landscape's own start for seed 0, else a point drawn uniformly from its box."""
    own = np.asarray(place.start, dtype=float)
    if seed == 0:
        return own
    box = [place.box[min(j, len(place.box) - 1)] for j in range(own.size)]
    low, high = np.array(box, dtype=float).T
    return np.random.default_rng(seed).uniform(low, high)


def execute(work: Pass) -> list[Record]:
    """Run each rate of the pass."""
    place = make(work.case)
    start = start_of(place, work.seed)
    minima = place.minima(start.size)
    optimum = min((float(value) for _, value in minima), default=math.nan)
    compile_seconds = compile(work.case, work.solver)
    return [_record(work, place, start, optimum, run, compile_seconds) for run in work.runs]


def compile(case: Case, solver: Solver) -> float:
    """Compile, or load from the cache, the loop of a solver on a landscape; the seconds it took."""
    place = make(case)
    return _minimize(solver, place, start_of(place, 0), 0.1, 1)[1]


def _minimize(solver: Solver, place: Any, start: np.ndarray, rate: float, steps: int) -> tuple[Path, float]:
    setting = solver.setting()
    schedule = setting.schedule._replace(learning_rate=rate)
    begin = perf_counter()
    path = minimize(place, start, setting.optimizer, schedule, steps)
    return path, perf_counter() - begin


def _record(work: Pass, place: Any, start: np.ndarray, optimum: float, run: Run, compile_seconds: float) -> Record:
    path, _ = _minimize(work.solver, place, start, run.learning_rate, work.epochs)
    with np.errstate(all="ignore"):
        gap = path.value - optimum
        norm = np.sqrt((path.gradient**2).sum(axis=1))
        reached = np.flatnonzero(gap <= min(work.targets) * gap[0])
        last = int(reached[0]) if reached.size else _last(path)
        steps = np.unique(np.r_[0, np.rint(np.geomspace(1, max(last, 1), work.points)), last].astype(int))
        steps = steps[steps <= last]
        every = np.arange(last + 1)
        whole = np.column_stack([every, every, every, np.full(last + 1, math.nan), path.value[every], gap[every], norm[every]])
        curve = whole[steps]
    status, reason = ("converged", "") if reached.size else (path.status, path.reason)
    if status == "converged" and not reached.size:
        status = "budget"  # it rests, but at no global minimum: the note says where
    if np.nanmin(gap, initial=0.0) < -FLOOR * max(1.0, abs(optimum)):
        status, reason = "failed", f"a value lies under f* = {optimum!r}: the landscape's minimum is wrong"
    row = base_row(work, run) | {
        "dataset": work.case.landscape,
        "loss": "landscape",
        "n": 1,
        "d": int(start.size),
        "data_bytes": 0,
        "status": status,
        "reason": reason,
        "note": path.reached or "",
        "epochs": float(last),
        "n_updates": last,
        "n_samples": last,
        "seconds": math.nan,
        "compile_seconds": compile_seconds,
        "objective": float(curve[-1, 4]),
        "objective_start": float(curve[0, 4]),
        "optimum": optimum,
        "gap": float(curve[-1, 5]),
        "relative_gap": float(curve[-1, 5] / gap[0]) if gap[0] > 0 else math.nan,
        "train_metric": math.nan,
        "test_metric": math.nan,
        "metric_name": "",
    }
    return Record(row | {"crossings": told(crossings(whole, work.targets))}, curve)


def _last(path: Path) -> int:
    """The step at which the path left for infinity, or its last."""
    bad = np.flatnonzero(~np.isfinite(path.value))
    return int(bad[0]) if bad.size else len(path.value) - 1
