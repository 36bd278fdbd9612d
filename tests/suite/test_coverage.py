"""What intervals and the clock's spread promise, by simulation: they hold as often as they say."""

import numpy as np
import pandas as pd

from gdbench.analysis import uncertainty, verdicts
from gdbench.analysis.hits import Hits
from gdbench.suite import plan, spec


def identical_pairs(number, rng):
    """Hits of solvers that were timed twice, on a clock whose noise is lognormal."""
    rows = {"problem": "p", "solver": np.arange(number).astype(str), "role": "report", "miss": "", "reached": True, "seed": 0}
    clocks = np.exp(0.1 * rng.standard_normal((2, number)))
    return pd.DataFrame(rows | {"target": 0.1, "step_seconds": clocks[0], "step_seconds_again": clocks[1]})


def test_the_spread_of_a_clock_holds_nine_of_ten_pairs_of_identical_runs():
    rng = np.random.default_rng(0)
    hits = Hits(identical_pairs(1000, rng))
    fresh = np.exp(0.1 * rng.standard_normal((2, 20_000)))
    within = np.maximum(fresh[0] / fresh[1], fresh[1] / fresh[0]) <= 1 + hits.clock_spread("p", "seconds")
    assert 0.87 < within.mean() < 0.93
    assert len(hits.clock_pairs("p", "seconds")) == 1000


def test_an_interval_of_the_median_holds_it_nineteen_times_of_twenty():
    rng = np.random.default_rng(1)
    for seeds in (6, 9, 25):
        ends = np.array([uncertainty.interval(np.exp(rng.standard_normal(seeds))) for _ in range(1000)])
        inside = (ends[:, 0] <= 1.0) & (ends[:, 1] >= 1.0)  # the median of a lognormal
        assert 0.935 < inside.mean() <= 1.0


def test_the_seeds_of_quickstart_that_agree_decide_on_the_pairs_of_each_problem():
    """Each further solver asks for more evidence: with three more, thirteen seeds of one mind decided nothing."""
    made = plan.make(spec.load("quickstart"))
    groups = {}
    for work in made.passes:
        groups.setdefault(work.case.name, set()).add(work.group)
    for name, solvers in groups.items():
        (case,) = {work.case for work in made.passes if work.case.name == name}
        seeds = len(made.spec.seeds[: case.budget.seeds])
        decides = verdicts.e_value(seeds, seeds) >= verdicts.needed(len(solvers) - 1)
        assert decides == (name != "flights"), f"{name}: {seeds} seeds for {len(solvers) - 1} pairs"
