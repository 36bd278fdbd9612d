"""Counting: at which step a run reaches each target.

All solvers of a problem are looked at on the same grid of samples. Where the gap falls under a target between two points of
the grid, the descent goes back to the first of them and the stretch is halved, on a log scale, until the last point above the
target and the first one under it are one step or NARROW apart. A target counts as reached at the first looked-at point at or
under it, whatever follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gdbench.solve import snapshots
from gdbench.solve.descent import Descent, Point
from gdbench.suite.vocabulary import Crossing

#: The share of its samples that the bracket of a crossing may span.
NARROW = 0.02

#: The grid spans so many decades of samples, up to the budget.
DECADES = 4.0


class Walker(Protocol):
    """A descent that can be looked at, kept and brought back."""

    def advance(self, step: int) -> None:
        """Take steps up to that number."""

    def look(self) -> Look:
        """Where it is."""

    def save(self) -> Any:
        """All that its further steps depend on."""

    def restore(self, saved: Any) -> None:
        """Go back."""


@dataclass(frozen=True)
class Look:
    """A step that was looked at, the samples up to it, and the gap there."""

    step: int
    samples: int
    gap: float


def grid(samples: int, points: int) -> np.ndarray:
    """The samples at which every solver of a problem is looked at, log-spaced up to the budget."""
    return np.geomspace(max(samples / 10**DECADES, 1.0), samples, points)


def steps_at(samples: np.ndarray, rows_a_step: int, last: int) -> list[int]:
    """The steps at which a solver has visited at least so many samples, and its last one."""
    steps = np.ceil(samples / rows_a_step - 1e-9).astype(int)
    return np.unique(np.append(steps[(steps > 0) & (steps < last)], last)).tolist()


class Counter:
    """Finds the crossings of a walker.

    Parameters
    ----------
    walker : Walker
    targets : tuple of float
        Relative to the gap at the start.
    start : Look
    """

    def __init__(self, walker: Walker, targets: tuple[float, ...], start: Look):
        self.walker = walker
        self.open = sorted(targets, reverse=True) if start.gap > 0 else []
        self.scale = start.gap
        self.last = start
        self.found: list[Crossing] = []
        self.before: Any = None

    def prepare(self) -> None:
        """Keep the walker's place, before it goes on to the next point of the grid."""
        self.before = self.walker.save() if self.open else None

    def see(self, look: Look) -> None:
        """Take in a point of the grid, and narrow down what was crossed on the way to it; the walker stays there."""
        self.found = [self._left(crossing, [look]) for crossing in self.found]
        if self.open and look.gap <= self.open[0] * self.scale:
            after = self.walker.save()
            looks, places = [self.last, look], {self.last.step: self.before}
            while self.open and any(one.gap <= self.open[0] * self.scale for one in looks):
                self.found.append(self._narrowed(looks, places, self.open.pop(0)))
            self.walker.restore(after)
        self.last = look

    def _narrowed(self, looks: list[Look], places: dict[int, Any], target: float) -> Crossing:
        """The crossing of a target; points that are looked at join `looks` and `places`."""
        while True:
            at = next(i for i, look in enumerate(looks) if look.gap <= target * self.scale)
            low, high = looks[at - 1], looks[at]
            if high.step - low.step <= 1 or high.samples <= (1 + NARROW) * low.samples:
                crossing = Crossing(target, high.step, high.samples, low.samples, False)
                return self._left(crossing, looks[at + 1 :])
            middle = min(max(round(math.sqrt(max(low.step, 1) * high.step)), low.step + 1), high.step - 1)
            self.walker.restore(places[low.step])
            self.walker.advance(middle)
            places[middle] = self.walker.save()
            looks.insert(at, self.walker.look())

    def _left(self, crossing: Crossing, later: list[Look]) -> Crossing:
        """The crossing, marked where a later point lies above its target, or nowhere."""
        above = any(not look.gap <= crossing.target * self.scale for look in later)
        return Crossing(*(crossing.target, crossing.step, crossing.samples, crossing.low), crossing.left_again or above)


class DescentWalker:
    """A descent of one lane as a walker.

    Parameters
    ----------
    descent : Descent
    gap : callable
        Of an objective.
    """

    def __init__(self, descent: Descent, gap: Callable[[float], float]):
        self.descent, self.gap = descent, gap

    def advance(self, step: int) -> None:
        """Take steps up to that number."""
        self.descent.advance(step)

    def look(self) -> Look:
        """Evaluate the objective where it is."""
        return self.seen(self.descent.evaluate())

    def seen(self, point: Point) -> Look:
        """An evaluated point as a look."""
        return Look(point.step, point.samples, self.gap(float(point.objective[0])))

    def save(self) -> snapshots.Snapshot:
        """Take a snapshot."""
        return snapshots.take(self.descent)

    def restore(self, saved: snapshots.Snapshot) -> None:
        """Go back to a snapshot."""
        snapshots.restore(saved)
