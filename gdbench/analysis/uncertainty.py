"""The one rule for uncertainty: the median over seeds, with the interval of its order statistics.

Of n values, sorted, x₍ₖ₎ and x₍ₙ₊₁₋ₖ₎ enclose the median with probability 1 − 2·P(Bin(n, ½) < k), whatever the distribution: k is
the largest for which that is at least CONFIDENCE. Misses are infinite, and may be an end of it. Under six values no interval
reaches CONFIDENCE: the smallest and the largest are given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """A quantity over seeds.

    Attributes
    ----------
    value, low, high : float
        Median, and its interval; inf where misses reach so far.
    hits, seeds : int
        How many reached it, of how many.
    art : float
        The average run time of COCO: what all runs spent, to the target or to their end, over the number that reached it.
    """

    value: float
    low: float
    high: float
    hits: int
    seeds: int
    art: float = math.inf

    @property
    def reached(self) -> bool:
        """Whether more than half of the seeds did."""
        return math.isfinite(self.value)

    @property
    def complete(self) -> bool:
        """Whether every seed did."""
        return self.reached and self.hits == self.seeds > 0


NOTHING = Spread(math.inf, math.inf, math.inf, 0, 0)


def spread(values: Iterable[float], spent: Iterable[float] = ()) -> Spread:
    """The median of values with its interval, and aRT.

    Parameters
    ----------
    values : iterable of float
        One a seed; inf for a miss. NaN where a value is not known: then nothing is.
    spent : iterable of float
        What the seeds spent, to the target or to the end.
    """
    found = np.sort(np.asarray(list(values), dtype=float))
    if not len(found) or np.isnan(found).any():
        return NOTHING
    low, high = interval(found)
    hits = int(np.isfinite(found).sum())
    total = float(np.sum(list(spent)))
    return Spread(median(found), low, high, hits, len(found), total / hits if hits else math.inf)


def median(values: np.ndarray) -> float:
    """The median; that of an even number is infinite where one of the two in the middle is."""
    found = np.sort(np.asarray(values, dtype=float))
    if not len(found):
        return math.nan
    return float(0.5 * (found[(len(found) - 1) // 2] + found[len(found) // 2]))


def interval(values: np.ndarray) -> tuple[float, float]:
    """The ends of the interval of the median."""
    from scipy import stats

    found = np.sort(np.asarray(values, dtype=float))
    n = len(found)
    # the largest k with P(Bin(n, 1/2) < k) <= (1 - CONFIDENCE) / 2
    k = int(np.searchsorted(stats.binom.cdf(np.arange(n), n, 0.5), 0.5 * (1 - CONFIDENCE), side="right"))
    k = max(k, 1)
    return float(found[k - 1]), float(found[n - k])
