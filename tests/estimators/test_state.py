"""A descent's whole state: on sparse rows loops put work off, which shows in no result, wherever a fit is interrupted."""

import pickle
import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import SGDRegressor

from gdbench.estimators import GDClassifier, GDRegressor

N, D = 120, 20
RULES = [("gd", "l2"), ("momentum", None), ("rmsprop", None), ("svrg", None)]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D)) * (rng.random((N, D)) < 0.15)
    return X, np.argmax(X @ rng.standard_normal((D, 3)) + 0.1 * rng.standard_normal((N, 3)), axis=1)


def classifier(**options):
    given = {"learning_rate": "constant", "eta0": 0.05, "alpha": 1e-2, "tol": None, "shuffle": False, "random_state": 0}
    return GDClassifier("log_loss", multi_class="multinomial", **(given | options))


def assert_close(found, expected):
    for a, b in ((found.coef_, expected.coef_), (found.intercept_, expected.intercept_)):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10 * np.abs(expected.coef_).max())


@pytest.mark.parametrize(("rule", "penalty"), RULES)
def test_pieces_on_either_storage_are_the_fit_in_one(rows, rule, penalty):
    X, y = rows
    whole = classifier(optimizer=rule, penalty=penalty, max_iter=3).fit(X, y)
    for data in (X, sparse.csr_array(X)):
        model = classifier(optimizer=rule, penalty=penalty)
        for _ in range(3):
            model = pickle.loads(pickle.dumps(model.partial_fit(data, y, classes=[0, 1, 2])))
        assert_close(model, whole)


def test_a_piece_may_be_stored_in_another_way(rows):
    X, y = rows
    one, other = (classifier(optimizer="momentum", penalty=None) for _ in range(2))
    for turn in range(4):
        one.partial_fit(X, y, classes=[0, 1, 2])
        other.partial_fit(X if turn % 2 else sparse.csr_array(X), y, classes=[0, 1, 2])
    assert_close(other, one)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"optimizer": "momentum"}, {"optimizer": "rmsprop"}),  # a velocity is no mean of squares
        ({"optimizer": "adam"}, {"optimizer": "momentum"}),
        ({"optimizer": "momentum", "penalty": None}, {"optimizer": "momentum", "penalty": "l1", "alpha": 0.1}),
        ({"optimizer": "gd", "penalty": "l1", "alpha": 1e-4}, {"optimizer": "gd", "penalty": "l1", "alpha": 0.1}),
    ],
)
def test_options_may_change_between_pieces(rows, before, after):
    """What another rule remembers, or another penalty is owed, begins anew; the weights go on."""
    X, y = rows
    model = classifier(**({"penalty": None} | before)).partial_fit(X, y, classes=[0, 1, 2])
    model.set_params(**after)
    fresh = classifier(**({"penalty": None} | after), max_iter=1)
    fresh.fit(X, y, coef_init=model.coef_.copy(), intercept_init=model.intercept_.copy())
    model.partial_fit(X, y)
    if before["optimizer"] == after["optimizer"] == "momentum":
        assert np.isfinite(model.coef_).all() and not np.array_equal(model.coef_, fresh.coef_)  # the velocity is kept
    else:
        assert_close(model, fresh)


@pytest.mark.parametrize("strength", [0.5, 1.0, 1.5, 3.0])
def test_scikit_learns_own_descent_never_shrinks_below_zero(rows, strength):
    X, y = rows
    given = {"alpha": strength / 0.01, "eta0": 0.01, "learning_rate": "constant", "max_iter": 2, "tol": None, "random_state": 0}
    for data in (X, sparse.csr_array(X)):
        ours, theirs = (cls(**given).fit(data, y) for cls in (GDRegressor, SGDRegressor))
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-12)


def test_the_stopping_rule_sees_the_weights_with_their_scale(rows):
    X, y = rows
    dense, csr = (classifier(tol=1e-3, max_iter=60).fit(data, y) for data in (X, sparse.csr_array(X)))
    assert csr.n_iter_ == dense.n_iter_ < 60
    assert_close(csr, dense)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_idle_steps_are_taken_at_the_rate_of_their_time(rows):
    X, y = rows
    given = {"optimizer": "momentum", "penalty": None, "eta0": 0.2, "max_iter": 5, "tol": 0.5, "n_iter_no_change": 1}
    dense, csr = (classifier(learning_rate="adaptive", **given).fit(data, y) for data in (X, sparse.csr_array(X)))
    assert csr.n_iter_ == dense.n_iter_ == 5
    assert np.abs(dense.coef_ - classifier(**(given | {"tol": None})).fit(X, y).coef_).max() > 0.1  # the rate did fall
    assert_close(csr, dense)


def test_svrg_takes_a_snapshot_of_whatever_rows_a_piece_has(rows):
    """So a piece of other length is the fit that begins at the same weights."""
    X, y = rows
    pieces = classifier(optimizer="svrg", penalty=None).partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    fresh = classifier(optimizer="svrg", penalty=None, max_iter=1)
    fresh.fit(X[50:80], y[50:80], coef_init=pieces.coef_.copy(), intercept_init=pieces.intercept_.copy())
    assert_close(pieces.partial_fit(X[50:80], y[50:80]), fresh)


def test_in_float32_the_l1_charge_does_not_stall():
    """6.5 million steps without a gradient: the weight falls by alpha times the sum of all rates."""
    n, epochs, rate = 65536, 100, 0.1
    alpha = 0.5 / (rate * n * epochs)
    options = {"optimizer": "momentum", "loss": "epsilon_insensitive", "epsilon": 1e6, "penalty": "l1", "fit_intercept": False}
    model = GDRegressor(learning_rate="constant", eta0=rate, alpha=alpha, max_iter=epochs, tol=None, shuffle=False, **options)
    model.fit(np.ones((n, 1), np.float32), np.zeros(n, np.float32), coef_init=np.ones(1, np.float32))
    assert model.coef_.dtype == np.float32
    np.testing.assert_allclose(model.coef_, 0.5, rtol=1e-5)


def test_verbose_prints_the_norm(rows, capsys):
    X, y = rows
    model = classifier(max_iter=1, verbose=1).fit(sparse.csr_array(X), y)
    (norm,) = re.findall(r"Norm: ([\d.]+)", capsys.readouterr().out)
    assert float(norm) == pytest.approx(np.linalg.norm(model.coef_), abs=0.006) and float(norm) > 0.1
