"""Profiles over problems.

performance profile (Dolan and Moré 2002)
    ρ_s(τ): the share of problems on which solver s costs at most τ times the best of all solvers. A miss is ∞.
run-time distribution (COCO)
    The share of (problem, target, seed) triples that are reached within a cost, as a multiple of what the problem's best solver
    needs to the headline target: problems of unlike size are then on one axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gdbench.analysis.hits import Hits, values_of
from gdbench.analysis.ranks import Contestant, Ranks
from gdbench.analysis.view import ProblemView


@dataclass(frozen=True)
class Line:
    """A contestant's line: a share over a cost."""

    who: Contestant
    x: np.ndarray
    share: np.ndarray


def performance_profile(ranks: Ranks) -> list[Line]:
    """The share of problems on which a contestant needs at most τ times the best one's cost."""
    best = ranks.costs.min(axis=0)
    ratios = np.where(np.isfinite(ranks.costs), ranks.costs / np.where(np.isfinite(best) & (best > 0), best, 1.0), math.inf)
    tau = np.geomspace(1.0, max(2.0, 1.2 * ratios[np.isfinite(ratios)].max(initial=1.0)), 100)
    return [Line(one, tau, share_within(values, tau)) for one, values in zip(ranks.who, ratios, strict=True)]


def run_time_distribution(hits: Hits, who: list[Contestant], problems: list[ProblemView], by: str) -> list[Line]:
    """The share of all (problem, target, seed) that a contestant reached within a cost relative to the problem."""
    found = []
    for one in who:
        parts = []
        for problem in problems:
            unit = problem.least(problem.headline, by)
            for target in problem.targets:
                values = values_of(hits.of(problem.name, one.on[problem.name].solver, target), by)
                # each (problem, target) weighs the same, however many seeds it has
                parts.append((values / unit, np.full(len(values), 1.0 / max(len(values), 1))))
        found.append(tuple(np.concatenate(column) for column in zip(*parts, strict=True)))
    reached = np.concatenate([values[np.isfinite(values) & (values > 0)] for values, _ in found] or [np.empty(0)])
    if not reached.size:
        return []
    x = np.geomspace(reached.min(), 1.01 * reached.max(), 100)
    return [Line(one, x, share_within(part[0], x, part[1])) for one, part in zip(who, found, strict=True)]


def share_within(values: np.ndarray, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The share of the values that are at most each x."""
    weights = np.ones(len(values)) if weights is None else weights
    return np.array([weights[values <= limit].sum() for limit in x]) / weights.sum()
