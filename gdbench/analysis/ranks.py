"""Ranks over problems: each optimizer in its best variant on each problem, with and without baselines.

Average ranks by ``scipy.stats.rankdata``, ties averaged and misses last; Friedman's test, ``scipy.stats.friedmanchisquare``;
Nemenyi's critical difference q_α √(k(k + 1) ⁄ 6N), with q_α = the studentized range's quantile ⁄ √2,
``scipy.stats.studentized_range`` (Demšar 2006). What is not comparable on a problem is ranked on none.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from gdbench.analysis.verdicts import ALPHA
from gdbench.analysis.view import ProblemView, SolverView, optimizer_name


@dataclass(frozen=True)
class Contestant:
    """An optimizer, in its best variant on each problem, or the baselines of one library."""

    label: str
    optimizer: str
    variant: str
    baseline: bool
    on: dict[str, SolverView]


@dataclass(frozen=True)
class Ranks:
    """Ranks by the cost to each problem's headline target.

    Attributes
    ----------
    who : list of Contestant
        The lowest average rank first.
    problems : list of ProblemView
    ranks, costs : ndarray of shape (contestants, problems)
        Ranks from 1; those that missed the target share the last ones, and cost inf.
    mean : ndarray of shape (contestants,)
    critical : float
        Contestants whose average ranks differ by less do not differ significantly (Nemenyi).
    p : float
        Friedman's test that all are alike; NaN with fewer than three contestants or problems.
    """

    who: list[Contestant]
    problems: list[ProblemView]
    ranks: np.ndarray
    costs: np.ndarray
    mean: np.ndarray
    critical: float
    p: float

    @property
    def apart(self) -> int:
        """How many contestants differ significantly from the first one."""
        return int((self.mean - self.mean[0] > self.critical).sum())


def contestants(problems: list[ProblemView], by: str) -> list[Contestant]:
    """Those that are comparable, and ran, on every problem."""
    found: dict[tuple[bool, str], dict[str, SolverView]] = defaultdict(dict)
    for problem in problems:
        for solver in sorted(problem.solvers, key=lambda one: one.costs[problem.headline][by].value):
            if solver.comparable:
                key = (solver.baseline, solver.backend if solver.baseline else solver.optimizer)
                found[key].setdefault(problem.name, solver)
    return [_contestant(key, on) for key, on in found.items() if len(on) == len(problems)]


def _contestant(key: tuple[bool, str], on: dict[str, SolverView]) -> Contestant:
    labels, variants = {solver.label for solver in on.values()}, {solver.variant for solver in on.values()}
    name = key[1] if key[0] else optimizer_name(key[1])
    label = labels.pop() if len(labels) == 1 else "gdbench.estimators" if name == "estimators" else name
    first = next(iter(on.values()))
    return Contestant(label, first.optimizer, variants.pop() if len(variants) == 1 else "", key[0], on)


def ranking(problems: list[ProblemView], by: str, baselines: bool = True) -> Ranks | None:
    """The ranks of the contestants, the lowest average first; None for fewer than two of them."""
    who = [one for one in contestants(problems, by) if baselines or not one.baseline]
    if len(who) < 2:
        return None
    costs = np.array([[one.on[p.name].costs[p.headline][by].value for p in problems] for one in who])
    return ranked(who, problems, costs)


def ranked(who: list[Contestant], problems: list[ProblemView], costs: np.ndarray) -> Ranks:
    """Ranks of costs of shape (contestants, problems), inf for a miss."""
    from scipy import stats

    ranks = stats.rankdata(costs, axis=0)
    order = np.argsort(ranks.mean(axis=1), kind="stable")
    ranks, (k, n) = ranks[order], ranks.shape
    q = float(stats.studentized_range.ppf(1 - ALPHA, k, np.inf)) / math.sqrt(2)
    p = math.nan
    if k >= 3 and n >= 3:
        p = 1.0 if (ranks == ranks[:1]).all() else float(stats.friedmanchisquare(*ranks).pvalue)
    critical = q * math.sqrt(k * (k + 1) / (6 * n))
    return Ranks([who[i] for i in order], problems, ranks, costs[order], ranks.mean(axis=1), critical, p)
