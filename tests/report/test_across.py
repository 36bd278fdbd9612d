import numpy as np
import pytest
import synthetic

from gdbench.analysis import across, ranks, speed
from gdbench.report import words


@pytest.fixture(scope="module")
def over(shown):
    return across.build(shown)


def test_a_profile_starts_with_the_share_of_first_places(over):
    first = sum(line.share[0] for line in over.profile)
    assert first == pytest.approx(1.0)
    for line in over.profile:
        assert (np.diff(line.share) >= 0).all()
        assert ((line.share >= 0) & (line.share <= 1)).all()


def test_a_distribution_ends_at_the_share_that_was_reached(over, shown, tables):
    hits = tables[2]
    for line in over.distribution:
        mine = [hits[(hits.problem == name) & (hits.solver == one.solver)] for name, one in line.who.on.items()]
        reached = np.mean([(rows.role == "report") & rows.reached for rows in mine for rows in [rows[rows.role == "report"]]])
        assert line.share[-1] == pytest.approx(reached)


def test_ranks_follow_the_costs(over):
    for places, costs in zip(over.ranks.ranks.T, over.ranks.costs.T, strict=True):
        order = np.argsort(costs, kind="stable")
        assert (np.diff(places[order]) >= 0).all()
        assert places.sum() == pytest.approx(len(places) * (len(places) + 1) / 2)
    assert (np.diff(over.ranks.mean) >= 0).all()


def test_steps_show_the_trade_off(over, shown, tables):
    steps = next(s for s in over.steps["flights"] if s.solver.optimizer == "gd")
    assert steps.rows.tolist() == [1, 32, synthetic.ROWS]
    runs = tables[0]
    timed = runs[(runs.problem == "flights") & (runs.solver == "batch gd") & (runs.stage == "timed")]
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
    assert ranks._contestant((True, "scikit-learn"), both).label == "scikit-learn"
    assert ranks._contestant((True, "estimators"), both).label == "gdbench.estimators"
    assert ranks._contestant((True, "scikit-learn"), {"a": flights.solvers[0]}).label == flights.solvers[0].label


def test_what_is_not_comparable_is_ranked_nowhere(over):
    assert not any(one.baseline for one in over.ranks.who)  # its softmax is another objective
    assert over.own is None


def test_each_optimizer_is_ranked_in_its_best_variant_on_each_problem(over, shown):
    for i, one in enumerate(over.ranks.who):
        for j, problem in enumerate(over.ranks.problems):
            every = [problem.cost(solver).value for solver in problem.solvers if solver.optimizer == one.optimizer]
            assert over.ranks.costs[i, j] == min(every)


def test_statistics_over_problems_are_given_with_and_without_baselines(shown):
    from dataclasses import replace

    found = across.build(replace(shown, problems=shown.problems[:1]))
    assert any(one.baseline for one in found.ranks.who)
    assert not any(one.baseline for one in found.own.who)
