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
    The share of (problem, target, seed) triples that are reached within a cost. Its band, and a profile's, holds four of
    five resamples of the seeds.
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

#: Resamples of the seeds behind the band of a share, and the part of them that it holds.
RESAMPLED = 200
BAND = 0.8


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
        A row a problem, solver and target: learning_rate, value, low, high, art (what all runs spent over the number that
        reached the target), successes, runs, share and its Wilson interval share_low, share_high. No value, and no art, in
        seconds of a solver that was not timed alone.
    """
    import pandas as pd
    from scipy import stats

    costs = metrics.to_target(metrics.at_best(results, metrics.best_rates(results)), results.targets)
    costs = costs[costs["epochs"].notna()]
    rows = []
    for (problem, solver, rate, target), runs in costs.groupby([*metrics.GROUP, "learning_rate", "target"], sort=False):
        found = bootstrap_median(runs[cost].to_numpy(), confidence)
        hits = int(runs["reached"].sum())
        share = stats.binomtest(hits, len(runs)).proportion_ci(confidence, method="wilson")
        spent = float(runs[f"{cost}_spent"].sum(skipna=False))
        art = spent / hits if hits else spent + math.inf
        extent = (hits, len(runs), hits / len(runs), share.low, share.high)
        rows.append((problem, solver, rate, target, found.value, found.low, found.high, art, *extent))
    names = ["learning_rate", "target", "value", "low", "high", "art", "successes", "runs", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=[*metrics.GROUP, *names])


def paired(first: pd.Series, second: pd.Series) -> dict[str, float]:
    """Compare what two solvers needed on a problem, seed by seed.

    Parameters
    ----------
    first, second : Series
        Costs by seed; inf for a miss.

    Returns
    -------
    dict
        ratio (median of second's cost ÷ first's, over 1 where the first is cheaper), low, high (bootstrap), p (Wilcoxon's
        signed-rank test; with n pairs it cannot fall under 2^(1 − n)), pairs (seeds that both reached), only_first,
        only_second (seeds that only one reached).
    """
    from scipy import stats

    a, b = first.align(second, join="inner")
    both = np.isfinite(a) & np.isfinite(b)
    logs = np.log((b[both] / a[both]).to_numpy())
    found = bootstrap_median(logs)
    return {
        "ratio": math.exp(found.value),
        "low": math.exp(found.low),
        "high": math.exp(found.high),
        "p": (float(stats.wilcoxon(logs).pvalue) if logs.any() else 1.0) if logs.size else math.nan,
        "pairs": int(both.sum()),
        "only_first": int((np.isfinite(a) & ~np.isfinite(b)).sum()),
        "only_second": int((~np.isfinite(a) & np.isfinite(b)).sum()),
    }


@dataclass(frozen=True)
class Shares:
    """A share for each solver over an axis, with a band.

    Attributes
    ----------
    x : ndarray of shape (points,)
    middle, low, high : ndarray of shape (solvers, points)
    """

    x: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def performance_profile(costs: list[np.ndarray]) -> Shares:
    """Dolan and Moré's profile of the medians over seeds.

    Parameters
    ----------
    costs : list of ndarray of shape (solvers, seeds)
        Of each problem, inf for a miss. A problem that nobody solves counts as unsolved by all.

    Returns
    -------
    Shares
        Over τ ≥ 1; the band comes from resampled seeds.
    """
    generator = np.random.default_rng(0)
    ratios = np.stack([ratio(np.median(found, axis=-1)) for found in costs], axis=-1)
    drawn = np.stack([ratio(np.median(resampled(found, generator), axis=-1)) for found in costs], axis=-1)
    tau = np.geomspace(1.0, max(2.0, 1.2 * ratios[np.isfinite(ratios)].max(initial=1.0)), 100)
    return _shares(tau, ratios, drawn)


def run_time_distribution(costs: list[np.ndarray]) -> Shares | None:
    """COCO's distribution: the share of all (problem, target, seed) that a solver reached within a cost.

    Parameters
    ----------
    costs : list of ndarray of shape (solvers, targets, seeds)
        Of each problem, inf for a miss.

    Returns
    -------
    Shares or None
        Over the cost; the band comes from resampled seeds. None where nothing was reached.
    """
    generator, solvers = np.random.default_rng(0), len(costs[0])
    found = np.concatenate([part.reshape(solvers, -1) for part in costs], axis=1)
    drawn = [resampled(part, generator).reshape(RESAMPLED, solvers, -1) for part in costs]
    reached = found[np.isfinite(found) & (found > 0)]
    if not reached.size:
        return None
    x = np.geomspace(reached.min(), 1.01 * reached.max(), 100)
    return _shares(x, found, np.concatenate(drawn, axis=2))


def resampled(costs: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw seeds with replacement, the same ones for every row: (…, seeds) → (RESAMPLED, …, seeds)."""
    seeds = costs.shape[-1]
    picks = generator.integers(seeds, size=(RESAMPLED, seeds))
    return np.moveaxis(costs[..., picks], -2, 0)


def share_within(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The share of the last axis' values that are at most each x: (…, n) → (…, len(x))."""
    return np.stack([(values <= limit).mean(axis=-1) for limit in x], axis=-1)


def ratio(costs: np.ndarray) -> np.ndarray:
    """Costs over the smallest of the last axis; inf where nobody reached the target."""
    best = costs.min(axis=-1, keepdims=True)
    return np.where(np.isfinite(costs), costs / np.where(np.isfinite(best) & (best > 0), best, 1.0), math.inf)


def _shares(x: np.ndarray, values: np.ndarray, drawn: np.ndarray) -> Shares:
    """Shares within each x, with the band that holds the middle BAND of the resamples."""
    low, high = np.quantile(share_within(drawn, x), [(1 - BAND) / 2, (1 + BAND) / 2], axis=0)
    return Shares(x, share_within(values, x), low, high)


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
    """

    ranks: pd.Series
    problems: int
    critical_difference: float
    p: float


def ranking(costs: pd.DataFrame, alpha: float = 0.05) -> Ranking:
    """Rank solvers over problems.

    Parameters
    ----------
    costs : DataFrame
        A row a problem and a column a solver: inf for a miss; solvers with a NaN are left out.
    alpha : float
    """
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
    return Ranking(average, n, difference, p)
