"""scikit-learn's SGDRegressor and SGDClassifier."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from gdbench.baselines import Solver, Trial
from gdbench.baselines.epochs import Recorder
from gdbench.kernels import losses
from gdbench.kernels.losses.one_vs_rest import OneVsRest
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Task
from gdbench.problems import Problem

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

    make = SGDRegressor if problem.dataset.task == "regression" else SGDClassifier
    return make(**arguments(problem, learning_rate), **options)


def arguments(problem: Problem, learning_rate: float) -> dict[str, Any]:
    """The objective and the constant rate in an SGD estimator's words."""
    loss, penalty = problem.loss, problem.penalty
    kind = name_of(loss)
    return dict(
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


def own_objective(problem: Problem) -> Task:
    """The task whose objective the estimator minimises: the problem's, or one against the rest for several classes."""
    task = problem.task()
    if problem.dataset.task != "multiclass":
        return task
    return task._replace(loss=OneVsRest(losses.registry.make("log_loss")))


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
    recorder = Recorder(problem, own_objective(problem), partial(estimator, problem, learning_rate), name)
    outcome = recorder.descend(seed, epochs, -math.inf if several else goal, time_limit)
    loss = "one_vs_rest log_loss" if several else name_of(problem.loss)
    return Trial(outcome, loss, comparable=not several, note=NOTE if several else "")


def fit(problem: Problem, solver: Solver, *, learning_rate: float, seed: int, epochs: int) -> None:
    """Fit the estimator once."""
    estimator(problem, learning_rate, max_iter=epochs, random_state=seed).fit(problem.X, problem.y)
