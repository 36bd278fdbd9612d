"""Statistics over seeds and over problems: intervals, paired comparison, profiles, ranks. The tests are SciPy's.

bootstrap interval
    BCa (bias-corrected, accelerated) of the median over seeds, by ``scipy.stats.bootstrap``; where a seed missed, of the
    share that hit, by ``scipy.stats.binomtest`` (Wilson).
paired comparison
    Two solvers on the same seeds (the same row orders): the median of the ratios of their costs with its interval, and
    Wilcoxon's signed-rank test of the log ratios, ``scipy.stats.wilcoxon``.
performance profile (Dolan and Moré 2002)
    ρ_s(τ): the share of problems on which solver s costs at most τ times the best of all solvers. A miss is ∞.
run-time distribution (COCO)
    The share of (problem, target, seed) triples that are reached within a cost, with a bootstrap band over problems.
average ranks
    Of the solvers over problems, ``scipy.stats.rankdata`` with ties averaged and misses last; Friedman's test,
    ``scipy.stats.friedmanchisquare``; Nemenyi's critical difference q_α √(k(k + 1) ⁄ 6N), with q_α = the studentized range's
    quantile ⁄ √2, ``scipy.stats.studentized_range`` (Demšar 2006).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.suite import metrics
from gdbench.suite.results import Results

if TYPE_CHECKING:
    import pandas as pd

#: Resamples of a bootstrap.
RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval."""

    value: float
    low: float
    high: float


def bootstrap_median(values: np.ndarray, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The median with its BCa bootstrap interval.

    Parameters
    ----------
    values : array of shape (n,)
        One a seed; inf for a miss: the interval is then that of the order statistics, and may reach to inf.
    confidence : float
    seed : int
        Of the resampling.

    Returns
    -------
    Interval
        NaN for no values; an interval of one point for one value or for equal ones.
    """
    from scipy import stats

    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if values.size == 0:
        return Interval(math.nan, math.nan, math.nan)
    middle = metrics.spread(values)[1]
    if values.size == 1 or (values == values[0]).all():
        return Interval(middle, middle, middle)
    if not np.isfinite(values).all():
        bound = stats.quantile_test(values, q=middle, p=0.5).confidence_interval(confidence)
        low = float(values.min()) if math.isnan(bound.low) else float(bound.low)
        return Interval(middle, low, math.inf if math.isnan(bound.high) else float(bound.high))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a degenerate resample
        found = stats.bootstrap(
            (values,), np.median, n_resamples=RESAMPLES, confidence_level=confidence, random_state=np.random.default_rng(seed)
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    low, high = (low if math.isfinite(low) else values.min()), (high if math.isfinite(high) else values.max())
    return Interval(float(np.median(values)), float(low), float(high))


def intervals(results: Results, cost: str = "seconds", confidence: float = 0.95) -> pd.DataFrame:
    """Bootstrap intervals over seeds of the cost to each target, at each solver's best rate.

    Returns
    -------
    DataFrame
        A row a problem, solver and target: learning_rate, value, low, high, successes, runs, share and its Wilson interval
        share_low, share_high.
    """
    import pandas as pd
    from scipy import stats

    rows = []
    for (problem, solver, rate, target), runs in _at_best(results).groupby(
        [*metrics.GROUP, "learning_rate", "target"], sort=False
    ):
        found = bootstrap_median(runs[cost].to_numpy(), confidence)
        hits = int(runs["reached"].sum())
        share = stats.binomtest(hits, len(runs)).proportion_ci(confidence, method="wilson")
        extent = (hits, len(runs), hits / len(runs), share.low, share.high)
        rows.append((problem, solver, rate, target, found.value, found.low, found.high, *extent))
    names = ["learning_rate", "target", "value", "low", "high", "successes", "runs", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=[*metrics.GROUP, *names])


def _at_best(results: Results) -> pd.DataFrame:
    """Costs to targets of the runs at each solver's best rate: timed alone where there are such, else from the grid."""
    stage = "timed" if len(results.timed) else "tuning"
    long = metrics.to_target(results, stage)
    long = long[long["epochs"].notna() & (long["repeat"] == 0)]
    best = metrics.best_rates(results)[[*metrics.GROUP, "learning_rate"]]
    return long.merge(best, on=[*metrics.GROUP, "learning_rate"])


def compare(results: Results, problem: str, first: str, second: str, target: float, cost: str = "seconds") -> dict[str, float]:
    """Compare two solvers on a problem, seed by seed.

    Returns
    -------
    dict
        ratio (median of first's cost ÷ second's, under 1 where the first is cheaper), low, high (bootstrap), p (Wilcoxon's
        signed-rank test; with n pairs it cannot fall under 2^(1 − n)), pairs (seeds that both reached), only_first,
        only_second (seeds that only one reached), noise (the A/A factor of the problem, for seconds), distinguishable
        (1.0 or 0.0: the interval lies outside [1 ⁄ noise, noise]).
    """
    from scipy import stats

    runs = _at_best(results)
    runs = runs[(runs["problem"] == problem) & np.isclose(runs["target"], target)]
    sides = []
    for solver in (first, second):
        side = runs[runs["solver"] == solver].set_index("seed")[cost]
        if side.empty:
            raise GdbenchError(f"no comparable runs of '{solver}' on '{problem}' at target {target:g}")
        sides.append(side)
    a, b = sides[0].align(sides[1], join="inner")
    both = np.isfinite(a) & np.isfinite(b)
    logs = np.log((a[both] / b[both]).to_numpy())
    found = bootstrap_median(logs)
    noise = 1.0
    if cost == "seconds":
        noise = float(metrics.clock_noise(results).set_index("problem")["factor"].get(problem, math.nan))
    apart = found.low > math.log(noise) or found.high < -math.log(noise) if noise == noise else False
    return {
        "ratio": math.exp(found.value),
        "low": math.exp(found.low),
        "high": math.exp(found.high),
        "p": float(stats.wilcoxon(logs).pvalue) if logs.size and logs.any() else 1.0,
        "pairs": int(both.sum()),
        "only_first": int((np.isfinite(a) & ~np.isfinite(b)).sum()),
        "only_second": int((~np.isfinite(a) & np.isfinite(b)).sum()),
        "noise": noise,
        "distinguishable": float(apart),
    }


def cost_table(results: Results, cost: str = "seconds", target: float | None = None) -> pd.DataFrame:
    """The median cost of each solver (columns) on each problem (rows) at its best rate; inf for a miss.

    Parameters
    ----------
    results : Results
    cost : {"epochs", "samples", "updates", "seconds"}
    target : float, optional
        By default each problem's common target.
    """
    import pandas as pd

    runs = _at_best(results)
    rows = {}
    for problem, group in runs.groupby("problem", sort=False):
        goal = metrics.common_target(results, str(problem)) if target is None else target
        group = group[np.isclose(group["target"], goal)]
        rows[problem] = group.groupby("solver", sort=False)[cost].agg(lambda values: metrics.spread(values)[1])
    return pd.DataFrame(rows).T


def performance_profile(costs: pd.DataFrame) -> pd.DataFrame:
    """Dolan and Moré's profile of a table as of :func:`cost_table`, over the solvers that have a cost for every problem.

    Returns
    -------
    DataFrame
        A row a step: tau, and a column a solver with ρ(τ). Problems that nobody solves count as unsolved by all.
    """
    import pandas as pd

    costs = costs.dropna(axis=1)
    with np.errstate(invalid="ignore"):
        ratios = costs.div(costs.min(axis=1), axis=0).fillna(math.inf)
    taus = np.unique(ratios.to_numpy()[np.isfinite(ratios.to_numpy())])
    taus = np.unique(np.append(taus, 1.0))
    shares = {solver: [(ratios[solver] <= tau).mean() for tau in taus] for solver in ratios}
    return pd.DataFrame({"tau": taus} | shares)


def runtime_distribution(results: Results, cost: str = "samples", confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """The empirical distribution of costs over (problem, target, seed), with a bootstrap band over problems.

    Returns
    -------
    DataFrame
        A row a solver and cost: solver, cost, share, low, high. Samples and updates are per row of the data (epochs), so that
        problems of different sizes can be pooled, unless the cost is seconds.
    """
    import pandas as pd

    runs = _at_best(results)
    column = "seconds" if cost == "seconds" else "epochs" if cost in ("samples", "epochs") else cost
    rng, rows = np.random.default_rng(seed), []
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    for solver, group in runs.groupby("solver", sort=False):
        values = group[column].to_numpy()
        grid = np.unique(values[np.isfinite(values)])
        if len(grid) == 0:
            continue
        parts = [np.asarray(part[column]) for _, part in group.groupby("problem", sort=False)]
        hits = np.array([[np.mean(part <= x) for x in grid] for part in parts]).reshape(len(parts), len(grid))
        weights = np.array([len(part) for part in parts])
        draws = rng.integers(0, len(parts), (RESAMPLES // 4, len(parts)))
        bands = [np.average(hits[draw], axis=0, weights=weights[draw]) for draw in draws]
        low, high = np.quantile(bands, tails, axis=0)
        share = np.average(hits, axis=0, weights=weights)
        rows += [(solver, *one) for one in zip(grid, share, low, high, strict=True)]
    return pd.DataFrame(rows, columns=["solver", "cost", "share", "low", "high"])


@dataclass(frozen=True)
class Ranking:
    """Average ranks over problems.

    Attributes
    ----------
    ranks : Series
        Average rank of each solver, the best first; 1 is the best possible.
    problems : int
    critical_difference : float
        Solvers whose ranks differ by less are not told apart (Nemenyi).
    p : float
        Friedman's test that all are alike; NaN with fewer than three solvers or problems.
    groups : list of tuples of str
        The largest sets of solvers that are not told apart.
    """

    ranks: pd.Series
    problems: int
    critical_difference: float
    p: float
    groups: list[tuple[str, ...]]


def ranking(costs: pd.DataFrame, alpha: float = 0.05) -> Ranking:
    """Rank solvers over problems, from a table as of :func:`cost_table`; solvers without a cost on some problem are left out."""
    import pandas as pd
    from scipy import stats

    costs = costs.dropna(axis=1)
    n, k = costs.shape
    if n == 0 or k < 2:
        raise GdbenchError("ranks need at least one problem and two solvers that ran on every problem")
    ranks = pd.DataFrame(stats.rankdata(costs.to_numpy(), axis=1), columns=costs.columns)
    average = ranks.mean().sort_values()
    q = float(stats.studentized_range.ppf(1 - alpha, k, np.inf)) / math.sqrt(2)
    difference = q * math.sqrt(k * (k + 1) / (6 * n))
    alike = (ranks.to_numpy() == ranks.to_numpy()[:, :1]).all()
    p = math.nan
    if k >= 3 and n >= 3:
        p = 1.0 if alike else float(stats.friedmanchisquare(*ranks.to_numpy().T).pvalue)
    return Ranking(average, n, difference, p, _cliques(average, difference))


def _cliques(average: pd.Series, difference: float) -> list[tuple[str, ...]]:
    """The maximal runs of neighbours in rank order that lie within the critical difference."""
    names, values, found, reach = list(average.index), average.to_numpy(), [], 0
    for first in range(len(names)):
        last = int(np.searchsorted(values, values[first] + difference, side="right"))
        if last > reach and last - first > 1:
            found.append(tuple(names[first:last]))
        reach = max(reach, last)
    return found
