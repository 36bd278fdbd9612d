"""The words of a suite's tables: stages, ends of a run, columns, records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

#: The stages of a suite: the grid of rates on the tuning seeds; the chosen rate, counted exactly on the reporting seeds; and the
#: same steps again, on the clock.
TUNING, REPORT, TIMED = "tuning", "report", "timed"

#: The role of a hit by the stage of its run.
ROLES = {TUNING: "tune", REPORT: "report"}

#: The columns of a curve.
CURVE = ("step", "epoch", "samples", "seconds", "objective", "gap", "gradient_norm")

#: The learning rate of a solver that needs none.
NO_RATE = 0.0

#: Ends of a run that got nowhere.
LOST = ("diverged", "failed")

#: Columns that a run which could not be done leaves open.
NUMBERS = (
    *("seconds", "compile_seconds", "train_metric", "test_metric"),
    *("objective", "objective_start", "optimum", "gap", "relative_gap"),
)

#: Why a target was not reached: the run went on to its end without; the solver does not offer this problem; it minimises
#: something else; the run could not be done.
MISSED, NOT_OFFERED, NOT_COMPARABLE, FAILED = "missed", "not offered", "not comparable", "failed"


@dataclass(frozen=True)
class Record:
    """A finished run: a row of runs.parquet with its hits and clocks, and its curve of shape (points, len(CURVE))."""

    row: dict[str, Any]
    curve: np.ndarray

    @property
    def run_id(self) -> str:
        """The run's key."""
        return str(self.row["run_id"])


def target_label(target: float) -> str:
    """A target as text: "1e-3", "5e-2"."""
    mantissa, exponent = f"{target:.6e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


@dataclass(frozen=True)
class Crossing:
    """Where a run reached a target.

    Attributes
    ----------
    target : float
    step, samples : int
        Of the first looked-at point whose gap is at or under it.
    low : int
        Samples at the last point before that was looked at.
    left_again : bool
        A later point lies above the target.
    """

    target: float
    step: int
    samples: int
    low: int
    left_again: bool


def crossings(curve: np.ndarray, targets: tuple[float, ...]) -> list[Crossing]:
    """The targets that a curve's recorded points reach, each bracketed by the point before; none without a gap.

    Parameters
    ----------
    curve : ndarray of shape (points, len(CURVE))
    targets : tuple of float
    """
    found = []
    for target in targets if len(curve) else ():
        with np.errstate(invalid="ignore"):
            under = curve[:, 5] <= target * curve[0, 5]
        if not under.any():
            continue
        at = int(np.argmax(under))
        low = curve[max(at - 1, 0), 2]
        found.append(Crossing(target, int(curve[at, 0]), int(curve[at, 2]), int(low), bool((~under[at:]).any())))
    return found
