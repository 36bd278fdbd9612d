"""Small arithmetic of the report: quantities over seeds, and whether two of them differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

#: A relative gap below this is rounding: curves are cut there, so that a log axis can show them.
SMALLEST = 1e-16


#: Seeds whose spread says something of the noise of a clock.
FEWEST = 3


@dataclass(frozen=True)
class Spread:
    """A quantity over seeds, as :mod:`gdbench.suite.metrics` gives it.

    Attributes
    ----------
    value, low, high : float
        Median and quartiles (of three seeds, the smallest and the largest); inf where misses reach so far.
    hits, seeds : int
        How many reached it, of how many.
    """

    value: float
    low: float
    high: float
    hits: int
    seeds: int

    @property
    def reached(self) -> bool:
        """Whether more than half of the seeds did."""
        return math.isfinite(self.value)

    @property
    def complete(self) -> bool:
        """Whether every seed did."""
        return self.reached and self.hits == self.seeds > 0


NOTHING = Spread(math.inf, math.inf, math.inf, 0, 0)


def distinguishable(a: Spread, b: Spread, factor: float) -> bool:
    """Whether two costs differ beyond doubt: their intervals are apart, and by more than the clock's noise.

    Where that noise is not known, only the spread over `FEWEST` seeds or more stands for it.

    Parameters
    ----------
    a, b : Spread
    factor : float
        Slower ÷ faster of identical work, as of :func:`gdbench.suite.metrics.clock_noise`; 1 for costs that are
        counted, NaN where the noise is not known.
    """
    if a.reached != b.reached or a.complete != b.complete:
        return True
    if not a.reached:
        return False
    apart = a.high < b.low or b.high < a.low
    if math.isnan(factor):
        return apart and min(a.seeds, b.seeds) >= FEWEST
    return apart and max(a.value, b.value) > factor * min(a.value, b.value)


def describe(value: Any) -> str:
    """A cell of a table from outside (machine.json, parity rows) as text."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {describe(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(describe, value))
    return "–" if value is None else str(value)
