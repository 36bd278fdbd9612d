"""scikit-learn's SGDRegressor and SGDClassifier, recorded epoch by epoch.

The curve comes from ``partial_fit``, one epoch a call, which given a RandomState shuffles anew each time. Its checks
cost more than an epoch on a small problem, which a user's single ``fit`` of all epochs pays once; so the clock is that
of one ``fit`` of as many epochs, spread evenly over them.
"""

from __future__ import annotations

import math
import warnings
from time import perf_counter
from typing import Any

import numpy as np

from gdbench.baselines import Solver, Trial
from gdbench.kernels import loops, losses
from gdbench.kernels.losses.one_vs_rest import OneVsRest
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Task
from gdbench.problems import Problem
from gdbench.solve.descent import BLOW_UP, Outcome, Point

name = "scikit-learn"

REGRESSION = ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")
BINARY = ("log_loss", "hinge", "squared_hinge", "modified_huber", "perceptron")
NOTE = "minimises one-vs-rest log_loss, not cross_entropy: compare the test metric only"


def versions() -> dict[str, str]:
    """scikit-learn's version."""
    import sklearn

    return {"scikit-learn": sklearn.__version__}


def solvers(problem: Problem) -> list[Solver]:
    """The estimator for the problem's task."""
    kind = problem.dataset.task
    known = {"regression": REGRESSION, "binary": BINARY, "multiclass": ("cross_entropy",)}[kind]
    if name_of(problem.loss) not in known:
        return []
    label = "SGDRegressor" if kind == "regression" else "SGDClassifier"
    return [Solver(label, "stochastic", 1, "gd", "constant", "epoch")]


def estimator(problem: Problem, learning_rate: float, **options: Any) -> Any:
    """The estimator that minimises the problem's objective at a constant rate, unfitted."""
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    loss, penalty = problem.loss, problem.penalty
    kind = name_of(loss)
    given = dict(
        loss="log_loss" if kind == "cross_entropy" else kind,
        penalty=None if name_of(penalty) == "none" else name_of(penalty),
        alpha=float(getattr(penalty, "alpha", 0.0)),
        l1_ratio=float(getattr(penalty, "l1_ratio", 0.15)),
        epsilon=float(getattr(loss, "epsilon", 0.1)),
        learning_rate="constant",
        eta0=learning_rate,
        fit_intercept=problem.fit_intercept,
        tol=None,
    )
    return (SGDRegressor if problem.dataset.task == "regression" else SGDClassifier)(**given, **options)


def own_objective(problem: Problem) -> Task:
    """The task whose objective the estimator minimises: the problem's, or one against the rest for several classes."""
    task = problem.task()
    if problem.dataset.task != "multiclass":
        return task
    return task._replace(loss=OneVsRest(losses.registry.make("log_loss")))


def weights(model: Any) -> np.ndarray:
    """The fitted weights, (K, d + 1), the intercept last."""
    coef = np.atleast_2d(model.coef_)
    return np.ascontiguousarray(np.column_stack([coef, np.resize(model.intercept_, len(coef))]))


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
    """Descend epoch by epoch to the goal, the budget or divergence."""
    several = problem.dataset.task == "multiclass"
    task = own_objective(problem)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome = _descend(problem, task, learning_rate, seed, epochs, -math.inf if several else goal, time_limit)
        _retime(problem, outcome, learning_rate, seed)
    loss = "one_vs_rest log_loss" if several else name_of(problem.loss)
    return Trial(outcome, loss, comparable=not several, note=NOTE if several else "")


def _descend(problem: Problem, task: Task, rate: float, seed: int, epochs: int, goal: float, time_limit: float) -> Outcome:
    """The curve, by partial_fit, with its clock."""
    model = estimator(problem, rate, random_state=np.random.RandomState(seed))
    classes = {} if problem.dataset.task == "regression" else {"classes": np.unique(problem.y)}
    n, d = problem.X.shape
    shape = (problem.dataset.n_classes if problem.dataset.task == "multiclass" else 1, d + 1)
    start = _point(task, np.zeros(shape, problem.X.dtype), 0, n, 0.0)
    points, ceiling = [start], BLOW_UP * max(1.0, abs(float(start.objective[0])))
    w, seconds, status, reason = np.zeros(shape, problem.X.dtype), 0.0, "", ""
    for epoch in range(1, epochs + 1):
        begin = perf_counter()
        try:
            model.partial_fit(problem.X, problem.y, **classes)
        except ValueError:  # scikit-learn's words for weights that are no longer finite
            status, reason = "diverged", f"scikit-learn reports an overflow in epoch {epoch}"
            break
        finally:
            seconds += perf_counter() - begin
        w = weights(model).astype(problem.X.dtype, copy=False)
        points.append(_point(task, w, epoch, n, seconds))
        status, reason = _verdict(points[-1], goal, ceiling, seconds, time_limit)
        if status:
            break
    if not status:
        risen = points[-1].objective[0] > points[0].objective[0]
        status, reason = ("diverged", "ended above the objective it started from") if risen else ("budget", "")
    return Outcome(w[None], [status], [reason], points, [len(points) - 1], seconds)


def _point(task: Task, w: np.ndarray, epoch: int, n: int, seconds: float) -> Point:
    totals, g = np.empty(1), np.empty_like(w)
    loops.objective_and_gradient(task, w, totals, g)
    return Point(epoch * n, epoch * n, seconds, totals, np.array([np.linalg.norm(g.astype(np.float64))]))


def _verdict(point: Point, goal: float, ceiling: float, seconds: float, time_limit: float) -> tuple[str, str]:
    value = float(point.objective[0])
    if not math.isfinite(value):
        return "diverged", f"the objective is not finite after {point.step} steps"
    if value > ceiling:
        return "diverged", f"the objective grew {BLOW_UP:.0e}-fold within {point.step} steps"
    if value <= goal:
        return "converged", ""
    if seconds > time_limit:
        return "timeout", f"{seconds:.3g} s on the clock, {time_limit:g} s allowed"
    return "", ""


def _retime(problem: Problem, outcome: Outcome, rate: float, seed: int) -> None:
    """Replace the clock of partial_fit by that of one fit, spread evenly; a fit that diverges leaves it."""
    epochs = len(outcome.points) - 1
    if outcome.status[0] == "diverged" or epochs == 0:
        return
    model = estimator(problem, rate, max_iter=epochs, random_state=seed)
    begin = perf_counter()
    try:
        model.fit(problem.X, problem.y)
    except ValueError:
        return
    outcome.seconds = perf_counter() - begin
    for epoch, point in enumerate(outcome.points):
        point.seconds = outcome.seconds * epoch / epochs
