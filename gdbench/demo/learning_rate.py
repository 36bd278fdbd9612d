"""What the learning rate decides: too high, right, too low."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdbench.demo.points import HOURS, SCORES, least_squares, mean_squared_error
from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.solve.fit import Sweep, sweep
from gdbench.solve.paths import minimize

HIGH, RIGHT, LOW, EPOCHS = 1.0, 0.01, 0.0001, 1000
GRID = tuple(np.geomspace(1e-4, 1.0, 25))
BOUNCES = 4


@dataclass(frozen=True)
class LearningRate:
    """Three learning rates, and a grid of them.

    Attributes
    ----------
    rates, status, reason, updates, loss : tuples
        The three rates on the five points: how each descent ended, after how many steps, at which ½·MSE.
    start, best : float
        That loss at the start, and the smallest possible.
    limit : float
        2 ⁄ λ, with λ the largest curvature: above it descent diverges.
    grid, grid_loss : ndarrays
        Rates, and the loss that each ends with (NaN where it diverged).
    bounce : ndarray
        The path on f(x) = x² with α = 1.
    curves : dict
        Rate → (epochs, losses).
    """

    rates: tuple[float, ...]
    status: tuple[str, ...]
    reason: tuple[str, ...]
    updates: tuple[int, ...]
    loss: tuple[float, ...]
    start: float
    best: float
    limit: float
    grid: np.ndarray
    grid_loss: np.ndarray
    bounce: np.ndarray
    curves: dict[float, tuple[np.ndarray, np.ndarray]]


def compute() -> LearningRate:
    """Sweep the learning rate over the five points, all rows a step."""
    three, grid = swept((HIGH, RIGHT, LOW)), swept(GRID)
    rows = np.column_stack([HOURS, np.ones(HOURS.size)])
    diverged = np.array([status == "diverged" for status in grid.status])
    return LearningRate(
        rates=(HIGH, RIGHT, LOW),
        status=three.status,
        reason=three.reason,
        updates=tuple(f.n_updates for f in three.fits),
        loss=tuple(f.objective for f in three.fits),
        start=float(three.fits[0].points[0].objective[0]),
        best=mean_squared_error(least_squares()) / 2,
        limit=float(2 / np.linalg.eigvalsh(rows.T @ rows / HOURS.size).max()),
        grid=np.array(GRID),
        grid_loss=np.where(diverged, np.nan, [f.objective for f in grid.fits]),
        bounce=minimize("parabola", [10.0], "gd", learning_rate=HIGH, steps=BOUNCES).x[:, 0],
        curves={
            float(rate): (f.curve["epoch"].to_numpy(), f.curve["objective"].to_numpy())
            for rate, f in zip(three.learning_rates, three.fits, strict=True)
        },
    )


def swept(rates: tuple[float, ...]) -> Sweep:
    """Batch descent with each of the rates."""
    return sweep(HOURS[:, None], SCORES, learning_rates=rates, variant="batch", epochs=EPOCHS)


def show(numbers: LearningRate) -> Show:
    """The three rates, the bounce, and the whole range."""
    n = numbers
    words = ("too high: overshoots and diverges", "right", "too low: hardly moves")
    rows = [
        (f"{rate:g}", word, status, str(updates), f"{loss:.4g}")
        for rate, word, status, updates, loss in zip(n.rates, words, n.status, n.updates, n.loss, strict=True)
    ]
    path = " → ".join(f"{x:g}" for x in n.bounce)
    return Show(
        "learning-rate",
        "The learning rate: too high, right, too low",
        [
            f"The line through the five points again, in at most {EPOCHS} epochs of all rows. The loss "
            f"½·MSE starts at {n.start:.4g}; its minimum is {n.best:.4g}.",
            Table("Three learning rates", ("α", "which is", "status", "updates", "loss at the end"), rows),
            f"With α = {HIGH:g} {n.reason[0]}. A step that is too long lands on the other side, higher up. "
            f"On f(x) = x² the same rate just bounces for ever: {path}.",
            f"The border is 2⁄λ = {n.limit:.4f}, with λ the largest curvature of the loss: beyond it every "
            "step overshoots by more than it gains.",
            Picture(
                "The loss over epochs",
                "epoch",
                "½·MSE",
                [Series(f"α = {rate:g}", epochs, losses) for rate, (epochs, losses) in n.curves.items()],
                log_x=True,
                log_y=True,
            ),
            Picture(
                f"The loss after {EPOCHS} epochs; nothing is drawn where it diverged",
                "learning rate",
                "½·MSE − minimum",
                [
                    Series("gradient descent", n.grid, n.grid_loss - n.best),
                    Series("border", [n.limit], [n.start], joined=False),
                ],
                log_x=True,
                log_y=True,
            ),
        ],
        n,
    )
