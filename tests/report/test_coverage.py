"""What a comparison's intervals promise, by simulation."""

import numpy as np

from gdbench.report.compare import SAME, interval, judge


def test_an_interval_of_ratios_holds_the_truth_about_nineteen_times_of_twenty():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(150):
        _, low, high = interval(0.1 + 0.3 * rng.standard_normal(20))
        inside.append(low <= np.exp(0.1) <= high)
    assert 0.87 < np.mean(inside) <= 0.99


def test_a_verdict_takes_the_whole_interval():
    ratios = np.array([0.5, 4.0, 0.9, 3.0, 1.1])
    found = judge(np.ones(5), ratios, 1.0, 1.05)
    assert found["ratio"] > 1.05 > found["low"]
    assert found["verdict"] == SAME
