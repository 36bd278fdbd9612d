"""Other descents beside gdbench's loops, in one suite."""

from types import SimpleNamespace

import numpy as np
import pytest

import gdbench as gd
from gdbench import baselines
from gdbench.baselines import estimators, scipy, sklearn
from gdbench.errors import GdbenchError
from gdbench.kernels import losses
from gdbench.suite import run_suite
from gdbench.suite.vocabulary import NO_RATE

SUITE = """
seeds = 2
targets = [1e-1, 1e-2]
learning_rates = [0.01, 1e12]
repeats = 1
baselines = ["sklearn", "estimators", "scipy"]
budget = { epochs = 5, record = 10 }
problems = [{ data = "diabetes" }, { data = "iris" }]
solvers = [{ variant = "mini-batch", optimizer = "adam" }]
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("baselines")
    (folder / "suite.toml").write_text(SUITE)
    return run_suite(folder / "suite.toml", folder / "out").runs


def of(runs, problem, solver, rate=0.01, stage="tuning"):
    chosen = (runs["problem"] == problem) & (runs["solver"] == solver)
    return runs[chosen & (runs["learning_rate"] == rate) & (runs["stage"] == stage)].set_index("seed")


def test_the_estimators_are_solvers(runs):
    ours = runs[runs["backend"] == "estimators"]
    classifiers = {"GDClassifier", "GDClassifier(gd, batch_size=32)", "GDClassifier(adam, batch_size=32)"}
    assert set(ours.loc[ours["problem"] == "iris", "solver"]) == classifiers
    assert set(ours["problem"]) == {"diabetes", "iris"}
    assert not (ours["status"] == "failed").any()
    usual = ours[ours["learning_rate"] == 0.01]
    assert set(usual["status"]) <= {"budget", "converged"}
    assert (usual["gap"] >= 0).all()  # of the softmax's objective, too
    assert set(zip(ours["stage"], ours["timing"], strict=True)) == {("tuning", "none"), ("report", "none"), ("timed", "alone")}
    assert len(ours[ours["stage"] == "timed"]) == 2 * 3 * 2


def test_the_default_estimator_takes_scikit_learn_s_steps(runs):
    expected, found = of(runs, "diabetes", "SGDRegressor"), of(runs, "diabetes", "GDRegressor")
    np.testing.assert_allclose(found["objective"], expected["objective"], rtol=1e-9)
    np.testing.assert_array_equal(found["n_updates"], expected["n_updates"])


def test_steps_are_counted_in_batches(runs):
    small, large = of(runs, "iris", "GDClassifier"), of(runs, "iris", "GDClassifier(gd, batch_size=32)")
    n = small["n"].iloc[0]
    assert (small["n_updates"] == n * small["epochs"]).all()
    assert (large["n_updates"] == -(-n // 32) * large["epochs"]).all()


def test_what_needs_no_rate_runs_once_and_is_counted_in_evaluations(runs):
    theirs = runs[runs["backend"] == "SciPy"]
    assert set(theirs["learning_rate"]) == {NO_RATE}
    assert not (theirs["status"] == "failed").any()
    assert theirs.groupby(["problem", "solver", "stage"]).size().to_dict() == {
        (problem, solver, stage): count
        for problem in ("diabetes", "iris")
        for solver in ("L-BFGS", "CG", "Newton-CG")
        for stage, count in (("tuning", 1), ("report", 1), ("timed", 2))
    }
    counted = theirs[theirs["stage"] == "report"]
    assert (counted["n_samples"] == counted["n_updates"] * counted["n"]).all()
    assert (counted["n_updates"] <= 5).all()


@pytest.mark.parametrize("label", scipy.METHODS)
@pytest.mark.parametrize("words", [{}, {"loss": "log_loss", "penalty": "l2", "alpha": 0.01}, {"fit_intercept": False}])
def test_a_minimiser_of_scipy_reaches_the_certified_optimum(label, words):
    problem = gd.load_problem("breast_cancer" if "loss" in words else "diabetes", **words)
    (solver,) = [one for one in scipy.solvers(problem) if one.label == label]
    trial = scipy.run(problem, solver, learning_rate=NO_RATE, seed=0, epochs=2000)
    best = min(float(point.objective[0]) for point in trial.outcome.points)
    assert best == pytest.approx(problem.optimum.value, rel=1e-9, abs=1e-12)
    assert trial.outcome.status == ["budget"]
    # of those that end of themselves, the clock takes whole descents until the evaluations are spent
    assert scipy.fit(problem, solver, learning_rate=NO_RATE, seed=0, epochs=300).shape == trial.outcome.w.shape[1:]


def test_scipy_offers_nothing_without_a_gradient():
    assert scipy.solvers(gd.load_problem("breast_cancer", loss="hinge", penalty="l2", alpha=0.01)) == []
    assert scipy.solvers(gd.load_problem("diabetes", penalty="l1", alpha=0.1)) == []


def test_a_minimiser_stops_at_its_goal_and_at_its_last_evaluation():
    problem = gd.load_problem("diabetes")
    (solver, *_) = scipy.solvers(problem)
    start = scipy.run(problem, solver, learning_rate=NO_RATE, seed=0, epochs=1).outcome
    assert len(start.points) == 2 and start.points[0].objective == start.points[1].objective
    goal = problem.optimum.value + 0.1 * (float(start.points[0].objective[0]) - problem.optimum.value)
    found = scipy.run(problem, solver, learning_rate=NO_RATE, seed=0, epochs=100, goal=goal).outcome
    assert found.status == ["converged"]
    assert [float(point.objective[0]) <= goal for point in found.points] == [False] * (len(found.points) - 1) + [True]


def test_an_overflow_is_divergence(runs):
    wild = runs[(runs["learning_rate"] == 1e12) & (runs["backend"] != "gdbench") & (runs["solver"].str.contains("Regressor"))]
    plain = wild[~wild["solver"].str.contains("adam")]
    assert len(plain) == 9
    assert set(plain["status"]) == {"diverged"}


@pytest.mark.parametrize("module", [estimators, sklearn], ids=lambda module: module.__name__.rpartition(".")[2])
def test_an_estimator_is_given_the_problem_s_own_objective(module):
    loss = losses.Huber(epsilon=0.3)
    problem = gd.load_problem("diabetes", loss=loss, penalty="l2", alpha=0.02, fit_intercept=False)
    (solver, *_) = module.solvers(problem)
    made = module.estimator(problem, *([solver] if module is estimators else []), 0.07).get_params()
    wanted = {"loss": "huber", "epsilon": 0.3, "penalty": "l2", "alpha": 0.02, "fit_intercept": False}
    assert {name: made[name] for name in wanted} == wanted
    assert (made["learning_rate"], made["eta0"], made["tol"]) == ("constant", 0.07, None)


PLUGIN = """
import numpy as np

from gdbench import baselines


class LeastSquares:
    name = "exact"

    def versions(self):
        return {"numpy": np.__version__}

    def solvers(self, problem):
        own = (type(problem.loss).__name__, type(problem.penalty).__name__) == ("SquaredError", "NoPenalty")
        return [baselines.Solver("least squares", "batch", None, "lstsq", "constant", "none", needs_rate=False)] if own else []

    def run(self, problem, solver, *, learning_rate, seed, epochs, goal, time_limit):
        return baselines.trial(problem, [self.fit(problem, solver, learning_rate=0, seed=0, epochs=1)], "it is exact")

    def fit(self, problem, solver, *, learning_rate, seed, epochs):
        rows = np.column_stack([problem.X, np.ones(len(problem.y))])
        return np.linalg.lstsq(rows, problem.y, rcond=None)[0]


baselines.register("exact", LeastSquares())
"""


def test_a_plugin_adds_a_baseline_in_one_file(tmp_path):
    (tmp_path / "exact.py").write_text(PLUGIN)
    (tmp_path / "a.toml").write_text(SUITE.replace('"sklearn", "estimators", "scipy"', '"exact"') + 'plugins = ["exact.py"]\n')
    found = run_suite(tmp_path / "a.toml", tmp_path / "out").runs
    exact = found[found["backend"] == "exact"]
    assert set(exact["problem"]) == {"diabetes"}
    assert not (exact["status"] == "failed").any()
    (counted,) = exact[exact["stage"] == "report"].itertuples()
    assert counted.n_samples == counted.n
    assert counted.relative_gap < 1e-12


def test_what_a_baseline_lacks_is_named():
    with pytest.raises(GdbenchError, match=r"the baseline mine lacks versions, solvers, run, fit: help\(gdbench.baselines\)"):
        baselines.register("mine", SimpleNamespace(name="mine"))
    with pytest.raises(GdbenchError, match="the baseline sklearn is gdbench's own"):
        baselines.register("sklearn", sklearn)
