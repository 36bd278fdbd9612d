"""Learning rates that listen to the objective: adaptive by epoch, and line searches for the batch variant.

What they compute to decide is part of the method, so it is on the clock and counts as samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gdbench.kernels.schedules import Adaptive, Backtracking, BarzilaiBorwein

if TYPE_CHECKING:
    from gdbench.solve.descent import Descent


class EpochFeedback:
    """Divides a lane's rate when its objective has not fallen by `tol` for `patience` epochs."""

    def __init__(self, descent: Descent, schedule: Adaptive):
        self.descent, self.schedule = descent, schedule
        self.best = np.full(descent.lanes, np.inf)
        self.stale = np.zeros(descent.lanes, int)

    def after_epoch(self) -> None:
        """Look at the objective and adapt the lanes' rates."""
        objective, _ = measured(self.descent)
        improved = objective < self.best - self.schedule.tol
        self.stale = np.where(improved, 0, self.stale + 1)
        self.best = np.fmin(self.best, objective)
        tired = self.stale >= self.schedule.patience
        self.stale[tired] = 0
        self.descent.eta[np.repeat(tired, self.descent.classes)] *= self.descent.dtype.type(self.schedule.shrink)


class LineSearch:
    """Batch descent whose step length is found anew at each step, lane by lane."""

    def __init__(self, descent: Descent, schedule: Backtracking | BarzilaiBorwein):
        self.descent, self.schedule = descent, schedule
        self.lengths = descent.eta.reshape(descent.lanes, -1)[:, 0].astype(np.float64)
        self.evaluations = 0
        self.here: tuple[np.ndarray, np.ndarray] | None = None

    def take(self, steps: int) -> None:
        """Take that many steps."""
        move = self._backtrack if isinstance(self.schedule, Backtracking) else self._two_point
        if self.here is None:
            self.here = self._measure()
        for _ in range(steps):
            move()

    def _measure(self) -> tuple[np.ndarray, np.ndarray]:
        self.evaluations += 1
        return measured(self.descent)

    def _weights(self) -> np.ndarray:
        return self.descent.iterate.w.reshape(self.descent.lanes, -1)

    def _backtrack(self) -> None:
        """The first of the lengths ℓ, sℓ, s²ℓ, … with J(w − ℓg) ≤ J(w) − cℓ‖g‖² (Armijo); ℓ grows again by 1 ⁄ s a step."""
        assert self.here is not None
        objective, g = self.here
        start, slope = self._weights().copy(), (g * g).sum(axis=1)
        waiting = np.ones(len(start), bool)
        for _ in range(60):
            self._weights()[waiting] = (start - self.lengths[:, None] * g)[waiting]
            trial = self._measure()
            enough = trial[0] <= objective - self.schedule.slope * self.lengths * slope
            waiting &= ~enough & (slope > 0)
            if not waiting.any():
                break
            self.lengths[waiting] *= self.schedule.shrink
        self.here = trial
        self.lengths /= self.schedule.shrink

    def _two_point(self) -> None:
        """w ← w − ℓg, then ℓ = s·s ⁄ s·y from the change s of w and y of g."""
        assert self.here is not None
        _, g = self.here
        start = self._weights().copy()
        self._weights()[:] = start - self.lengths[:, None] * g
        self.here = self._measure()
        s, y = self._weights() - start, self.here[1] - g
        curvature = (s * y).sum(axis=1)
        usable = curvature > 0
        self.lengths[usable] = (s * s).sum(axis=1)[usable] / curvature[usable]


def measured(descent: Descent) -> tuple[np.ndarray, np.ndarray]:
    """J of each lane and its gradient, (lanes, classes·P)."""
    totals, g = descent.measure(descent.current().w)
    return totals, g.reshape(descent.lanes, -1)
