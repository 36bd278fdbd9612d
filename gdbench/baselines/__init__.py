"""Baselines: other libraries' descents behind one small interface, each imported when it is first used.

A baseline module has

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
from dataclasses import dataclass
from types import ModuleType

from gdbench.errors import unknown
from gdbench.solve.descent import Outcome

MODULES = {name: f"gdbench.baselines.{name}" for name in ("estimators", "scipy", "sklearn")}


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


def names() -> list[str]:
    """The baselines' names."""
    return sorted(MODULES)


def get(name: str) -> ModuleType:
    """The baseline of that name.

    Raises
    ------
    GdbenchError
        If there is none.
    """
    if name not in MODULES:
        raise unknown("baseline", name, names())
    return importlib.import_module(MODULES[name])
