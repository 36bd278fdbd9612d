"""Baselines: other libraries' descents behind one small interface, each imported when it is first used.

A baseline, one of the modules here or an object that a suite's plugin has registered (:func:`register`), has

``name``
    Of the library, as in the column ``backend``.
``versions()``
    What determines its results besides the arguments: a dict of strings.
``solvers(problem)``
    The solvers it offers for a problem, a list of :class:`Solver`; empty where it has none.
``run(problem, solver, *, learning_rate, seed, epochs, goal, time_limit)``
    One descent with its curve, a :class:`Trial`.
``fit(problem, solver, *, learning_rate, seed, epochs)``
    The same descent as a user calls it, without a curve; what is timed.

A solver that needs no learning rate is given 0, and runs once.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.kernels.loops.objective import objective_and_gradient
from gdbench.kernels.registry import name_of
from gdbench.solve.descent import Outcome, Point

if TYPE_CHECKING:
    from gdbench.problems import Problem

MODULES = {name: f"gdbench.baselines.{name}" for name in ("estimators", "scipy", "sklearn")}

#: What a baseline has to have.
PARTS = ("name", "versions", "solvers", "run", "fit")

_registered: dict[str, Any] = {}


@dataclass(frozen=True)
class Solver:
    """What a baseline does, in the words of the suite.

    Attributes
    ----------
    label : str
        For tables and figures, such as "SGDRegressor".
    variant, optimizer, schedule, shuffle : str
    batch_size : int or None
    needs_rate : bool
        Whether it is run with each learning rate of the suite, or once without one.
    """

    label: str
    variant: str
    batch_size: int | None
    optimizer: str
    schedule: str
    shuffle: str
    needs_rate: bool = True


@dataclass(frozen=True)
class Trial:
    """A baseline's run.

    Attributes
    ----------
    outcome : Outcome
        Of one lane; weights (1, K, d + 1).
    loss : str
        What it minimised.
    comparable : bool
        Whether that is the problem's own objective, so that gaps mean something.
    note : str
        What a reader has to know, such as another objective.
    """

    outcome: Outcome
    loss: str
    comparable: bool = True
    note: str = ""


def register(name: str, baseline: Any) -> None:
    """Let suites name a baseline of a plugin, as ``baselines = ["NAME"]``.

    Parameters
    ----------
    name : str
        None of gdbench's own names.
    baseline : object
        An instance of a class of the plugin, which has the parts that this module names.

    Raises
    ------
    GdbenchError
        The name is gdbench's own, or a part is missing.
    """
    if name in MODULES:
        raise GdbenchError(f"the baseline {name} is gdbench's own: give yours another name")
    missing = [part for part in PARTS if not hasattr(baseline, part)]
    if missing:
        raise GdbenchError(f"the baseline {name} lacks {', '.join(missing)}: help(gdbench.baselines) says what each does")
    _registered[name] = baseline


def trial(problem: Problem, weights: Sequence[Any], reason: str = "") -> Trial:
    """The curve of a baseline that minimises the problem's own objective, from its weights after each pass over the data.

    Parameters
    ----------
    problem : Problem
    weights : sequence of arrays of shape (d + 1,) or (K, d + 1)
        After passes 1, 2, …; the intercept last.
    reason : str, optional
        Why it ended before its budget.
    """
    task, n = problem.task(), problem.dataset.n
    shapes = [np.atleast_2d(np.asarray(w, problem.X.dtype)) for w in weights]
    points = []
    for epoch, w in enumerate([np.zeros_like(shapes[0]), *shapes]):
        totals, g = np.empty(1), np.empty_like(w)
        objective_and_gradient(task, np.ascontiguousarray(w), totals, g)
        points.append(Point(epoch, epoch * n, 0.0, totals, np.array([np.linalg.norm(g)])))
    outcome = Outcome(shapes[-1][None], ["budget"], [reason], points, [len(points) - 1])
    return Trial(outcome, name_of(problem.loss))


def names() -> list[str]:
    """The baselines' names, those of plugins included."""
    return sorted({*MODULES, *_registered})


def get(name: str) -> Any:
    """The baseline of that name.

    Raises
    ------
    GdbenchError
        If there is none.
    """
    if name in _registered:
        return _registered[name]
    if name not in MODULES:
        raise unknown("baseline", name, names())
    return importlib.import_module(MODULES[name])
