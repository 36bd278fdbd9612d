import numpy as np
import pytest
import synthetic

from gdbench.report import across, speed, words


@pytest.fixture(scope="module")
def over(shown):
    return across.build(shown)


def test_a_profile_starts_with_the_share_of_first_places(over):
    first = sum(line.middle[0] for line in over.profile)
    assert first == pytest.approx(1.0)
    for line in over.profile:
        assert (np.diff(line.middle) >= 0).all()
        assert ((line.low <= line.high) & (line.low >= 0) & (line.high <= 1)).all()


def test_a_distribution_ends_at_the_share_that_was_reached(over, shown, tables):
    runs = tables[0][(tables[0].stage == "timed") & (tables[0].repeat == 0)]
    columns = [c for c in runs if c.startswith("seconds_to_")]
    for line in over.distribution:
        if not line.who.baseline:
            solver = next(iter(line.who.on.values())).solver
            mine = runs[runs.solver == solver][columns]
            assert line.middle[-1] == pytest.approx(np.isfinite(mine.to_numpy()).mean())


def test_ranks_follow_the_costs(over):
    for ranks, costs in zip(over.ranks.ranks.T, over.ranks.costs.T, strict=True):
        order = np.argsort(costs, kind="stable")
        assert (np.diff(ranks[order]) >= 0).all()
        assert ranks.sum() == pytest.approx(len(ranks) * (len(ranks) + 1) / 2)
    assert (np.diff(over.ranks.mean) >= 0).all()


def test_steps_show_the_trade_off(over, shown, tables):
    steps = next(s for s in over.steps["flights"] if s.solver.optimizer == "gd")
    assert steps.rows.tolist() == [1, 32, synthetic.ROWS]
    runs = tables[0]
    timed = runs[(runs.problem == "flights") & (runs.solver == "batch gd") & (runs.stage == "timed") & (runs.repeat == 0)]
    assert steps.seconds[-1] == pytest.approx((timed.seconds / timed.n_updates).median())
    said = words.steps(shown.problems[0], over.steps["flights"])
    assert words.amount("seconds", steps.seconds[-1]) in said
    assert words.gap(steps.floor[0]) in said


def test_the_bandwidth_is_that_of_the_timed_runs(over, shown, tables):
    runs = tables[0][tables[0].stage == "timed"]
    paces = (runs.data_bytes * runs.epochs / runs.seconds / 1e9).groupby([runs.problem, runs.solver]).median()
    assert f"{words.significant(paces.max())} GB/s" in words.bandwidth(speed.build(shown, over))


def test_baselines_are_called_by_their_library_where_their_names_differ(shown):
    flights = shown.problems[0]
    both = {"a": flights.solvers[0], "b": flights.solvers[1]}
    assert across.label_of((True, "scikit-learn"), both) == "scikit-learn"
    assert across.label_of((True, "estimators"), both) == "gdbench.estimators"
    assert across.label_of((True, "scikit-learn"), {"a": flights.solvers[0]}) == flights.solvers[0].label
