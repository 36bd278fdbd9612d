"""Twins: an update rule here and its namesake in a library, each descending along its own trajectory on the same functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdbench.kernels.schedules import Constant
from gdbench.parity import draws
from gdbench.parity.case import Case
from gdbench.solve.paths import Landscape, minimize

STEPS = 500
TOLERANCE = 1e-10
REASON = (
    "the same algebra in float64, in another order of operations; 500 steps at rates at which descent contracts, since beyond "
    "them Rosenbrock's curved valley multiplies a rounding error of 1e-16 at every step and compares chaos with chaos"
)

Gradient = Callable[[np.ndarray], np.ndarray]

#: Runs a library's optimizer: (gradient, start, steps) → points (steps + 1, d).
Runner = Callable[[Gradient, np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Twin:
    """An update rule here and there.

    Attributes
    ----------
    name : str
        The library's name for it.
    rule : tag
        gdbench's.
    schedule : tag
    make : callable
        Learning rate → a runner of the library's.
    rates : tuple of two floats
        The learning rate on the logistic problem, and on Rosenbrock; None where no rate of the rule's own choice contracts.
    valued : bool
        Whether the library's rule is told the function's value: its runner takes it as a fourth argument.
    decay : float
        A weight decay coupled to the gradient, as libraries call an l2 penalty: added to gdbench's gradient, left to the
        library's option there.
    """

    name: str
    rule: Any
    make: Callable[[float], Runner]
    rates: tuple[float, float | None]
    schedule: Any = None
    decay: float = 0.0
    valued: bool = False


def cases(against: str, version: str, twins: Iterable[Twin], quick: bool) -> list[Case]:
    """Each twin on the logistic problem, by mini-batches, and on Rosenbrock; the quick part on one of the two in turn."""
    found = []
    for number, twin in enumerate(twins):
        fields = [field for field, rate in enumerate(twin.rates) if rate is not None]
        found += [paired(against, version, twin, field) for field in (fields[number % len(fields) :][:1] if quick else fields)]
    return found


def paired(against: str, version: str, twin: Twin, field: int) -> Case:
    """A twin on field 0, the logistic problem, or 1, Rosenbrock."""
    x0 = np.array([0.5, -0.5, 1.0, -1.0, 0.25]) if field == 0 else np.array([-1.2, 1.0])
    rate = twin.rates[field]
    assert rate is not None
    schedule = (twin.schedule or Constant())._replace(learning_rate=rate)
    extra = f", weight decay {twin.decay:.2g}" if twin.decay else ""

    def ours() -> np.ndarray:
        value, gradient = function(field)
        return minimize(Landscape(value, lambda x: gradient(x) + twin.decay * x), x0, twin.rule, schedule, STEPS).x

    def theirs(run: Any) -> np.ndarray:
        value, gradient = function(field)
        return run(gradient, x0, STEPS, value) if twin.valued else run(gradient, x0, STEPS)

    return Case(
        against,
        version,
        f"{twin.name}: {draws.described(twin.rule)}{extra}, {draws.described(schedule)}, {('logistic', 'rosenbrock')[field]}",
        f"{x0.size} weights after each of {STEPS} steps",
        ours,
        lambda: theirs(twin.make(rate)),
        TOLERANCE,
        REASON,
    )


def function(field: int) -> tuple[Callable[[np.ndarray], float], Gradient]:
    """A field's value and gradient, each run from its own start: both sides see the same batches in the same order."""
    if field == 1:
        return draws.rosenbrock_value, draws.rosenbrock
    batches = draws.MiniBatches()
    return batches.value, batches


class Draw:
    """Random hyperparameters of a twin, fixed by words."""

    def __init__(self, *words: object):
        self.rng = draws.generator(*words)

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return float(self.rng.uniform(low, high))

    def power(self, low: float, high: float) -> float:
        """Ten to a random power."""
        return float(10 ** self.rng.uniform(low, high))

    def momentum(self) -> float:
        """A share of velocity that is kept."""
        return self.uniform(0.5, 0.95)

    def moments(self) -> tuple[float, float]:
        """β₁ and β₂, in the range in which Adam's kin don't jump."""
        return self.uniform(0.8, 0.95), self.uniform(0.95, 0.999)

    def eps(self) -> float:
        """An ε large enough to be seen at 1e-10 wherever it stands."""
        return self.power(-7, -3)
