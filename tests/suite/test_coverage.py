"""What intervals, bands and the clock's noise promise, by simulation: they hold as often as they say."""

import numpy as np
import pandas as pd

from gdbench.suite import metrics, statistics
from gdbench.suite.results import Results


def identical_pairs(number, rng):
    """Seconds of runs that do the same work twice, on a clock whose noise is lognormal."""
    rows = {"problem": "p", "solver": np.repeat(np.arange(number), 2).astype(str), "learning_rate": 0.1, "seed": 0}
    rows |= {"seconds": np.exp(0.1 * rng.standard_normal(2 * number)), "n_samples": 10, "timing": "alone", "stage": "timed"}
    return pd.DataFrame(rows)


def test_the_noise_of_a_clock_holds_nine_of_ten_pairs_of_identical_runs():
    rng = np.random.default_rng(0)
    found = metrics.clock_noise(Results(None, identical_pairs(1000, rng), None, {}, {"targets": ()}, 0, 0)).iloc[0]
    fresh = np.exp(0.1 * rng.standard_normal((2, 20_000)))
    within = np.maximum(fresh[0] / fresh[1], fresh[1] / fresh[0]) <= found["factor"]
    assert 0.87 < within.mean() < 0.93
    assert found["pairs"] == 1000 and found["median_factor"] < found["factor"]


def test_an_interval_of_the_median_holds_it_nineteen_times_of_twenty():
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(150):
        found = statistics.bootstrap_median(np.exp(rng.standard_normal(25)), seed=seed)
        inside += found.low <= 1.0 <= found.high  # the median of a lognormal
    assert 0.87 < inside / 150 <= 1.0


def test_a_band_of_shares_holds_four_of_five_resamples_of_the_seeds():
    rng = np.random.default_rng(2)
    costs = [np.exp(rng.standard_normal((2, 15))) for _ in range(80)]
    profile = statistics.performance_profile(costs)
    inside = []
    for _ in range(200):
        picked = rng.integers(15, size=15)
        medians = np.stack([np.median(found[:, picked], axis=1) for found in costs], axis=1)
        shares = np.stack([(medians / medians.min(axis=0) <= tau).mean(axis=1) for tau in profile.x], axis=1)
        inside.append((profile.low <= shares) & (shares <= profile.high))
    middle = (profile.middle > 0.2) & (profile.middle < 0.8)  # at the ends a share hardly varies
    assert 0.74 < np.mean(inside, axis=0)[middle].mean() < 0.92
