"""What a fit predicts goes through the loss's link; a problem brings its own objective along."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.metrics import r2_score

import gdbench as gd

RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 3))
COUNTS = RNG.poisson(np.exp(X @ [0.8, -0.5, 0.2] + 0.3)).astype(float)
FAST = {"variant": "batch", "epochs": 300, "learning_rate": 0.1}


class Poisson(NamedTuple):
    """e^z − yz: the negative log-likelihood of a count whose mean is e^z."""

    domain = "real"
    link = "log"
    smoothness = None

    def value(self, z, y):
        return math.exp(z) - y * z

    def derivative(self, z, y):
        return math.exp(z) - y

    def curvature(self, z, y):
        return math.exp(z)


class Squared(Poisson):
    """The same with a link of its own: the mean is z²."""

    def inverse_link(self, z):
        return z**2


def test_a_loss_with_a_link_is_scored_by_the_means_that_it_predicts(tmp_path):
    np.savez(tmp_path / "counts.npz", X=X, y=COUNTS)
    problem = gd.load_problem(str(tmp_path / "counts.npz"), loss=Poisson(), preprocessing="none", task="regression")
    w = problem.optimum.w[0]
    for split, rows, y in (("train", problem.X, problem.y), ("test", problem.X_test, problem.y_test)):
        means = np.exp(rows @ w[:-1] + w[-1])
        assert problem.metric(w[:-1], w[-1], split) == pytest.approx(r2_score(y, means), rel=1e-12)
    assert problem.metric(w[:-1], w[-1], "train") > 0.3
    # the margins themselves are no means
    assert r2_score(problem.y, problem.X @ w[:-1] + w[-1]) < 0.0


def test_a_fit_predicts_means():
    fit = gd.fit(X, COUNTS, loss=Poisson(), **FAST)
    z = X @ fit.coef + fit.intercept
    np.testing.assert_allclose(fit.predict(X), np.exp(z), rtol=1e-12)
    np.testing.assert_allclose(fit.predict(csr_matrix(X)), np.exp(z), rtol=1e-12)
    assert fit.score(X, COUNTS) == pytest.approx(r2_score(COUNTS, np.exp(z)), rel=1e-12)
    assert gd.fit(X, COUNTS, **FAST).predict(X[:2].tolist()).shape == (2,)
    own = gd.fit(X, COUNTS, loss=Squared(), **FAST)
    np.testing.assert_allclose(own.predict(X), (X @ own.coef + own.intercept) ** 2, rtol=1e-12)


@pytest.mark.parametrize("options", [{"loss": "log_loss"}, {"loss": "cross_entropy"}, {"loss": "hinge", "model": "mlp"}])
def test_a_fit_predicts_labels(options):
    y = np.where(X[:, 0] > 0.1, "yes", "no")
    fit = gd.fit(X, y, **options, **FAST)
    assert set(fit.predict(X)) <= {"yes", "no"}
    assert fit.score(X, y) == np.mean(fit.predict(X) == y)
    assert fit.score(X, y) > 0.85


def test_each_lane_of_a_sweep_predicts():
    sweep = gd.sweep(X, COUNTS, learning_rates=[0.01, 0.1], variant="batch", epochs=20)
    for fit in sweep.fits:
        np.testing.assert_allclose(fit.predict(X), X @ fit.coef + fit.intercept, rtol=1e-12)


def test_what_does_not_fit_the_fit_is_one_line():
    fit = gd.fit(X, COUNTS, **FAST)
    with pytest.raises(gd.GdbenchError, match="X has 2 columns, but the fit was made with 3"):
        fit.predict(X[:, :2])
    with pytest.raises(gd.GdbenchError, match=r"X has 200 rows, but y has the shape \(3,\)"):
        fit.score(X, [1, 2, 3])
    with pytest.raises(gd.GdbenchError, match="X must have two dimensions"):
        fit.predict(X[0])


class Cubic(Poisson):
    link = "cubic"


def test_an_unknown_link_names_the_known_ones():
    fit = gd.fit(X, COUNTS, loss=Cubic(), **FAST)
    with pytest.raises(gd.GdbenchError, match="unknown link 'cubic'; choose from: identity, log, logit, or define inverse_link"):
        fit.predict(X)


# Losses with a link --------------------------------------------------------------------------------------------------

AMOUNTS = RNG.gamma(2.0, np.exp(X @ [0.4, -0.3, 0.1]) / 2.0)
WITH_ZEROS = np.where(RNG.random(200) < 0.4, 0.0, AMOUNTS)


@pytest.mark.parametrize(
    ("loss", "theirs", "y"),
    [
        ("poisson", PoissonRegressor, COUNTS),
        ("gamma", GammaRegressor, AMOUNTS),
        (gd.losses.Tweedie(1.3), partial(TweedieRegressor, power=1.3, link="log"), WITH_ZEROS),
        ("tweedie", partial(TweedieRegressor, power=1.5, link="log"), WITH_ZEROS),
    ],
    ids=["poisson", "gamma", "tweedie 1.3", "tweedie"],
)
def test_the_optimum_of_a_generalised_linear_model_is_scikit_learn_s(tmp_path, loss, theirs, y):
    np.savez(tmp_path / "data.npz", X=X, y=y)
    words = {"loss": loss, "penalty": "l2", "alpha": 0.05, "preprocessing": "none", "test_fraction": 0.0}
    problem = gd.load_problem(str(tmp_path / "data.npz"), **words)
    np.testing.assert_array_equal(problem.y, y)
    w = problem.optimum.w[0]
    model = theirs(alpha=0.05, solver="newton-cholesky", tol=1e-10).fit(X, y)
    np.testing.assert_allclose(w, np.append(model.coef_, model.intercept_), rtol=1e-7, atol=1e-7)
    fit = gd.fit(problem, optimizer="nesterov", variant="batch", learning_rate=0.1, epochs=3000)
    np.testing.assert_allclose(fit.coef, model.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(fit.predict(X), model.predict(X), rtol=1e-6)
    assert fit.deviance_explained(X, y) == pytest.approx(model.score(X, y), rel=1e-6)
    assert fit.score(X, y) == pytest.approx(r2_score(y, model.predict(X)), rel=1e-5)


def test_deviance_explained_of_squared_error_is_the_share_of_variance():
    fit = gd.fit(X, COUNTS, **FAST)
    assert fit.deviance_explained(X, COUNTS) == pytest.approx(fit.score(X, COUNTS), rel=1e-12)
    with pytest.raises(gd.GdbenchError, match="deviance explained is of a loss on numbers"):
        gd.fit(X, COUNTS > 0, loss="log_loss", **FAST).deviance_explained(X, COUNTS)


def test_a_csv_of_counts_is_read_as_it_is(tmp_path, capsys):
    y = np.minimum(COUNTS, 3)  # few values: another loss takes them for classes
    lines = ["a,b,c,events", *(",".join(map(str, (*row, int(count)))) for row, count in zip(X, y, strict=True))]
    (tmp_path / "events.csv").write_text("\n".join(lines))
    problem = gd.load_problem(str(tmp_path / "events.csv"), loss="poisson", target="events")
    assert problem.dataset.task == "regression" and set(problem.y) == {0.0, 1.0, 2.0, 3.0}
    assert problem.optimum.gradient_norm < 1e-10
    assert gd.load_problem(str(tmp_path / "events.csv"), target="events").dataset.task == "multiclass"


@pytest.mark.parametrize(("loss", "y", "told"), [("poisson", -1.0, "≥ 0"), ("tweedie", -0.5, "≥ 0"), ("gamma", 0.0, "> 0")])
def test_a_target_outside_of_the_domain_is_one_line(loss, y, told):
    target = np.append(np.ones(199), y)
    with pytest.raises(gd.GdbenchError, match=f"loss {loss} needs a target {told}, but y holds {y:g} in row 199"):
        gd.fit(X, target, loss=loss, **FAST)
    with pytest.raises(gd.GdbenchError, match=f"loss {loss} needs a target {told}"):
        gd.GDRegressor(loss=loss).fit(X, target)


def test_an_estimator_learns_counts():
    model = gd.GDRegressor(loss="poisson", alpha=0.0, max_iter=300, tol=None, random_state=0).fit(X, COUNTS)
    assert model.score(X, COUNTS) > 0.3 and (model.predict(X) > 0).all()


# A problem's own objective --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [{"penalty": "l2", "alpha": 0.01}, {"loss": "squared_hinge", "fit_intercept": False}])
def test_a_problem_is_fitted_with_its_own_objective(words):
    problem = gd.load_problem("breast_cancer", **words)
    found = gd.fit(problem, **FAST)
    tags = {"loss": problem.loss, "penalty": problem.penalty, "fit_intercept": problem.fit_intercept}
    expected = gd.fit(problem.X, problem.y, **tags, **FAST)
    np.testing.assert_array_equal(found.coef, expected.coef)
    assert found.objective == expected.objective
    sweep = gd.sweep(problem, learning_rates=[0.1, 0.2], variant="batch", epochs=300)
    np.testing.assert_allclose(sweep.coef[0], expected.coef, rtol=1e-9, atol=1e-12)


def test_a_fitted_problem_ends_at_its_certified_optimum():
    problem = gd.load_problem("breast_cancer", penalty="l2", alpha=0.1)
    fit = gd.fit(problem, variant="batch", learning_rate="backtracking", epochs=2000)
    assert fit.objective == pytest.approx(problem.optimum.value, rel=1e-6)


@pytest.mark.parametrize(
    ("words", "name"), [({"y": [1]}, "y"), ({"loss": "hinge"}, "loss"), ({"alpha": 1.0}, "alpha"), ({"penalty": "l2"}, "penalty")]
)
def test_what_a_problem_has_of_its_own_is_no_option(words, name):
    with pytest.raises(gd.GdbenchError, match=f"the problem iris has its own {name}: give {name} to load_problem instead"):
        gd.fit(gd.load_problem("iris"), **words)


def test_a_missing_target_is_one_line():
    with pytest.raises(gd.GdbenchError, match="y is missing: give X and y, or a problem"):
        gd.fit(X)
