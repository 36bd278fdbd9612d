"""Ten steps down the parabola f(x) = x²: the first demo of every course."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.solve.paths import minimize

START, LEARNING_RATE, STEPS = 10.0, 0.1, 10


@dataclass(frozen=True)
class Parabola:
    """The path: x, f(x) and f′(x) before the first step and after each."""

    learning_rate: float
    x: np.ndarray
    value: np.ndarray
    gradient: np.ndarray


def compute() -> Parabola:
    """Descend from 10 with learning rate 0.1."""
    path = minimize("parabola", [START], "gd", learning_rate=LEARNING_RATE, steps=STEPS)
    return Parabola(LEARNING_RATE, path.x[:, 0], path.value, path.gradient[:, 0])


def show(numbers: Parabola) -> Show:
    """The steps in a table, and on the curve."""
    steps = zip(numbers.x, numbers.value, numbers.gradient, strict=True)
    rows = [(str(step), *(f"{number:.10g}" for number in row)) for step, row in enumerate(steps)]
    keep = 1 - 2 * numbers.learning_rate
    side = np.linspace(-START, START, 81)
    return Show(
        "parabola",
        "Gradient descent on f(x) = x²",
        [
            "Each step walks against the slope: x ← x − α·f′(x), with f′(x) = 2x and α = "
            f"{numbers.learning_rate:g}. So a step keeps 1 − 2α = {keep:g} of x: large steps where it is "
            "steep, small ones near the minimum at 0.",
            Table("Ten steps", ("step", "x", "f(x)", "gradient"), rows),
            Picture(
                "The way down",
                "x",
                "f(x)",
                [Series("f(x) = x²", side, side**2), Series("steps", numbers.x, numbers.value, joined=False)],
            ),
        ],
        numbers,
    )
