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
        self.schedule = schedule
        self.best = np.full(descent.lanes, np.inf)
        self.stale = np.zeros(descent.lanes, int)

    def after_epoch(self, descent: Descent) -> None:
        """Look at the objective and adapt the lanes' rates."""
        objective, _ = measured(descent)
        improved = objective < self.best - self.schedule.tol
        self.stale = np.where(improved, 0, self.stale + 1)
        self.best = np.fmin(self.best, objective)
        plateaued = self.stale >= self.schedule.patience
        self.stale[plateaued] = 0
        eta = descent.state.eta.copy()
        eta[np.repeat(plateaued, descent.classes)] *= descent.dtype.type(self.schedule.shrink)
        descent.loop.change_rates(descent.state, eta)


class LineSearch:
    """Batch descent whose step length is found anew at each step, lane by lane."""

    def __init__(self, descent: Descent, schedule: Backtracking | BarzilaiBorwein):
        self.schedule = schedule
        self.lengths = descent.state.eta.reshape(descent.lanes, -1)[:, 0].astype(np.float64)
        self.evaluations = 0
        self.here: tuple[np.ndarray, np.ndarray] | None = None

    def take_step(self, descent: Descent) -> None:
        """Take one step."""
        if self.here is None:
            self.here = self._measure(descent)
        if isinstance(self.schedule, Backtracking):
            self._backtrack(descent)
        else:
            self._two_point(descent)
        descent.state.steps[0] += 1

    def _measure(self, descent: Descent) -> tuple[np.ndarray, np.ndarray]:
        self.evaluations += 1
        return measured(descent)

    def _backtrack(self, descent: Descent) -> None:
        """The first of the lengths ℓ, sℓ, s²ℓ, … with J(w − ℓg) ≤ J(w) − cℓ‖g‖² (Armijo); ℓ grows again by 1 ⁄ s a step.

        Where g is zero nothing moves, and ℓ stays: growing for ever it would be infinite, and ℓg not a number.
        """
        assert self.here is not None
        objective, g = self.here
        w = weights_of(descent)
        start, slope = w.copy(), (g * g).sum(axis=1)
        waiting = np.ones(len(start), bool)
        for _ in range(60):
            w[waiting] = (start - self.lengths[:, None] * g)[waiting]
            trial = self._measure(descent)
            enough = trial[0] <= objective - self.schedule.slope * self.lengths * slope
            waiting &= ~enough & (slope > 0)
            if not waiting.any():
                break
            self.lengths[waiting] *= self.schedule.shrink
        self.here = trial
        self.lengths[slope > 0] /= self.schedule.shrink

    def _two_point(self, descent: Descent) -> None:
        """w ← w − ℓg, then ℓ = s·s ⁄ s·y from the change s of w and y of g."""
        assert self.here is not None
        _, g = self.here
        w = weights_of(descent)
        start = w.copy()
        w[:] = start - self.lengths[:, None] * g
        self.here = self._measure(descent)
        s, y = w - start, self.here[1] - g
        curvature = (s * y).sum(axis=1)
        usable = curvature > 0
        self.lengths[usable] = (s * s).sum(axis=1)[usable] / curvature[usable]


def weights_of(descent: Descent) -> np.ndarray:
    """The weights of each lane, (lanes, classes·P), to be changed in place."""
    return descent.state.iterate.w.reshape(descent.lanes, -1)


def measured(descent: Descent) -> tuple[np.ndarray, np.ndarray]:
    """J of each lane and its gradient, (lanes, classes·P)."""
    totals, g = descent.measure(descent.loop.iterate(descent.state).w)
    return totals, g.reshape(descent.lanes, -1)
