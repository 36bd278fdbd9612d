"""A line through five exam scores, beside what a well-known tutorial claims for the same code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdbench.demo.points import HOURS, SCORES, least_squares, mean_squared_error, mean_squared_error_gradient
from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.solve.fit import fit
from gdbench.solve.paths import Landscape, minimize

LEARNING_RATE, EPOCHS, TOLD_EPOCHS = 0.01, 1000, (0, 100, 500, 900)

#: What the tutorial prints: epoch → (loss, m, b), None where it shows no number.
CLAIM: dict[int, tuple[float | None, float | None, float | None]] = {
    0: (10.0, 0.40, 0.28),
    100: (0.6863, None, None),
    900: (0.4714, 0.60, 2.20),
}
CLAIMED_LINE, CLAIMED_AT_SIX = (0.60, 2.20), 5.80

#: Far enough for the line to reach the claimed digits.
LONG_RUN = 5000


@dataclass(frozen=True)
class Moment:
    """An epoch: the loss before its step, the line after it, and what the tutorial claims for them."""

    epoch: int
    loss: float
    m: float
    b: float
    claimed: tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class LineFit:
    """The descent and where it leads.

    Attributes
    ----------
    moments : tuple of Moment
    m, b, at_six : float
        After 1000 epochs.
    best_m, best_b, best_loss, best_at_six : float
        The least-squares line.
    epochs_to_claim : int
        Epochs until the line reads 0.60x + 2.20.
    fit_difference : float
        Largest difference from ``gd.fit`` with twice the learning rate.
    loss : ndarray
        Before each step.
    """

    moments: tuple[Moment, ...]
    m: float
    b: float
    at_six: float
    best_m: float
    best_b: float
    best_loss: float
    best_at_six: float
    epochs_to_claim: int
    fit_difference: float
    loss: np.ndarray


def compute() -> LineFit:
    """Descend on the mean squared error over (m, b), with all five rows a step."""
    error = Landscape(mean_squared_error, mean_squared_error_gradient)
    path = minimize(error, [0.0, 0.0], "gd", learning_rate=LEARNING_RATE, steps=LONG_RUN, tol=0.0)
    line, best = path.x[EPOCHS], least_squares()
    same = fit(HOURS[:, None], SCORES, variant="batch", learning_rate=2 * LEARNING_RATE, epochs=EPOCHS)
    reads_as_claimed = (np.round(path.x, 2) == np.round(CLAIMED_LINE, 2)).all(axis=1)
    return LineFit(
        moments=tuple(
            Moment(e, path.value[e], path.x[e + 1, 0], path.x[e + 1, 1], CLAIM.get(e, (None, None, None))) for e in TOLD_EPOCHS
        ),
        m=line[0],
        b=line[1],
        at_six=line[0] * 6 + line[1],
        best_m=best[0],
        best_b=best[1],
        best_loss=mean_squared_error(best),
        best_at_six=best[0] * 6 + best[1],
        epochs_to_claim=int(np.argmax(reads_as_claimed)),
        fit_difference=float(np.abs(line - [same.coef[0], same.intercept]).max()),
        loss=path.value[:EPOCHS],
    )


def show(numbers: LineFit) -> Show:
    """The truth beside the claim, and why they differ."""
    n = numbers
    return Show(
        "line",
        "A line through five points: score = m·hours + b",
        [
            f"hours {HOURS.astype(int).tolist()}, scores {SCORES.astype(int).tolist()}; m = b = 0, α = "
            f"{LEARNING_RATE:g}, {EPOCHS} epochs over all five rows. The loss is (1/n)·Σ(y − ŷ)², so its "
            "gradients carry 2/n.",
            moments_table(n),
            f"After {EPOCHS} epochs m={n.m}, b={n.b}, so {n.at_six} at six hours. The tutorial claims "
            f"{CLAIMED_LINE[0]:.2f}x+{CLAIMED_LINE[1]:.2f}, and {CLAIMED_AT_SIX:.2f} at six hours.",
            f"The least-squares line is {n.best_m:.3g}x+{n.best_b:.3g}: loss {n.best_loss:.4g}, "
            f"{n.best_at_six:.2f} at six hours. No line does better, so the claimed loss of {CLAIM[900][0]} "
            f"is impossible. Descent reads {CLAIMED_LINE[0]:.2f}x+{CLAIMED_LINE[1]:.2f} only after "
            f"{n.epochs_to_claim} epochs. That is the lesson: a loss that hardly falls any more is not yet "
            "a loss at its minimum.",
            Picture(
                "How far the loss is from its minimum",
                "epoch",
                "loss − minimum",
                [Series("gradient descent", np.arange(n.loss.size), n.loss - n.best_loss)],
                log_y=True,
            ),
            f"gd.fit ends at the same line (difference {n.fit_difference:.1g}) with "
            f"learning_rate={2 * LEARNING_RATE:g}: its squared_error is ½(y − ŷ)², whose gradient carries "
            "1/n, so twice the rate makes the same step.",
        ],
        n,
    )


def moments_table(n: LineFit) -> Table:
    """Truth and claim, epoch by epoch."""
    columns = ("epoch", "loss before the step", "m after", "b after", "claimed loss", "claimed m", "claimed b")
    rows = [
        (
            str(t.epoch),
            f"{t.loss:.4f}",
            f"{t.m:.4f}",
            f"{t.b:.4f}",
            *(told(c, d) for c, d in zip(t.claimed, (4, 2, 2), strict=True)),
        )
        for t in n.moments
    ]
    return Table("What happens, and what the tutorial says", columns, rows)


def told(claim: float | None, digits: int) -> str:
    """A claimed number as the tutorial prints it."""
    return "" if claim is None else f"{claim:.{digits}f}"
