"""A scikit-learn estimator recorded epoch by epoch.

The curve comes from ``partial_fit``, one epoch a call, which given a RandomState shuffles anew each time. Its clock serves the
time limit alone: what a user waits for is one ``fit`` of as many epochs, which is timed apart.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from gdbench.kernels.loops.objective import objective_and_gradient
from gdbench.kernels.task import Task
from gdbench.problems import Problem
from gdbench.solve.descent import BLOW_UP, Outcome, Point
from gdbench.tasks.inputs import row_classes


class Recorder:
    """Descends with an estimator.

    Parameters
    ----------
    problem : Problem
    task : Task
        Whose objective is recorded.
    make : callable
        The unfitted estimator; takes the number of epochs, ``max_iter``, and ``random_state``.
    library : str
        In messages.
    batch_size : int
        Rows a step.
    """

    def __init__(self, problem: Problem, task: Task, make: Callable[..., Any], library: str, batch_size: int = 1):
        self.problem, self.task, self.make, self.library = problem, task, make, library
        self.steps = -(-problem.dataset.n // batch_size)
        self.ceiling = math.inf

    def descend(self, seed: int, epochs: int, goal: float, time_limit: float) -> Outcome:
        """Epoch by epoch to the goal, the budget or divergence."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._by_epochs(seed, epochs, goal, time_limit)

    def _by_epochs(self, seed: int, epochs: int, goal: float, time_limit: float) -> Outcome:
        """The curve, by partial_fit."""
        problem = self.problem
        model = self.make(random_state=np.random.RandomState(seed))
        classes = {} if problem.dataset.task == "regression" else {"classes": np.unique(problem.y)}
        w = np.zeros((row_classes(self.task), problem.dataset.d + 1), problem.X.dtype)
        points = [self._point(w, 0, 0.0)]
        self.ceiling = BLOW_UP * max(1.0, abs(float(points[0].objective[0])))
        seconds, status, reason = 0.0, "", ""
        for epoch in range(1, epochs + 1):
            begin = perf_counter()
            try:
                model.partial_fit(problem.X, problem.y, **classes)
            except ValueError:  # the library's words for weights that are no longer finite
                status, reason = "diverged", f"{self.library} reports an overflow in epoch {epoch}"
                break
            finally:
                seconds += perf_counter() - begin
            w = weights(model).astype(problem.X.dtype, copy=False)
            points.append(self._point(w, epoch, seconds))
            status, reason = self._verdict(points[-1], goal, time_limit)
            if status:
                break
        if not status:
            risen = points[-1].objective[0] > points[0].objective[0]
            status, reason = ("diverged", "ended above the objective it started from") if risen else ("budget", "")
        return Outcome(w[None], [status], [reason], points, [len(points) - 1], seconds)

    def _point(self, w: np.ndarray, epoch: int, seconds: float) -> Point:
        totals, g = np.empty(1), np.empty_like(w)
        objective_and_gradient(self.task, w, totals, g)
        norm = np.array([np.linalg.norm(g.astype(np.float64))])
        return Point(epoch * self.steps, epoch * self.problem.dataset.n, seconds, totals, norm)

    def _verdict(self, point: Point, goal: float, time_limit: float) -> tuple[str, str]:
        value = float(point.objective[0])
        if not math.isfinite(value):
            return "diverged", f"the objective is not finite after {point.step} steps"
        if value > self.ceiling:
            return "diverged", f"the objective grew {BLOW_UP:.0e}-fold within {point.step} steps"
        if value <= goal:
            return "converged", ""
        if point.seconds > time_limit:
            return "timeout", f"{point.seconds:.3g} s on the clock, {time_limit:g} s allowed"
        return "", ""


def weights(model: Any) -> np.ndarray:
    """The fitted weights, (K, d + 1), the intercept last."""
    coef = np.atleast_2d(model.coef_)
    return np.ascontiguousarray(np.column_stack([coef, np.resize(model.intercept_, len(coef))]))
