"""The update rules: what each does with a gradient, and how fast each follows a curved valley."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.kernels.optimizers import registry
from gdbench.solve.paths import Path, minimize, replay

RULES = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
VALLEY, STEPS, TARGET = "rosenbrock", 20_000, 1e-3
RATES = tuple(float(f"{rate:.1e}") for rate in np.geomspace(1e-4, 1.0, 13))


@dataclass(frozen=True)
class Rule:
    """An update rule at work.

    Attributes
    ----------
    name, formula : str
    updates : ndarray
        What it takes off the weight for the gradients 1, 1, 1 and α = 0.1.
    learning_rate : float or None
        The rate of the grid that reaches the target in the valley soonest; None if none does.
    steps : int or None
        Steps it takes then.
    value : ndarray
        f along that way.
    """

    name: str
    formula: str
    updates: np.ndarray
    learning_rate: float | None
    steps: int | None
    value: np.ndarray


@dataclass(frozen=True)
class Optimizers:
    """The rules, in the order of :data:`RULES`."""

    rules: tuple[Rule, ...]


def compute() -> Optimizers:
    """Try each rule with each rate of the grid."""
    return Optimizers(tuple(tried(name) for name in RULES))


def tried(name: str) -> Rule:
    """The rule at the rate that suits it best."""
    paths = {rate: minimize(VALLEY, None, name, learning_rate=rate, steps=STEPS) for rate in RATES}
    needed = {rate: found for rate, path in paths.items() if (found := steps_to_target(path)) is not None}
    best = min(needed, key=lambda rate: needed[rate], default=None)
    weights = replay(name, [0.0], np.ones((3, 1)), 0.1)[:, 0]
    return Rule(
        name=name,
        formula=registry[name].__doc__.strip().splitlines()[0].rstrip("."),
        updates=-np.diff(weights),
        learning_rate=best,
        steps=None if best is None else needed[best],
        value=np.empty(0) if best is None else paths[best].value[: needed[best] + 1],
    )


def steps_to_target(path: Path) -> int | None:
    """The first step at which the value is at most the target."""
    under = path.value <= TARGET
    return int(np.argmax(under)) if under.any() else None


def show(numbers: Optimizers) -> Show:
    """The formulas, the first updates, and the race."""
    rules = numbers.rules
    updates = [(r.name, *(f"{u:.4f}" for u in r.updates), r.formula) for r in rules]
    race = [(r.name, *(("—", "—") if r.steps is None else (f"{r.learning_rate:g}", str(r.steps)))) for r in rules]
    first = min((r for r in rules if r.steps is not None), key=lambda r: r.steps or 0)
    plain = rules[0].steps
    return Show(
        "optimizers",
        "Optimizers: what is done with the gradient",
        [
            "The same gradient three times, and how far each rule moves the weight. Momentum gathers "
            "speed; the adaptive rules divide by the gradient's own size, so that a step is about α "
            "whatever the scale; AdaGrad's steps shrink for ever.",
            Table("Three gradients of 1, α = 0.1", ("optimizer", "1st", "2nd", "3rd", "rule"), updates),
            "Rosenbrock's banana has steep walls and a nearly flat floor. Each rule starts at (−1.2, 1), "
            f"at the best of {len(RATES)} learning rates from {RATES[0]:g} to {RATES[-1]:g}, and has "
            f"{STEPS} steps to bring f under {TARGET:g}. {first.name} is there first, after {first.steps} "
            "steps; plain gradient descent "
            f"{'needs ' + str(plain) if plain is not None else 'does not get there'}.",
            Table("Steps to the target", ("optimizer", "best α", "steps"), race),
            Picture(
                "The value along the way",
                "step",
                "f",
                [Series(r.name, np.arange(r.value.size) + 1, r.value) for r in rules if r.value.size],
                log_x=True,
                log_y=True,
            ),
        ],
        numbers,
    )
