"""gdbench's own GDRegressor and GDClassifier, as a user of scikit-learn meets them: what their interface costs is seen."""

from __future__ import annotations

import hashlib
import math
from functools import cache, partial
from pathlib import Path
from typing import Any

from gdbench import estimators as own
from gdbench.baselines import Solver, Trial, sklearn
from gdbench.baselines.epochs import Recorder
from gdbench.kernels.registry import name_of
from gdbench.problems import Problem

name = "estimators"

#: The update rules and batch sizes offered.
OFFERED = (("gd", 1), ("gd", 32), ("adam", 32))


@cache
def versions() -> dict[str, str]:
    """The digest of the estimators' code, and scikit-learn's version."""
    h = hashlib.sha256()
    for path in sorted((Path(own.__file__).parent).glob("*.py")):
        h.update(path.read_bytes())
    return {"estimators": h.hexdigest()[:16]} | sklearn.versions()


def solvers(problem: Problem) -> list[Solver]:
    """The estimators for the problem's task."""
    label = "GDRegressor" if problem.dataset.task == "regression" else "GDClassifier"
    found = []
    for rule, size in OFFERED if sklearn.solvers(problem) else ():
        more = f"({rule}, batch_size={size})" if (rule, size) != OFFERED[0] else ""
        found.append(Solver(label + more, "stochastic" if size == 1 else "mini-batch", size, rule, "constant", "epoch"))
    return found


def estimator(problem: Problem, solver: Solver, learning_rate: float, **options: Any) -> Any:
    """The estimator that minimises the problem's objective at a constant rate, unfitted."""
    words = sklearn.arguments(problem, learning_rate) | {"optimizer": solver.optimizer, "batch_size": solver.batch_size}
    if problem.dataset.task == "regression":
        return own.GDRegressor(**words, **options)
    return own.GDClassifier(**words, multi_class="multinomial" if problem.dataset.task == "multiclass" else "ovr", **options)


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
    make = partial(estimator, problem, solver, learning_rate)
    recorder = Recorder(problem, problem.task(), make, name, solver.batch_size or 1)
    return Trial(recorder.descend(seed, epochs, goal, time_limit), name_of(problem.loss))


def fit(problem: Problem, solver: Solver, *, learning_rate: float, seed: int, epochs: int) -> None:
    """Fit the estimator once."""
    estimator(problem, solver, learning_rate, max_iter=epochs, random_state=seed).fit(problem.X, problem.y)
