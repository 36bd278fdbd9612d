"""Reading the hits: what each solver's chosen rate needed to a target, seed by seed, by each way of counting."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gdbench.analysis import uncertainty
from gdbench.analysis.uncertainty import Spread
from gdbench.analysis.verdicts import DELTA, EQUAL, UNDECIDED, Costs, Verdict, judge
from gdbench.suite.vocabulary import MISSED, NOT_OFFERED

if TYPE_CHECKING:
    import pandas as pd

#: What reaching a target is counted in, and the column of the hits that holds it: seconds are those of the steps alone, "call" is
#: the clock of a whole call.
COSTS = {"epochs": "epochs", "samples": "samples", "seconds": "step_seconds", "call": "call_seconds"}

#: Those that are counted, not timed.
COUNTED = ("epochs", "samples")

#: The part of pairs of identical timings whose ratio stays within the A/A spread.
PART = 0.9

#: A region of practical equivalence that is wider, for a clock's noise, says nothing of sameness.
WIDEST = 0.25


class Hits:
    """The hits of a suite on the reporting seeds.

    Parameters
    ----------
    table : DataFrame
        As of :func:`gdbench.suite.hits.hits_schema`.
    """

    def __init__(self, table: pd.DataFrame):
        self.table = table
        self.reported = table[(table["role"] == "report") & (table["miss"] != NOT_OFFERED)]

    @cached_property
    def _groups(self) -> dict[tuple[str, str, float], pd.DataFrame]:
        ordered = self.reported.sort_values("seed", kind="stable")
        return {tuple(key): rows for key, rows in ordered.groupby(["problem", "solver", "target"], sort=False)}

    def of(self, problem: str, solver: str, target: float) -> pd.DataFrame:
        """The rows of a solver and target, in the order of their seeds."""
        return self._groups.get((problem, solver, target), self.reported.iloc[:0])

    def spread(self, problem: str, solver: str, target: float, kind: str) -> Spread:
        """What a solver needed to a target, over seeds; a clock over those whose marginal cost was not lost in noise."""
        rows = self.of(problem, solver, target)
        if kind not in COUNTED:
            rows = rows[rows[COSTS[kind]].notna() | ~rows["reached"]]
        values = values_of(rows, kind)
        n = rows["samples"] / rows["epochs"].where(rows["epochs"] > 0)  # rows of the problem
        spent = rows["samples_spent"] / (n if kind == "epochs" else 1.0)
        if kind == "epochs" and spent.isna().any():
            spent = rows["samples_spent"] / n.median()
        if kind not in COUNTED:
            pace = (rows[COSTS[kind]] / rows["samples"]).where(rows["reached"])
            spent = rows["samples_spent"] * pace.fillna(pace.median())
        return uncertainty.spread(values, spent)

    def costs(self, problem: str, solver: str, target: float, kind: str, seeds: list[int]) -> Costs:
        """What a solver needed on these seeds, with brackets."""
        rows = self.of(problem, solver, target).drop_duplicates("seed").set_index("seed").reindex(seeds)
        value = np.where(rows["miss"] == MISSED, math.inf, rows[COSTS[kind]].to_numpy(dtype=float))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (rows["bracket_low"] / rows["bracket_high"]).to_numpy(dtype=float)
            low = np.where(np.isfinite(value), value * share, value)
        exact = kind in COUNTED and bool(rows["deterministic"].fillna(False).astype(bool).all())
        return Costs(low, value, value, exact)

    def seeds(self, problem: str, solver: str) -> list[int]:
        """The seeds on which a solver was reported."""
        rows = self.reported
        return sorted(set(rows["seed"][(rows["problem"] == problem) & (rows["solver"] == solver)].tolist()))

    def verdict(self, problem: str, pair: tuple[str, str], target: float, kind: str, pairs: int) -> Verdict:
        """Whether the first of a pair of solvers needs more than the second, over the seeds that both have."""
        shared = sorted(set(self.seeds(problem, pair[0])) & set(self.seeds(problem, pair[1])))
        a, b = (self.costs(problem, solver, target, kind, shared) for solver in pair)
        unknown = np.isnan(a.value) | np.isnan(b.value)
        a, b = (Costs(c.low[~unknown], c.value[~unknown], c.high[~unknown], c.exact) for c in (a, b))
        delta = self.region(problem, kind)
        found = judge(a, b, pairs, delta)
        return replace(found, word=UNDECIDED) if found.word == EQUAL and delta > WIDEST else found

    def region(self, problem: str, kind: str) -> float:
        """The region of practical equivalence: of a clock at least its A/A spread, and everything where that is not known."""
        if kind in COUNTED:
            return DELTA
        spread = self.clock_spread(problem, kind)
        return math.inf if math.isnan(spread) else max(DELTA, spread)

    def clock_pairs(self, problem: str, kind: str) -> np.ndarray:
        """Slower ÷ faster − 1 of identical timings on a problem."""
        rows = self.reported[(self.reported["problem"] == problem) & self.reported["reached"]]
        rows = rows[rows[f"{COSTS[kind]}_again"].notna()]
        first, again = rows[COSTS[kind]], rows[f"{COSTS[kind]}_again"]
        if kind == "seconds":  # one pace for all targets
            first, again = (column.groupby(rows["solver"]).max() for column in (first, again))
        ratio = (first / again).dropna().to_numpy(dtype=float)
        return np.sort(np.maximum(ratio, 1 / ratio) - 1) if len(ratio) else ratio

    def clock_spread(self, problem: str, kind: str) -> float:
        """The A/A spread of a clock: what PART of the pairs of identical timings stay under; NaN without a pair."""
        pairs = self.clock_pairs(problem, kind)
        return float(np.quantile(pairs, PART)) if len(pairs) else math.nan


def values_of(rows: pd.DataFrame, kind: str) -> np.ndarray:
    """The costs of rows: inf for a miss, NaN where it is not known."""
    return np.where(rows["miss"] == MISSED, math.inf, rows[COSTS[kind]].to_numpy(dtype=float))
