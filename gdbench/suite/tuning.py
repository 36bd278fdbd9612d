"""The declared rule by which the best learning rate of a solver on a problem is chosen.

``time``
    For each rate, the median over seeds of the cost to the tightest target that any rate reaches in more than half of
    its seeds; the cheapest rate wins, and of equals the one with the lower final gap. The cost is counted in samples:
    within one solver it is proportional to the seconds, and free of their noise. Where no target is reached, as
    ``gap``.
``gap``
    The lowest median of the final gap. So it is for a network in any case: the best value known, from which its gaps
    count, is known only once all runs are done.
``none``
    There is one rate.

A run that diverged or failed costs infinity and ends at an infinite gap.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from gdbench.suite.execute import LOST, target_label


@dataclass(frozen=True)
class Choice:
    """The rate chosen for a solver on a problem.

    Attributes
    ----------
    learning_rate : float or None
        None where every rate diverged or failed.
    target : float or None
        The tightest target that decided, if one did.
    n_rates : int
        How many were tried.
    """

    learning_rate: float | None
    target: float | None
    n_rates: int


def choose(rows: Iterable[Mapping[str, Any]], targets: Iterable[float], rule: str = "time") -> Choice:
    """Choose from the grid's rows of one solver on one problem.

    Parameters
    ----------
    rows : iterable of rows of runs.parquet
    targets : iterable of float
    rule : {"time", "gap", "none"}

    Returns
    -------
    Choice
    """
    by_rate: dict[float, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_rate[float(row["learning_rate"])].append(row)
    gaps = {rate: median(_final(row) for row in group) for rate, group in by_rate.items()}
    if rule == "time" and all(row.get("model", "linear") == "linear" for group in by_rate.values() for row in group):
        for target in sorted(targets):
            costs = {rate: median(_cost(row, target) for row in group) for rate, group in by_rate.items()}
            best = min(by_rate, key=lambda rate: (costs[rate], gaps[rate], rate))
            if math.isfinite(costs[best]):
                return Choice(best, target, len(by_rate))
    best_of_all = min(by_rate, key=lambda rate: (gaps[rate], rate), default=None)
    usable = best_of_all is not None and math.isfinite(gaps[best_of_all])
    return Choice(best_of_all if usable else None, None, len(by_rate))


def _cost(row: Mapping[str, Any], target: float) -> float:
    cost = float(row.get(f"samples_to_{target_label(target)}", math.inf))
    return math.inf if math.isnan(cost) or row["status"] in LOST else cost


def _final(row: Mapping[str, Any]) -> float:
    """The final gap; the objective itself where there is no f* to subtract."""
    if row["status"] in LOST:
        return math.inf
    value = float(row["gap"])
    value = float(row["objective"]) if math.isnan(value) else value
    return math.inf if math.isnan(value) else value
