import math

import numpy as np
import pandas as pd
import pytest

from gdbench.suite import metrics, tuning
from gdbench.suite.execute import CURVE, costs_to_targets, target_label
from gdbench.suite.results import Results


def curve(gaps):
    points = np.zeros((len(gaps), len(CURVE)))
    points[:, 0], points[:, 2] = 5 * np.arange(len(gaps)), 10 * np.arange(len(gaps))
    points[:, 1] = np.arange(len(gaps))
    points[:, 3] = 0.5 * np.arange(len(gaps))
    points[:, 5] = gaps
    return points


def test_costs_to_targets():
    found = costs_to_targets(curve([2.0, 1.0, 0.1, 0.3, 0.002]), (1e-1, 1e-3, 1e-4), "budget")
    assert found["epochs_to_1e-1"] == 2  # 0.1 ≤ 0.1·2, at the first such point
    assert found["samples_to_1e-3"] == 40
    assert found["updates_to_1e-3"] == 20
    assert found["seconds_to_1e-3"] == 2.0
    assert found["updates_to_1e-4"] == math.inf
    assert math.isnan(costs_to_targets(curve([2.0, 1.0]), (1e-1,), "budget", comparable=False)["epochs_to_1e-1"])


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_whoever_is_lost_later_has_reached_nothing(status):
    found = costs_to_targets(curve([2.0, 0.1, 1e9]), (1e-1,), status)
    assert set(found.values()) == {math.inf}


@pytest.mark.parametrize(("target", "label"), [(1e-3, "1e-3"), (0.1, "1e-1"), (0.05, "5e-2"), (2.5e-12, "2.5e-12")])
def test_target_labels(target, label):
    assert target_label(target) == label


def row(rate, cost, gap, status="budget", seed=0):
    return {
        "learning_rate": rate,
        "samples_to_1e-2": cost,
        "samples_to_1e-1": cost / 2,
        "gap": gap,
        "status": status,
        "seed": seed,
    }


@pytest.mark.parametrize(
    ("rows", "rule", "rate", "target"),
    [
        ([row(0.1, 50, 1e-3), row(0.2, 40, 1e-2)], "time", 0.2, 1e-2),
        ([row(0.1, 50, 1e-3), row(0.2, 40, 1e-2)], "gap", 0.1, None),
        ([row(0.1, math.inf, 0.5), row(0.2, math.inf, 0.3)], "time", 0.2, None),
        ([row(0.1, 50, 1e-3), row(0.2, 40, math.inf, "diverged")], "time", 0.1, 1e-2),
        ([row(0.1, 50, math.nan, "diverged"), row(0.2, 40, math.inf, "failed")], "time", None, None),
        ([row(0.1, 50, 0.2), row(0.2, 50, 0.1)], "time", 0.2, 1e-2),
        ([row(0.1, math.nan, 0.2), row(0.2, math.nan, 0.1)], "time", 0.2, None),
    ],
)
def test_the_declared_rule(rows, rule, rate, target):
    assert tuning.choose(rows, (1e-1, 1e-2), rule) == tuning.Choice(rate, target, 2)


def test_one_lucky_seed_of_three_does_not_decide():
    rows = [row(0.1, cost, 1e-3, seed=s) for s, cost in enumerate((60, 60, 60))]
    rows += [row(0.2, cost, 1e-3, seed=s) for s, cost in enumerate((10, math.inf, math.inf))]
    assert tuning.choose(rows, (1e-1, 1e-2)).learning_rate == 0.1


def frame(**columns):
    made = pd.DataFrame(columns)
    for name, value in {
        "problem": "p",
        "solver": "s",
        "backend": "gdbench",
        "stage": "tuning",
        "timing": "shared",
        "repeat": 0,
    }.items():
        if name not in made:
            made[name] = value
    made["run_id"] = [str(i) for i in range(len(made))]
    return made


def results_of(runs, curves=None, targets=(1e-1,)):
    return Results(
        None, runs, curves, {"read_bandwidth_gb_s": 10.0}, {"targets": targets, "tuning": "time"}, len(runs), len(runs)
    )


def test_robustness_is_the_unbroken_stretch_around_the_best():
    costs = [30.0, 10.0, 18.0, 100.0, 15.0]
    rates = [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    runs = frame(learning_rate=rates, status="budget", relative_gap=0.01, **{"epochs_to_1e-1": costs, "samples_to_1e-1": costs})
    found = metrics.robustness(results_of(runs)).iloc[0]
    assert (found["best_rate"], found["low_rate"], found["high_rate"]) == (1e-3, 1e-3, 1e-2)
    assert found["decades"] == pytest.approx(1.0)


def test_clock_noise_is_the_ratio_of_identical_runs():
    runs = frame(
        learning_rate=[0.1] * 4,
        seed=[0, 0, 1, 1],
        repeat=[0, 1, 0, 0],
        seconds=[1.0, 1.2, 5.0, 6.0],
        n_samples=[10] * 4,
    ).assign(stage="timed")
    runs.loc[3, "solver"] = "t"
    found = metrics.clock_noise(results_of(runs)).iloc[0]
    assert found["pairs"] == 1
    assert found["factor"] == pytest.approx(1.2)


def circling(status):
    runs = frame(learning_rate=[0.1] * 2, seed=[0, 1], status=status, gap=0.1, schedule="constant", n_samples=[10, 10])
    curves = pd.DataFrame({"run_id": pd.Categorical(["0"] * 4), "samples": [0, 4, 6, 10], "gap": [2.0, 1.0, 0.4, 0.2]})
    return results_of(runs.assign(objective_start=3.0, optimum=1.0), curves)


def test_the_noise_floor_is_the_median_over_the_last_half():
    found = metrics.noise_floor(circling(["budget", "converged"]))
    assert found["run_id"].tolist() == ["0"]
    assert found["floor"].tolist() == [pytest.approx(0.3 / 2)]


def test_without_a_run_that_circles_there_is_no_noise_floor():
    found = metrics.noise_floor(circling(["converged", "diverged"]))
    assert len(found) == 0
    assert found["floor"].dtype == float


def test_spread_does_not_average_infinities():
    assert metrics.spread([1.0, 2.0, math.inf]) == (1.0, 2.0, math.inf)
    assert metrics.spread([1.0, 2.0]) == (1.0, 1.5, 2.0)
    assert metrics.spread([1.0, math.inf]) == (1.0, math.inf, math.inf)
    assert metrics.spread([4.0, 2.0, 1.0, 3.0])[1] == 2.5
    assert all(map(math.isnan, metrics.spread([])))
    assert all(map(math.isnan, metrics.spread([math.nan, 1.0])))


def test_summary_of_real_results(results):
    found = metrics.summary(results)
    assert len(found) == 2 * (4 + 1)
    assert not found.duplicated(["problem", "solver"]).any()
    own = found[found["backend"] == "gdbench"]
    assert (own["timing"] == "alone").all()
    assert (own["n_rates"] == 3).all()
    assert (own["seeds"] == 2).all()
    assert (own["epochs_to_1e-1_low"] <= own["epochs_to_1e-1"]).all()
    assert own["epochs_to_1e-1"].le(own["epochs_to_1e-2"]).all()
    assert own["divergence"].between(0, 1).all()
    adam = own[(own["problem"] == "diabetes") & (own["optimizer"] == "adam") & (own["variant"] == "mini-batch")].iloc[0]
    assert np.isfinite(adam["seconds_to_1e-1"])


def test_every_table_can_be_made_of_real_results(results):
    assert len(metrics.to_target(results.runs, results.targets)) == len(results.runs) * 3
    assert metrics.sensitivity(results)["diverged"].between(0, 1).all()
    assert metrics.divergence(results)["diverged"].sum() == (results.tuning["status"] == "diverged").sum()
    assert (metrics.noise_floor(results)["floor"].dropna() >= 0).all()
    assert (metrics.clock_noise(results)["factor"] >= 1).all()
    assert (metrics.bandwidth(results)["share"] > 0).all()
    assert set(metrics.best_rates(results)["rule"]) == {"time"}
