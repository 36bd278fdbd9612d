import math

import numpy as np
import pandas as pd
import pytest

from gdbench.errors import GdbenchError
from gdbench.suite import statistics


def test_bootstrap_of_the_median_covers_it():
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(40):
        found = statistics.bootstrap_median(rng.normal(3.0, 1.0, 25), seed=seed)
        assert found.low <= found.value <= found.high
        inside += found.low <= 3.0 <= found.high
    assert inside >= 33


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], (math.nan,) * 3), ([2.0], (2.0,) * 3), ([2.0, 2.0], (2.0,) * 3), ([math.inf, math.inf], (math.inf,) * 3)],
)
def test_bootstrap_of_nothing_and_of_one(values, expected):
    found = statistics.bootstrap_median(np.array(values))
    np.testing.assert_equal((found.value, found.low, found.high), expected)


def test_bootstrap_with_misses_reaches_to_infinity():
    found = statistics.bootstrap_median(np.array([1.0, 2.0, math.inf]))
    assert found.value == 2.0
    assert found.high == math.inf


COSTS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 2.0, math.inf], "c": [4.0, math.inf, 3.0]}, index=["p", "q", "r"])


def test_performance_profile():
    found = statistics.performance_profile(COSTS).set_index("tau")
    assert found.loc[1.0].to_dict() == {"a": 1.0, "b": pytest.approx(1 / 3), "c": pytest.approx(1 / 3)}
    assert found.loc[4.0, "c"] == pytest.approx(2 / 3)
    assert found.loc[2.0, "b"] == pytest.approx(2 / 3)


def test_a_problem_that_nobody_solves_counts_against_all():
    found = statistics.performance_profile(pd.DataFrame({"a": [1.0, math.inf], "b": [2.0, math.inf]}))
    assert found[["a", "b"]].max().tolist() == [0.5, 0.5]


def test_ranking_agrees_with_demsar_s_table():
    """Demšar (2006), table 5: q₀.₀₅ = 2.343 for two ... 2.569 for four classifiers; section 3.2.2, 14 data sets: CD = 1.25."""
    rng = np.random.default_rng(0)
    costs = pd.DataFrame(rng.random((14, 4)), columns=list("abcd"))
    found = statistics.ranking(costs)
    assert found.critical_difference == pytest.approx(2.569 * math.sqrt(4 * 5 / (6 * 14)), rel=1e-3)
    assert found.ranks.sum() == pytest.approx(10)
    assert found.ranks.is_monotonic_increasing


def test_ranks_average_ties_and_put_misses_last():
    found = statistics.ranking(COSTS)
    assert found.ranks.to_dict() == {"a": pytest.approx(4 / 3), "b": pytest.approx(6.5 / 3), "c": pytest.approx(7.5 / 3 - 0 / 3)}
    assert found.groups == [("a", "b", "c")]
    assert 0 <= found.p <= 1


def test_ranking_needs_two_solvers():
    with pytest.raises(GdbenchError, match="two solvers"):
        statistics.ranking(COSTS[["a"]])


def test_tables_of_real_results(results):
    found = statistics.intervals(results, "epochs")
    finite = np.isfinite(found["value"])
    assert (found["low"][finite] <= found["value"][finite]).all()
    assert found["share"].between(found["share_low"], found["share_high"]).all()
    costs = statistics.cost_table(results, "samples")
    assert set(costs.index) == {"diabetes", "iris"}
    profile = statistics.performance_profile(costs)
    assert profile.drop(columns="tau").to_numpy().max() <= 1
    curves = statistics.runtime_distribution(results)
    assert curves["share"].between(0, 1).all()
    assert (curves["low"] <= curves["share"] + 1e-12).all()
    for _, curve in curves.groupby("solver"):
        assert curve["share"].is_monotonic_increasing


def test_paired_comparison(results):
    found = statistics.compare(results, "diabetes", "mini-batch gd", "batch gd", 1e-1, "samples")
    assert found["pairs"] + found["only_first"] + found["only_second"] <= 2
    itself = statistics.compare(results, "diabetes", "mini-batch gd", "mini-batch gd", 1e-1, "samples")
    assert (itself["ratio"], itself["p"], itself["distinguishable"]) == (1.0, 1.0, 0.0)
    with pytest.raises(GdbenchError, match="no comparable runs of 'nobody'"):
        statistics.compare(results, "diabetes", "nobody", "batch gd", 1e-1)
