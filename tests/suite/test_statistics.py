import math

import numpy as np
import pandas as pd
import pytest

from gdbench.errors import GdbenchError
from gdbench.suite import metrics, statistics
from gdbench.suite.results import Results


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


def test_ratios_are_taken_to_the_best():
    assert statistics.ratio(np.array([2.0, 1.0, math.inf])).tolist() == [2.0, 1.0, math.inf]
    assert statistics.ratio(np.array([math.inf, math.inf])).tolist() == [math.inf, math.inf]


def test_shares_within():
    found = statistics.share_within(np.array([[1.0, 2.0, math.inf]]), np.array([0.5, 1.0, 5.0]))
    assert found.tolist() == [[0, 1 / 3, 2 / 3]]


def test_performance_profile():
    found = statistics.performance_profile([row[:, None] for row in COSTS.to_numpy()])
    assert found.middle[:, 0].tolist() == [1.0, pytest.approx(1 / 3), pytest.approx(1 / 3)]
    assert found.middle[:, -1].tolist() == [1.0, pytest.approx(2 / 3), pytest.approx(2 / 3)]
    # of one seed there is one resample
    np.testing.assert_array_equal(found.low, found.middle)
    np.testing.assert_array_equal(found.high, found.middle)


def test_a_problem_that_nobody_solves_counts_against_all():
    found = statistics.performance_profile([np.array([[1.0], [2.0]]), np.full((2, 1), math.inf)])
    assert found.middle.max(axis=1).tolist() == [0.5, 0.5]


def test_run_time_distribution():
    costs = [np.array([[[1.0, 3.0], [9.0, math.inf]], [[2.0, 2.0], [math.inf, math.inf]]])]
    found = statistics.run_time_distribution(costs)
    assert found.middle[:, -1].tolist() == [0.75, 0.5]
    assert found.middle[:, 0].tolist() == [0.25, 0.0]
    assert ((found.low <= found.high) & (found.low >= 0) & (found.high <= 1)).all()
    assert statistics.run_time_distribution([np.full((2, 1, 2), math.inf)]) is None


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
    assert 0 <= found.p <= 1


def test_ranking_needs_two_solvers():
    with pytest.raises(GdbenchError, match="two solvers"):
        statistics.ranking(COSTS[["a"]])


def test_tables_of_real_results(results):
    found = statistics.intervals(results, "epochs")
    finite = np.isfinite(found["value"])
    assert (found["low"][finite] <= found["value"][finite]).all()
    assert found["share"].between(found["share_low"], found["share_high"]).all()


def test_paired_comparison():
    first, second = pd.Series({0: 1.0, 1: 2.0, 2: 4.0, 3: math.inf}), pd.Series({0: 2.0, 1: 5.0, 2: 7.0, 3: 1.0, 4: 1.0})
    found = statistics.paired(first, second)
    assert (found["pairs"], found["only_first"], found["only_second"]) == (3, 0, 1)
    assert (found["low"], found["ratio"], found["high"]) == pytest.approx((1.75, 2.0, 2.5))
    assert found["p"] == 0.25  # the least that three pairs can give
    assert statistics.paired(first, first) == {"ratio": 1.0, "low": 1.0, "high": 1.0, "p": 1.0, "pairs": 3} | dict.fromkeys(
        ("only_first", "only_second"), 0
    )
    assert math.isnan(statistics.paired(first[3:], second)["p"])


def frame(stage, costs, **more):
    """Runs of one solver to one target, by seed."""
    named = {"problem": "p", "solver": "s", "learning_rate": 0.1, "repeat": 0, "stage": stage, "gap": 0.1, "objective": 1.0}
    named |= {"timing": "alone" if stage == "timed" else "shared", "status": "budget", "seed": range(len(costs))}
    named |= {f"{cost}_to_1e-1": costs for cost in metrics.WHOLE_RUN} | dict.fromkeys(metrics.WHOLE_RUN.values(), 50.0)
    made = pd.DataFrame(named | more)
    return made.assign(run_id=[f"{stage} {made.problem[0]} {made.solver[0]} {i}" for i in range(len(made))])


def results_of(*frames):
    runs = pd.concat(frames, ignore_index=True)
    return Results(None, runs, None, {}, {"targets": (1e-1,), "tuning": "time"}, len(runs), len(runs))


def test_art_counts_what_misses_cost():
    found = statistics.intervals(results_of(frame("tuning", [10.0, math.inf, 20.0])), "epochs").iloc[0]
    assert (found["successes"], found["runs"], found["art"]) == (2, 3, 40.0)
    lost = statistics.intervals(results_of(frame("tuning", [math.inf] * 3)), "updates").iloc[0]
    assert lost["art"] == math.inf


def test_only_what_was_timed_alone_has_seconds():
    own = [frame("tuning", [10.0, 20.0]), frame("timed", [5.0, 6.0])]
    walk = frame("tuning", [30.0, 40.0], problem="landscape")
    for cost, expected in (("epochs", {"p": 5.5, "landscape": 35.0}), ("seconds", {"p": 5.5, "landscape": math.nan})):
        found = statistics.intervals(results_of(*own, walk), cost).set_index("problem")
        np.testing.assert_equal(found["value"].to_dict(), expected)
        np.testing.assert_equal(found["art"].to_dict(), expected)
    before = statistics.intervals(results_of(own[0], walk), "seconds")
    assert before[["value", "low", "high", "art"]].isna().all(axis=None)
