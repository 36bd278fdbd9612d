"""Executing one pass: from words to a row and a curve for each of its runs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gdbench import baselines
from gdbench.errors import GdbenchError, one_line
from gdbench.kernels.loops.objective import objective_and_gradient
from gdbench.kernels.registry import name_of
from gdbench.problems import Problem
from gdbench.solve import descent
from gdbench.suite.plan import Case, Pass, Run
from gdbench.tasks.inputs import make_task, row_classes

#: The columns of a curve.
CURVE = ("step", "epoch", "samples", "seconds", "objective", "gap", "gradient_norm")

#: What reaching a target is counted in, and the column of the curve that counts it; samples are row gradients.
COSTS = {"epochs": 1, "samples": 2, "updates": 0, "seconds": 3}

#: Ends of a run that got nowhere, whatever it passed on its way.
LOST = ("diverged", "failed")

#: A gap below −FLOOR·max(1, |f*|) means that f* is wrong.
FLOOR = 1e-9

#: Below this, times max(1, |f*|), a difference of objectives computed in float32 is rounding and counts as 0.
FLOOR32 = 1e-5


#: Columns that a run which could not be done leaves open.
NUMBERS = (
    *("seconds", "compile_seconds", "train_metric", "test_metric"),
    *("objective", "objective_start", "optimum", "gap", "relative_gap"),
)


#: The note of a run whose objective has no certified optimum.
BEST_KNOWN = "the objective is not convex: gaps count from the best value that a run found"


@dataclass(frozen=True)
class Record:
    """A finished run: a row of runs.parquet, and its curve of shape (points, len(CURVE))."""

    row: dict[str, Any]
    curve: np.ndarray

    @property
    def run_id(self) -> str:
        """The run's key."""
        return str(self.row["run_id"])


def target_label(target: float) -> str:
    """A target as in column names: "1e-3", "5e-2"."""
    mantissa, exponent = f"{target:.6e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def execute(work: Pass) -> list[Record]:
    """Run a pass. What goes wrong in it is the reason of its runs, all ``failed``, and no exception."""
    if work.error:
        return [failed(work, run, work.error) for run in work.runs]
    try:
        if work.case.landscape:
            from gdbench.suite import landscapes

            return landscapes.execute(work)
        problem = work.case.load(work.solver.dtype)
        # of a network neither is known before all runs are done: results.settled fills in what follows from them
        optimum, start = reference(work.case, work.solver.dtype) if work.case.network is None else (math.nan, math.nan)
        if work.solver.backend == "gdbench":
            return _descend(work, problem, optimum, start)
        return _baseline(work, problem, optimum, start)
    except GdbenchError as error:
        return [failed(work, run, str(error)) for run in work.runs]
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        return [failed(work, run, reason) for run in work.runs]


@lru_cache(maxsize=64)
def reference(case: Case, dtype: str) -> tuple[float, float]:
    """f* and f(w₀) with w₀ = 0, between which relative gaps are measured."""
    problem = case.load(dtype)
    task = problem.task()
    w = np.zeros((row_classes(task), problem.dataset.d + 1), problem.X.dtype)
    totals, g = np.empty(1), np.empty_like(w)
    objective_and_gradient(task, w, totals, g)
    return float(problem.optimum.value), float(totals[0])


def goal_of(work: Pass, optimum: float, start: float) -> float:
    """The objective at the tightest target."""
    return optimum + min(work.targets) * (start - optimum)


def _descend(work: Pass, problem: Problem, optimum: float, start: float) -> list[Record]:
    budget, lanes = work.case.budget, len(work.runs)
    setting = work.solver.setting(
        loss=problem.loss,
        penalty=problem.penalty,
        fit_intercept=problem.fit_intercept,
        model=work.case.network or "linear",
        learning_rates=[run.learning_rate for run in work.runs],
        epochs=work.epochs,
        seed=work.seed,
        record=work.points,
        time_limit=math.inf if budget.seconds is None else budget.seconds * lanes,
    )
    task, _ = make_task(problem.X, problem.y, setting)
    outcome = descent.run(task, setting, goal=goal_of(work, optimum, start))
    network = work.case.network is not None
    how = {"loss": name_of(problem.loss), "comparable": not network, "note": BEST_KNOWN if network else ""}
    return [_record(work, run, lane, problem, outcome, optimum, how) for lane, run in enumerate(work.runs)]


def _baseline(work: Pass, problem: Problem, optimum: float, start: float) -> list[Record]:
    module, records = baselines.get(work.solver.backend), []
    (solver,) = [s for s in module.solvers(problem) if s.label == work.solver.given_label]
    for run in work.runs:
        trial = module.run(
            problem,
            solver,
            learning_rate=run.learning_rate,
            seed=work.seed,
            epochs=work.epochs,
            goal=goal_of(work, optimum, start),
            time_limit=work.case.budget.seconds or math.inf,
        )
        how = {"loss": trial.loss, "comparable": trial.comparable, "note": trial.note}
        records.append(_record(work, run, 0, problem, trial.outcome, optimum, how))
    return records


def _record(
    work: Pass, run: Run, lane: int, problem: Problem, outcome: descent.Outcome, optimum: float, how: dict[str, Any]
) -> Record:
    """A lane's row and curve; a gap below zero makes it ``failed``, for f* is wrong then."""
    f_star = optimum if how["comparable"] else math.nan
    curve = _curve(outcome, lane, problem.dataset.n)
    with np.errstate(all="ignore"):
        curve[:, 5] = gap = _gaps(curve[:, 4], f_star, problem.X.dtype)
        status, reason = outcome.status[lane], outcome.reason[lane]
        lowest = float(np.nanmin(gap)) if np.isfinite(gap).any() else 0.0
        if lowest < -FLOOR * max(1.0, abs(f_star)):
            status = "failed"
            reason = f"an objective lies {-lowest:.3g} under f* = {f_star!r}: the certified optimum is wrong"
        w = outcome.w[lane].astype(np.float64)
        network = work.case.network
        if network is not None:
            coef, intercept = w, 0.0  # all parameters
        else:
            coef, intercept = (w[:, :-1], w[:, -1]) if len(w) > 1 else (w[0, :-1], float(w[0, -1]))
        scale = float(curve[0, 5])
        row = base_row(work, run) | {
            "dataset": problem.dataset.name,
            "loss": how["loss"],
            "alpha": problem.alpha,
            "penalty": name_of(problem.penalty),
            "n": problem.dataset.n,
            "d": problem.dataset.d,
            "data_bytes": data_bytes(problem.X),
            "status": status,
            "reason": reason,
            "note": how["note"],
            "epochs": float(curve[-1, 1]),
            "n_updates": int(curve[-1, 0]),
            "n_samples": int(curve[-1, 2]),
            "seconds": float(curve[-1, 3]),
            "compile_seconds": outcome.compile_seconds,
            "objective": float(curve[-1, 4]),
            "objective_start": float(curve[0, 4]),
            "optimum": f_star,
            "gap": float(gap[-1]),
            "relative_gap": float(gap[-1]) / scale if scale > 0 else math.nan,
            "train_metric": problem.metric(coef, intercept, "train", network),
            "test_metric": problem.metric(coef, intercept, "test", network),
            "metric_name": problem.metric_name,
        }
    return Record(row | costs_to_targets(curve, work.targets, row["status"], how["comparable"]), curve)


def _curve(outcome: descent.Outcome, lane: int, n: int) -> np.ndarray:
    """A lane's recorded points, its gaps still 0; its seconds are an equal share of the pass."""
    lanes, points = len(outcome.status), outcome.points[: outcome.last[lane] + 1]
    return np.array(
        [(p.step, p.samples / n, p.samples, p.seconds / lanes, p.objective[lane], 0.0, p.gradient_norm[lane]) for p in points]
    )


def _gaps(objective: np.ndarray, f_star: float, dtype: np.dtype) -> np.ndarray:
    """f(w) − f*; what float32 cannot resolve is 0."""
    gap = objective - f_star
    if dtype == np.float32:
        gap[np.abs(gap) <= FLOOR32 * max(1.0, abs(f_star))] = 0.0
    return gap


def costs_to_targets(curve: np.ndarray, targets: tuple[float, ...], status: str, comparable: bool = True) -> dict[str, float]:
    """What the first recorded point at or under each relative gap had cost: inf for a miss, NaN without f*.

    Whoever diverges later has not got there.

    Parameters
    ----------
    curve : ndarray of shape (points, len(CURVE))
    targets : tuple of float
    status : str
        How the run ended.
    comparable : bool

    Returns
    -------
    dict
        ``epochs_to_1e-3``, ``samples_to_1e-3`` (row gradients evaluated), ``updates_to_1e-3``, ``seconds_to_1e-3``, ...
    """
    found: dict[str, float] = {}
    start = curve[0, 5]
    for target in targets:
        with np.errstate(invalid="ignore"):
            reached = np.flatnonzero((curve[:, 5] <= target * start) & (status not in LOST))
        for name, column in COSTS.items():
            value = (float(curve[reached[0], column]) if reached.size else math.inf) if comparable else math.nan
            found[f"{name}_to_{target_label(target)}"] = value
    return found


def base_row(work: Pass, run: Run) -> dict[str, Any]:
    """What a row says before the run: its words."""
    case, solver = work.case, work.solver
    name = "gdbench" if solver.backend == "gdbench" else baselines.get(solver.backend).name
    return {
        "run_id": run.run_id,
        "suite": work.suite,
        "problem": case.name,
        "dataset": case.data,
        "loss": case.loss or "",
        "penalty": case.penalty or "none",
        "alpha": case.alpha,
        "options": json.dumps(dict(case.options), sort_keys=True),
        "model": case.model,
        "model_fields": json.dumps(dict(case.model_fields), sort_keys=True),
        "backend": name,
        "solver": solver.label,
        "variant": solver.variant,
        "batch_size": solver.batch_size,
        "optimizer": solver.optimizer,
        "optimizer_fields": json.dumps(dict(solver.optimizer_fields), sort_keys=True),
        "schedule": solver.schedule,
        "schedule_fields": json.dumps(dict(solver.schedule_fields), sort_keys=True),
        "shuffle": solver.shuffle,
        "dtype": solver.dtype,
        "learning_rate": run.learning_rate,
        "seed": work.seed,
        "stage": work.stage,
        "repeat": work.repeat,
        # a run of the grid shares its pass, its processor or both, so that its clock says nothing
        "timing": "alone" if work.stage == "timed" else "shared",
        "epochs_budget": work.epochs,
    }


def failed(work: Pass, run: Run, reason: str) -> Record:
    """The record of a run that could not be done."""
    row = base_row(work, run) | {"status": "failed", "reason": reason, "note": "", "metric_name": ""}
    row |= dict.fromkeys(("n", "d", "data_bytes", "n_updates", "n_samples"), 0) | {"epochs": 0.0}
    row |= dict.fromkeys(NUMBERS, math.nan)
    row |= {f"{kind}_to_{target_label(target)}": math.inf for target in work.targets for kind in COSTS}
    return Record(row, np.empty((0, len(CURVE))))


def data_bytes(X: Any) -> int:
    """Bytes that one pass over the rows reads."""
    return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes if hasattr(X, "indptr") else X.nbytes
