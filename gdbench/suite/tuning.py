"""The declared rule by which the best learning rate of a solver on a problem is chosen, and where its grid goes on.

``time``
    For each rate, the median over the tuning seeds of the samples to the tightest target that any rate reaches in more than half
    of its seeds; the cheapest rate wins, and of equals the one with the lower final gap. Where no target is reached, as ``gap``.
``gap``
    The lowest median of the final gap. So it is for a network in any case: the best value known, from which its gaps
    count, is known only once all runs are done.
``none``
    There is one rate.

A run that diverged costs infinity and ends at an infinite gap; one that could not be done has tried no rate. A best rate that is
the lowest or the highest tried may not be the best there is: the grid then goes on in that direction, once, for two decades at
most.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from gdbench.suite.vocabulary import LOST

#: The decades by which a grid is widened at an end, and the largest step between its rates there.
DECADES, LARGEST = 2.0, 10.0


@dataclass(frozen=True)
class Choice:
    """The rate chosen for a solver on a problem.

    Attributes
    ----------
    learning_rate : float or None
        None where every rate diverged or failed.
    rates : tuple of float
        Those tried, sorted.
    """

    learning_rate: float | None
    rates: tuple[float, ...]

    @property
    def at_edge(self) -> bool:
        """Whether it is the lowest or the highest of several rates."""
        return len(self.rates) > 1 and self.learning_rate in (self.rates[0], self.rates[-1])


def choose(rows: Iterable[Mapping[str, Any]], targets: Iterable[float], rule: str = "time") -> Choice:
    """Choose from the grid's rows of one solver on one problem.

    Parameters
    ----------
    rows : iterable of rows of the ledger
    targets : iterable of float
    rule : {"time", "gap", "none"}

    Returns
    -------
    Choice
    """
    by_rate: dict[float, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["status"] != "failed":
            by_rate[float(row["learning_rate"])].append(row)
    rates = tuple(sorted(by_rate))
    if not rates:
        return Choice(None, rates)
    gaps = {rate: median(_final(row) for row in group) for rate, group in by_rate.items()}
    if rule == "time" and all(row.get("model", "linear") == "linear" for group in by_rate.values() for row in group):
        for target in sorted(targets):
            costs = {rate: median(_cost(row, target) for row in group) for rate, group in by_rate.items()}
            best = min(by_rate, key=lambda rate: (costs[rate], gaps[rate], rate))
            if math.isfinite(costs[best]):
                return Choice(best, rates)
    best_of_all = min(by_rate, key=lambda rate: (gaps[rate], rate))
    return Choice(best_of_all if math.isfinite(gaps[best_of_all]) else None, rates)


def further(choice: Choice) -> tuple[float, ...]:
    """The rates by which a grid is widened: beyond the end at which the best rate lies, below where every rate diverged."""
    rates = choice.rates
    if len(rates) < 2 or not (choice.at_edge or choice.learning_rate is None):
        return ()
    upward = choice.learning_rate == rates[-1]
    end, step = (rates[-1], rates[-1] / rates[-2]) if upward else (rates[0], rates[1] / rates[0])
    step = min(step, LARGEST)
    count = math.floor(DECADES / math.log10(step) + 1e-9)
    return tuple(float(f"{end * step ** (k if upward else -k):.12g}") for k in range(1, min(count, MOST) + 1))


#: Rates that are added to a grid, at most: one of a hundred rates a decade isn't doubled for its last one.
MOST = 12


def _cost(row: Mapping[str, Any], target: float) -> float:
    if row["status"] in LOST:
        return math.inf
    return next((float(c["samples"]) for c in row["crossings"] if c["target"] == target), math.inf)


def _final(row: Mapping[str, Any]) -> float:
    """The final gap; the objective itself where there is no f* to subtract."""
    if row["status"] in LOST:
        return math.inf
    value = float(row["gap"])
    value = float(row["objective"]) if math.isnan(value) else value
    return math.inf if math.isnan(value) else value
