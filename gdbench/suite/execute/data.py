"""Runs on data: the grid of rates in one pass, and the chosen rate counted exactly."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from gdbench import baselines
from gdbench.kernels.loops.objective import objective_and_gradient
from gdbench.kernels.registry import name_of
from gdbench.problems import Problem
from gdbench.solve import descent
from gdbench.suite.execute import counting
from gdbench.suite.execute.rows import FLOOR, base_row, data_bytes, gaps, told
from gdbench.suite.plan import Case, Pass, Run
from gdbench.suite.vocabulary import REPORT, Crossing, Record, crossings
from gdbench.tasks.inputs import make_task, row_classes
from gdbench.tasks.setting import Setting

#: The note of a run whose objective has no certified optimum.
BEST_KNOWN = "the objective is not convex: gaps count from the best value that a run found"


def execute(work: Pass) -> list[Record]:
    """Run a pass on data."""
    problem = work.case.load(work.solver.dtype)
    # of a network neither is known before all runs are done: tables.with_best_known fills in what follows from them
    optimum, start = reference(work.case, work.solver.dtype) if work.case.network is None else (math.nan, math.nan)
    if work.solver.backend != "gdbench":
        return _baseline(work, problem, optimum, start)
    if work.stage == REPORT and work.case.network is None:
        return [_counted(work, problem, optimum, start)]
    return _swept(work, problem, optimum, start)


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


def setting_of(work: Pass, problem: Problem, epochs: int = 0) -> Setting:
    """What the engine is told of a pass; its own budget of epochs where no other is given."""
    budget = work.case.budget
    return work.solver.setting(
        loss=problem.loss,
        penalty=problem.penalty,
        fit_intercept=problem.fit_intercept,
        model=work.case.network or "linear",
        learning_rates=[run.learning_rate for run in work.runs],
        epochs=epochs or work.epochs,
        seed=work.seed,
        record=work.points,
        time_limit=math.inf if budget.seconds is None else budget.seconds * len(work.runs),
    )


def checkpoints(work: Pass, n: int) -> list[int]:
    """The steps of a pass that are looked at: those of the problem's grid of samples."""
    rows = work.solver.batch_size or n
    return counting.steps_at(counting.grid(n * work.case.budget.epochs, work.points), rows, work.epochs * -(-n // rows))


def _words(work: Pass, problem: Problem) -> dict[str, Any]:
    network = work.case.network is not None
    return {"loss": name_of(problem.loss), "comparable": not network, "note": BEST_KNOWN if network else ""}


def _swept(work: Pass, problem: Problem, optimum: float, start: float) -> list[Record]:
    """All rates side by side; what they reach is read off the grid."""
    setting = setting_of(work, problem)
    task, _ = make_task(problem.X, problem.y, setting)
    steps = checkpoints(work, problem.dataset.n)
    outcome = descent.run(task, setting, goal=goal_of(work, optimum, start), steps=steps)
    words = _words(work, problem)
    return [record(work, run, lane, problem, outcome, optimum, words) for lane, run in enumerate(work.runs)]


def _counted(work: Pass, problem: Problem, optimum: float, start: float) -> Record:
    """One rate, its targets narrowed down."""
    setting = setting_of(work, problem)
    with np.errstate(all="ignore"):
        task, _ = make_task(problem.X, problem.y, setting)
        one = descent.Descent(task, setting)
        compile_seconds = one.compile()
        judge = descent.Judge(one, setting, goal_of(work, optimum, start))
        walker = counting.DescentWalker(one, lambda value: float(gaps(value, optimum, problem.X.dtype)))
        counter = counting.Counter(walker, work.targets, walker.look())
        for step in checkpoints(work, problem.dataset.n):
            counter.prepare()
            one.advance(step)
            point = one.evaluate()
            counter.see(walker.seen(point))
            if judge.see(point):
                break
        outcome = judge.close()
    outcome.compile_seconds = compile_seconds
    return record(work, work.runs[0], 0, problem, outcome, optimum, _words(work, problem), counter.found)


def _baseline(work: Pass, problem: Problem, optimum: float, start: float) -> list[Record]:
    """Another library's runs, which can be looked at after whole epochs only."""
    module, records = baselines.get(work.solver.backend), []
    solver = offered(work, problem)
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
        words = {"loss": trial.loss, "comparable": trial.comparable, "note": trial.note}
        records.append(record(work, run, 0, problem, trial.outcome, optimum, words))
    return records


def offered(work: Pass, problem: Problem) -> baselines.Solver:
    """What a baseline calls the solver of a pass."""
    (solver,) = [s for s in baselines.get(work.solver.backend).solvers(problem) if s.label == work.solver.given_label]
    return solver


def record(
    work: Pass,
    run: Run,
    lane: int,
    problem: Problem,
    outcome: descent.Outcome,
    optimum: float,
    words: dict[str, Any],
    found: list[Crossing] | None = None,
) -> Record:
    """A lane's row and curve; a gap below zero makes it ``failed``, for f* is wrong then.

    The crossings are read off the curve where none are given.
    """
    f_star = optimum if words["comparable"] else math.nan
    curve = _curve(outcome, lane, problem.dataset.n)
    with np.errstate(all="ignore"):
        curve[:, 5] = gap = gaps(curve[:, 4], f_star, problem.X.dtype)
        status, reason = outcome.status[lane], outcome.reason[lane]
        lowest = float(np.nanmin(gap)) if np.isfinite(gap).any() else 0.0
        if lowest < -FLOOR * max(1.0, abs(f_star)):
            status = "failed"
            reason = f"an objective lies {-lowest:.3g} under f* = {f_star!r}: the certified optimum is wrong"
        scale = float(curve[0, 5])
        row = (
            base_row(work, run)
            | _about(problem)
            | {
                "loss": words["loss"],
                "note": words["note"],
                "status": status,
                "reason": reason,
                "epochs": float(curve[-1, 1]),
                "n_updates": int(curve[-1, 0]),
                "n_samples": int(curve[-1, 2]),
                "seconds": math.nan,
                "compile_seconds": outcome.compile_seconds,
                "objective": float(curve[-1, 4]),
                "objective_start": float(curve[0, 4]),
                "optimum": f_star,
                "gap": float(gap[-1]),
                "relative_gap": float(gap[-1]) / scale if scale > 0 else math.nan,
            }
        )
    row |= _metrics(work, problem, outcome.w[lane].astype(np.float64))
    return Record(row | {"crossings": told(crossings(curve, work.targets) if found is None else found)}, curve)


def _about(problem: Problem) -> dict[str, Any]:
    """What a row says of the problem."""
    return {
        "dataset": problem.dataset.name,
        "alpha": problem.alpha,
        "penalty": name_of(problem.penalty),
        "n": problem.dataset.n,
        "d": problem.dataset.d,
        "data_bytes": data_bytes(problem.X),
    }


def _metrics(work: Pass, problem: Problem, w: np.ndarray) -> dict[str, Any]:
    """How well the last weights predict."""
    network = work.case.network
    with np.errstate(all="ignore"):
        coef: Any
        intercept: Any
        if network is not None:
            coef, intercept = w, 0.0  # all parameters
        else:
            coef, intercept = (w[:, :-1], w[:, -1]) if len(w) > 1 else (w[0, :-1], float(w[0, -1]))
        return {
            "train_metric": problem.metric(coef, intercept, "train", network),
            "test_metric": problem.metric(coef, intercept, "test", network),
            "metric_name": problem.metric_name,
        }


def _curve(outcome: descent.Outcome, lane: int, n: int) -> np.ndarray:
    """A lane's recorded points, its gaps still 0. No clock runs beside them, so that their seconds are open."""
    points = outcome.points[: outcome.last[lane] + 1]
    return np.array([(p.step, p.samples / n, p.samples, math.nan, p.objective[lane], 0.0, p.gradient_norm[lane]) for p in points])
