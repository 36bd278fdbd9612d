"""SciPy's minimisers, on gdbench's own compiled objective and gradient: what descent has to beat where data fits in memory.

None of them needs a learning rate or a seed. One evaluation of the objective and its gradient reads all rows once, so that it
counts as an epoch, the evaluations of a line search included.
"""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import numpy as np

from gdbench.baselines import Solver, Trial
from gdbench.kernels.loops.objective import objective_and_gradient
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Task
from gdbench.problems import Problem
from gdbench.solve.descent import Outcome, Point
from gdbench.tasks.inputs import row_classes

name = "SciPy"

#: Each method with the tolerances by which it would end of itself: none, for the target or the budget ends it.
METHODS = {
    "L-BFGS": ("L-BFGS-B", {"ftol": 0.0, "gtol": 0.0, "maxfun": 10**9}),
    "CG": ("CG", {"gtol": 0.0}),
    "Newton-CG": ("Newton-CG", {"xtol": 0.0}),
}


def versions() -> dict[str, str]:
    """SciPy's version."""
    import scipy

    return {"scipy": scipy.__version__}


def solvers(problem: Problem) -> list[Solver]:
    """The methods, where the objective has a gradient everywhere."""
    smooth = hasattr(problem.loss, "curvature") or name_of(problem.loss) == "cross_entropy"
    if not smooth or name_of(problem.penalty) not in ("none", "l2"):
        return []
    return [Solver(label, "batch", None, label.lower(), "constant", "none", needs_rate=False) for label in METHODS]


class _Over(Exception):
    """The last evaluation that was allowed has been made."""


class Evaluations:
    """The objective and its gradient, counted.

    Parameters
    ----------
    task : Task
    most : int
        Evaluations after which no further one is made.
    goal, time_limit : float
        An objective, and seconds of evaluating and of the method itself, that end it sooner.
    """

    def __init__(self, task: Task, most: int, goal: float = -math.inf, time_limit: float = math.inf):
        self.task, self.most, self.goal, self.time_limit = task, most, goal, time_limit
        self.w = np.zeros((row_classes(task), task.data.values.shape[-1] + 1), task.data.values.dtype)
        self.points: list[Point] = []
        self.best = (math.inf, self.w)
        self.made, self.status, self.begin = 0, "", perf_counter()

    def __call__(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """J and its gradient at the weights `flat`."""
        if self.made == self.most:
            raise _Over
        w = flat.reshape(self.w.shape).astype(self.w.dtype)
        totals, g = np.empty(1), np.empty_like(w)
        objective_and_gradient(self.task, w, totals, g)
        self.made += 1
        self._see(w, float(totals[0]), g)
        return float(totals[0]), g.ravel().astype(np.float64)

    def _see(self, w: np.ndarray, value: float, g: np.ndarray) -> None:
        """Take in an evaluation; the weights that count are the best so far."""
        seconds = perf_counter() - self.begin
        norm = np.array([np.linalg.norm(g.astype(np.float64))])
        self.points.append(Point(self.made, self.made * self.task.target.size, seconds, np.array([value]), norm))
        if value < self.best[0]:
            self.best = value, w
        if value <= self.goal or seconds > self.time_limit:
            self.status = "converged" if value <= self.goal else "timeout"
            raise _Over

    def descend(self, solver: Solver) -> bool:
        """Descend from w = 0; whether an evaluation may follow."""
        from scipy.optimize import minimize

        method, options = METHODS[solver.label]
        try:
            with np.errstate(all="ignore"):
                minimize(self, self.w.ravel().astype(np.float64), jac=True, method=method, options={**options, "maxiter": 10**9})
        except _Over:
            return False
        return self.made < self.most


def run(
    problem: Problem,
    solver: Solver,
    *,
    learning_rate: float,
    seed: int,
    epochs: int,
    goal: float = -math.inf,
    time_limit: float = math.inf,
) -> Trial:
    """Descend until the goal, the budget, or the method itself finds no lower point; neither rate nor seed matters."""
    found = Evaluations(problem.task(), epochs, goal, time_limit)
    first = Evaluations(problem.task(), 1)
    first(first.w.ravel())
    ended = found.descend(solver)
    start = first.points[0]
    points = [Point(0, 0, 0.0, start.objective, start.gradient_norm), *found.points]
    reason = f"{solver.label} found no lower point after {found.made} evaluations" if ended else ""
    outcome = Outcome(found.best[1][None], [found.status or "budget"], [reason], points, [len(points) - 1], points[-1].seconds)
    return Trial(outcome, name_of(problem.loss))


def fit(problem: Problem, solver: Solver, *, learning_rate: float, seed: int, epochs: int) -> Any:
    """As many evaluations as `epochs` says, on no more than the method's own bookkeeping; begun anew where it ends of itself."""
    found = Evaluations(problem.task(), epochs)
    while found.descend(solver):
        pass
    return found.best[1]
