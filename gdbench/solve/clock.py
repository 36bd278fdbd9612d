"""Seconds of a descent that does nothing else: what recording costs is on no clock.

Each recorded point costs a call from Python, a microsecond or two, and takes the loop's data out of the caches. Of a run of
milliseconds that is nothing. A shorter run is taken once more without recording, and its seconds are that one's.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdbench.solve.descent import Descent, Outcome

#: Seconds that recording a point may add to the clock, and the share of a run's seconds that may come from it.
POINT, SHARE = 2e-6, 0.005

#: Runs without recording, whose median counts; and the seconds after which one is enough.
RUNS, ENOUGH = 5, 5e-3


def without_recording(outcome: Outcome, steps: int, begin: Callable[[], Descent]) -> None:
    """Replace the outcome's seconds by those of an uninterrupted run of the same steps, where recording can be seen in them.

    The seconds of its points are then shared out by samples, for a row's gradient takes as long wherever the descent is.

    Parameters
    ----------
    outcome : Outcome
    steps : int
        Taken in all.
    begin : callable
        Makes the same descent, before its first step.
    """
    interrupted = len(outcome.points) - 1
    if not steps or "timeout" in outcome.status or interrupted * POINT <= SHARE * outcome.seconds:
        return
    outcome.seconds = uninterrupted(steps, begin)
    samples = outcome.points[-1].samples
    for point in outcome.points:
        point.seconds = outcome.seconds * point.samples / samples


def uninterrupted(steps: int, begin: Callable[[], Descent]) -> float:
    """The seconds of so many steps in one go, once all is compiled: the median of a few runs, of one where it is long."""
    found: list[float] = []
    while len(found) < RUNS and sum(found) < ENOUGH:
        descent = begin()
        descent.compile()
        descent.warm_up()
        start = perf_counter_ns()
        descent.advance(steps)
        found.append((perf_counter_ns() - start) * 1e-9)
    return median(found)
