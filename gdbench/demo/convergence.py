"""Epochs and convergence: when descent has arrived, and how one can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gdbench.demo.points import HOURS, SCORES, least_squares, mean_squared_error
from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.solve.descent import PATIENCE
from gdbench.solve.fit import Fit, fit

LEARNING_RATE, BUDGET = 0.1, 5000
TOLERANCES = (1e-2, 1e-4, 1e-6, 1e-8)


@dataclass(frozen=True)
class Stop:
    """Where descent stops under a tolerance."""

    tol: float
    status: str
    epochs: int
    updates: int
    gap: float
    m: float
    b: float


@dataclass(frozen=True)
class Convergence:
    """The stops, and the whole curve.

    Attributes
    ----------
    stops : tuple of Stop
    best : float
        The smallest possible ½·MSE.
    epoch, gap : ndarray
        Of the run under the smallest tolerance.
    updates_per_epoch : dict
        By variant, on the five points; mini-batches of two.
    """

    stops: tuple[Stop, ...]
    best: float
    epoch: np.ndarray
    gap: np.ndarray
    updates_per_epoch: dict[str, int]


def compute() -> Convergence:
    """Fit the line through the five points under each tolerance."""
    best = mean_squared_error(least_squares()) / 2
    fits = [descend(tol=tol, epochs=BUDGET) for tol in TOLERANCES]
    return Convergence(
        stops=tuple(
            Stop(tol, f.status, f.n_updates, f.n_updates, f.objective - best, float(f.coef[0]), float(f.intercept))
            for tol, f in zip(TOLERANCES, fits, strict=True)
        ),
        best=best,
        epoch=fits[-1].curve["epoch"].to_numpy(),
        gap=fits[-1].curve["objective"].to_numpy() - best,
        updates_per_epoch={v: descend(variant=v, epochs=1).n_updates for v in ("batch", "mini-batch", "stochastic")},
    )


def descend(**options: Any) -> Fit:
    """Fit the line, in batch steps unless told otherwise."""
    return fit(HOURS[:, None], SCORES, **{"variant": "batch", "batch_size": 2, "learning_rate": LEARNING_RATE, **options})


def show(numbers: Convergence) -> Show:
    """What an epoch is, the rule for stopping, and what it leaves over."""
    n = numbers
    rows = [
        (f"{s.tol:g}", s.status, str(s.epochs), f"{s.gap:.1e}", f"{s.m:.6f}x + {s.b:.6f}") for s in n.stops
    ]  # fmt: skip
    count = n.updates_per_epoch
    return Show(
        "convergence",
        "Gradient descent, epochs, convergence",
        [
            "Gradient descent repeats θ ← θ − α·∇J(θ) until the loss stops decreasing. An epoch is one "
            f"pass over the data: for the five points that is {count['batch']} update in batch steps, "
            f"{count['mini-batch']} in mini-batches of two, {count['stochastic']} in single rows.",
            f"A run has converged here when {PATIENCE} epochs together lower the loss by less than tol. A "
            "loose tol stops early: the loss no longer falls much, but the line is not yet the best one "
            "(0.6x + 2.2).",
            Table(f"Batch descent, α = {LEARNING_RATE:g}", ("tol", "status", "epochs", "loss − minimum", "line"), rows),
            Picture(
                "How far the loss is from its minimum",
                "epoch",
                "½·MSE − minimum",
                [
                    Series("batch descent", n.epoch, n.gap),
                    Series("stops", [s.epochs for s in n.stops], [s.gap for s in n.stops], joined=False),
                ],
                log_y=True,
            ),
        ],
        n,
    )
