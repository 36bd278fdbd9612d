"""Losses: mean squared error for a number, cross-entropy for two classes and for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.problems import load_problem
from gdbench.solve.fit import fit

#: Data set, what is predicted, loss; on real data, standardised.
CASES = (
    ("diabetes", "a number", "squared_error"),
    ("breast_cancer", "2 classes", "log_loss"),
    ("wine", "3 classes", "cross_entropy"),
)
ALPHA, LEARNING_RATE, EPOCHS, BATCH_SIZE = 1e-3, 0.05, 100, 32


@dataclass(frozen=True)
class Case:
    """One problem: its loss at w = 0, at the end and at its certified minimum, and how well it predicts unseen rows."""

    dataset: str
    predicts: str
    loss: str
    start: float
    end: float
    best: float
    metric: str
    test: float
    epoch: np.ndarray
    gap: np.ndarray


@dataclass(frozen=True)
class Losses:
    """The cases, in the order of :data:`CASES`."""

    cases: tuple[Case, ...]


def compute() -> Losses:
    """Descend on each problem in mini-batches."""
    return Losses(tuple(descended(*case) for case in CASES))


def descended(dataset: str, predicts: str, loss: str) -> Case:
    """One case; the small l2 penalty keeps the weights of separable classes finite."""
    problem = load_problem(dataset, loss=loss, penalty="l2", alpha=ALPHA)
    fitted = fit(
        problem.X, problem.y, loss=loss, penalty="l2", alpha=ALPHA, variant="mini-batch", batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE, epochs=EPOCHS,
    )  # fmt: skip
    curve, best = fitted.curve, problem.optimum.value
    return Case(
        dataset=dataset,
        predicts=predicts,
        loss=loss,
        start=float(curve["objective"].iloc[0]),
        end=fitted.objective,
        best=best,
        metric=problem.metric_name,
        test=problem.metric(fitted.coef, fitted.intercept),
        epoch=curve["epoch"].to_numpy(),
        gap=curve["objective"].to_numpy() - best,
    )


def show(numbers: Losses) -> Show:
    """What each loss says at the start and at the end."""
    rows = [
        (c.dataset, c.predicts, c.loss, f"{c.start:.4f}", f"{c.end:.4f}", f"{c.best:.4f}", f"{c.metric} {c.test:.3f}")
        for c in numbers.cases
    ]
    heads = ("data", "predicts", "loss", "at w = 0", "at the end", "minimum", "unseen rows")
    return Show(
        "losses",
        "Losses: how wrong is a prediction?",
        [
            "Squared error, ½(z − y)², for a number. Cross-entropy, −log of the probability given to what "
            "happened, for classes: with two of them log_loss starts at log 2 = 0.6931 (a coin toss), with "
            "three cross_entropy starts at log 3 = 1.0986.",
            Table(f"Mini-batches of {BATCH_SIZE}, α = {LEARNING_RATE:g}, {EPOCHS} epochs", heads, rows),
            "The minimum is certified: at it the gradient vanishes to 1e-10, so the gap below is a true distance.",
            Picture(
                "The gap to the minimum",
                "epoch",
                "J(w) − J*",
                [Series(c.dataset, c.epoch, c.gap) for c in numbers.cases],
                log_x=True,
                log_y=True,
            ),
        ],
        numbers,
    )
