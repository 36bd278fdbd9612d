"""A parity case: the same computation here and in a reference, and how far apart the two trajectories ever are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from gdbench.errors import one_line


@dataclass(frozen=True)
class Case:
    """Something to compare.

    Attributes
    ----------
    against : str
        The reference: "numpy", "sklearn", "torch", ...
    version : str
        Its version.
    what : str
        The case in words: rule, hyperparameters, problem.
    compared : str
        What the arrays hold: "weights after each of 200 steps".
    ours, theirs : callable
        Without arguments; each returns an array whose first axis is the step.
    tolerance : float
        The largest relative difference that passes.
    reason : str
        Why that tolerance.
    """

    against: str
    version: str
    what: str
    compared: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    tolerance: float
    reason: str


@dataclass(frozen=True)
class Row:
    """What a case came to.

    Attributes
    ----------
    against, version, case, compared : str
    status : {"passed", "failed", "skipped"}
    absolute : float or None
        The largest difference along the whole trajectory.
    relative : float or None
        The largest difference of a step divided by the largest reference value up to that step.
    tolerance : float or None
        On `relative`.
    reason : str
        Why that tolerance; for a skipped reference, how to install it.
    note : str
        What went wrong where no difference could be computed.
    seconds : float
    """

    against: str
    version: str
    case: str
    compared: str
    status: str
    absolute: float | None
    relative: float | None
    tolerance: float | None
    reason: str
    note: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool | None:
        """True, False, or None for what was skipped."""
        return None if self.status == "skipped" else self.status == "passed"


class NoOracle(Exception):
    """A member of a registry that no reference formula covers: a failing case, so that it cannot be overlooked."""


def differences(ours: Any, theirs: Any) -> tuple[float, float]:
    """The largest absolute and relative difference along a trajectory.

    Parameters
    ----------
    ours, theirs : array of shape (steps, ...)

    Returns
    -------
    absolute : float
    relative : float
        Each step's largest difference is divided by the largest magnitude the reference has reached *so far*: a weight that
        crosses zero does not turn rounding into a large quotient, and a trajectory that grows does not hide an early error.
        NaN where either array isn't finite.

    Raises
    ------
    ValueError
        Shapes that differ.
    """
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} here, {b.shape} in the reference")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.nan, math.nan
    if a.size == 0:
        raise ValueError("nothing to compare")
    apart = np.abs(a - b).reshape(len(a), -1).max(axis=1)
    scale = np.maximum.accumulate(np.abs(b).reshape(len(b), -1).max(axis=1))
    relative = np.divide(apart, scale, out=np.where(apart > 0, np.inf, 0.0), where=scale > 0)
    return float(apart.max()), float(relative.max())


def run(case: Case) -> Row:
    """Compute both sides of a case and compare; whatever goes wrong is a failed row, not an exception."""
    begin = perf_counter()
    absolute = relative = None
    note = ""
    try:
        with np.errstate(all="ignore"):
            absolute, relative = differences(case.ours(), case.theirs())
        if math.isnan(relative):
            note = "not finite"
    except NoOracle as error:
        note = f"no oracle: {error}"
    except Exception as error:  # the table names the case that broke and goes on with the others
        note = f"{type(error).__name__}: {one_line(error)}"
    agrees = relative is not None and relative <= case.tolerance
    return Row(
        against=case.against,
        version=case.version,
        case=case.what,
        compared=case.compared,
        status="passed" if agrees else "failed",
        absolute=absolute,
        relative=relative,
        tolerance=case.tolerance,
        reason=case.reason,
        note=note,
        seconds=perf_counter() - begin,
    )


def skipped(against: str, hint: str) -> Row:
    """The row of a reference that isn't installed."""
    return Row(against, "", f"every case against {against}", "", "skipped", None, None, None, hint, "not installed")
