"""Networks in a suite: the model is an axis of the problems, and gaps count from the best value known."""

import numpy as np
import pytest

from gdbench.errors import GdbenchError
from gdbench.solve.descent import BLOW_UP
from gdbench.suite import plan, run_suite, spec

SUITE = """
seeds = 2
targets = [1e-1, 1e-2]
learning_rates = [0.01, 0.1, 1e9]
baselines = ["sklearn"]
budget = { epochs = 8, record = 10 }
[[problems]]
data = "diabetes"
[[problems]]
data = "diabetes"
model = { name = "mlp", hidden = 4 }
[[problems]]
data = "iris"
model = "mlp"
[[solvers]]
variant = ["stochastic", "mini-batch"]
optimizer = ["gd", "adam"]
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "networks.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture(scope="module")
def results(path, tmp_path_factory):
    return run_suite(path, tmp_path_factory.mktemp("results") / "out")


def of(results, problem):
    return results.runs[results.runs["problem"] == problem]


def curves_of(results, runs):
    return results.curves[results.curves["run_id"].astype(str).isin(runs["run_id"])]


def test_networks_run_beside_linear_models(results):
    runs = results.runs
    assert dict(runs.groupby("problem")["model"].first()) == {"diabetes": "linear", "diabetes mlp": "mlp", "iris mlp": "mlp"}
    assert not (runs["status"] == "failed").any()
    assert set(runs.loc[runs["model"] == "mlp", "backend"]) == {"gdbench"}
    assert of(results, "iris mlp")["test_metric"].max() > 0.9
    assert of(results, "diabetes mlp")["test_metric"].max() > 0.3


@pytest.mark.parametrize("problem", ["diabetes mlp", "iris mlp"])
def test_gaps_count_from_the_best_value_that_a_run_found(results, problem):
    runs = of(results, problem)
    points = curves_of(results, runs)
    best = points["objective"][np.isfinite(points["objective"])].min()
    assert (runs["optimum"] == best).all()
    assert runs["note"].str.contains("not convex: gaps count from the best value").all()
    usable = runs[runs["objective"] < BLOW_UP]
    np.testing.assert_allclose(usable["gap"], usable["objective"] - best)
    np.testing.assert_allclose(usable["relative_gap"], usable["gap"] / (usable["objective_start"] - best))
    assert points["gap"].min() == 0
    hits = results.hits[(results.hits.problem == problem) & results.hits.solver.isin(runs["solver"])]
    assert hits.reached.any()
    assert set(hits.miss[~hits.reached]) == {"missed"}
    assert not (runs["status"] == "converged").any()


def test_a_linear_model_beside_keeps_its_certified_optimum(results):
    runs = of(results, "diabetes")
    assert runs["optimum"].nunique() == 1
    assert (runs["note"] == "").all()


def test_the_rate_that_was_timed_is_the_one_that_was_counted(results):
    chosen = results.reported.groupby(["problem", "solver"]).learning_rate.unique()
    timed = results.timed.groupby(["problem", "solver"]).learning_rate.unique()
    assert len(timed)
    assert all(len(rates) == 1 for rates in chosen)
    assert (timed.str[0] == chosen.str[0].loc[timed.index]).all()


def test_a_suite_that_goes_on_does_nothing_again(results, path):
    again = run_suite(path, results.folder)
    np.testing.assert_array_equal(again.runs["relative_gap"], results.runs["relative_gap"])


def keys(**problem):
    table = {
        "problems": [{"data": "diabetes"} | problem],
        "solvers": [{}],
        "learning_rates": [0.1],
        "seeds": 1,
        "tuning_seeds": 1,
    }
    made = plan.make(spec.check(table, path=spec.Path("networks.toml")))
    return {run.run_id for work in made.passes for run in work.runs}


def test_each_model_has_its_own_runs():
    models = ["linear", "mlp", {"name": "mlp", "hidden": 4}, {"name": "mlp", "activation": "relu"}]
    assert len(set().union(*(keys(model=model) for model in models))) == len(models)
    assert keys(model="mlp") == keys(model={"name": "mlp", "hidden": 32})


@pytest.mark.parametrize(
    ("problem", "solver", "message"),
    [
        ({"model": "mpl"}, {}, r"problems\[0\].model: unknown model 'mpl'; did you mean 'mlp'"),
        ({"model": "mlp", "data": None, "landscape": "sphere"}, {}, "a landscape has no model"),
        ({"model": {"name": "mlp", "units": 3}}, {}, "unknown field of model mlp 'units'; choose from: hidden"),
        ({"model": {"name": "mlp", "hidden": 0}}, {}, "hidden must lie in"),
        ({"model": "mlp"}, {"variant": "stochastic", "optimizer": "saga"}, "optimizer saga needs model='linear'"),
        ({"model": "mlp", "data": "flights-onehot"}, {}, "model MLP needs dense rows"),
    ],
)
def test_what_cannot_be_a_network_is_said_while_planning(problem, solver, message):
    with pytest.raises(GdbenchError, match=message):
        plan.make(spec.check({"problems": [{"data": "diabetes"} | problem], "solvers": [solver]}, spec.Path("a.toml")))


def test_a_network_needs_no_certified_optimum():
    assert keys(model="mlp", penalty="l1", alpha=0.01)
