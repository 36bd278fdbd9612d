"""Other descents beside gdbench's loops, in one suite."""

import numpy as np
import pytest

import gdbench as gd
from gdbench.baselines import estimators, sklearn
from gdbench.kernels import losses
from gdbench.suite import run_suite

SUITE = """
seeds = 2
targets = [1e-1, 1e-2]
learning_rates = [0.01, 1e12]
repeats = 1
baselines = ["sklearn", "estimators"]
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
