"""The loops beneath a fit: each owns its state, and each storage follows the same formula."""

import gc
import math
import weakref

import numpy as np
import pytest
from scipy import sparse

import gdbench as gd
from gdbench.kernels import optimizers
from gdbench.kernels.loops import LOOPS
from gdbench.kernels.loops.base import arrays_of, copy_of
from gdbench.kernels.registry import in_dtype
from gdbench.solve.descent import Descent
from gdbench.tasks.inputs import make_task
from gdbench.tasks.setting import settle

N, D = 60, 24

#: For each loop a setting, beside the shape of the rows, that it runs.
SERVED = {
    "RowsWithMemory": {"optimizer": "svrg"},
    "ShortRows": {},
    "PairedLanes": {"learning_rates": np.geomspace(1e-3, 1e-2, 16)},
    "PlainRows": {"learning_rates": [1e-3, 2e-3]},
    "Rows": {"optimizer": "momentum"},
    "ScaledRows": {"penalty": "l2", "alpha": 0.1, "sparse": True},
    "LazyRows": {"optimizer": "momentum", "sparse": True},
    "Batches": {"optimizer": "adam", "sparse": True},
}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D)) * (rng.random((N, D)) < 0.3)
    return X, X @ rng.standard_normal(D)


def descent(rows, *, sparse=False, **options):
    X, y = rows
    setting = settle(variant="stochastic", **({"learning_rate": 0.01} | options))
    return Descent(make_task(as_csr(X) if sparse else X, y, setting, None)[0], setting)


as_csr = sparse.csr_array


def test_each_loop_serves_a_descent():
    assert [loop.__name__ for loop in LOOPS] == list(SERVED)


@pytest.mark.parametrize("name", SERVED)
def test_what_is_taken_back_and_what_is_looked_at_changes_no_bit(rows, name):
    """Recording, and the steps that warm the caches, leave the state as it was; a copied state goes on as the original."""
    with np.errstate(all="ignore"):
        plain, looked = (descent(rows, **SERVED[name]) for _ in range(2))
        if type(plain.loop).__name__ == "PlainRows" and name == "ShortRows":
            pytest.skip("rows of this length fit in no registers here")
        assert type(plain.loop).__name__ == name
        plain.advance(2 * N + 7)
        for step in (1, 10, N, N + 5, 2 * N + 7):
            before = copy_of(looked.state)
            looked.evaluate(), looked.warm_up(), looked.loop.progress(looked.state)
            for array, values in zip(arrays_of(looked.state), arrays_of(before), strict=True):
                np.testing.assert_array_equal(array, values)
            looked.state = before
            looked.advance(step)
    np.testing.assert_array_equal(looked.weights(), plain.weights())
    assert np.abs(plain.weights()).max() > 1e-3


@pytest.mark.parametrize("strength", [0.5, 1.0, 1.5, 3.0])
def test_l2_shrinks_by_one_less_rate_times_alpha_whatever_its_sign(rows, strength):
    X, y = rows[0], 1e-3 * rows[1]
    rate = 0.1
    w, b = np.zeros(D), 0.0
    for x, target in zip(X, y, strict=True):
        slope = x @ w + b - target
        w, b = (1 - strength) * w - rate * slope * x, b - rate * slope
    for data in (X, as_csr(X)):
        fitted = gd.fit(
            data,
            y,
            penalty="l2",
            alpha=strength / rate,
            learning_rate=rate,
            epochs=1,
            variant="stochastic",
            shuffle="none",
            record=2,
        )
        np.testing.assert_allclose(fitted.coef, w, rtol=0, atol=1e-10 * np.abs(w).max())
        np.testing.assert_allclose(fitted.intercept, b, rtol=0, atol=1e-10 * np.abs(w).max())


def test_backtracking_on_a_zero_gradient_stays_where_it_is(rows):
    X, _ = rows
    fitted = gd.fit(X, np.zeros(N), variant="batch", learning_rate="backtracking", epochs=1100)
    assert (fitted.status, fitted.reason) == ("converged", "the gradient is zero")
    search = descent((X, np.zeros(N)))  # the step length itself, beyond where a fit ends
    search = Descent(search.task, settle(variant="batch", learning_rate="backtracking", epochs=1100))
    search.compile()
    search.advance(1100)
    assert np.isfinite(search.search.lengths).all() and np.isfinite(search.weights()).all()


def test_a_descent_is_freed_without_the_garbage_collector(rows):
    """Its task may hold a copy of X."""
    for options in ({}, {"learning_rate": "adaptive"}, {"optimizer": "momentum", "sparse": True}):
        gone = descent(rows, **options)
        searching = Descent(gone.task, settle(variant="batch", learning_rate="backtracking"))
        held = weakref.ref(gone), weakref.ref(searching)
        gc.disable()
        try:
            del gone, searching
            assert [ref() for ref in held] == [None, None]
        finally:
            gc.enable()


def test_lion_shows_what_is_not_a_number():
    place = gd.Landscape(value=lambda x: x @ x, gradient=lambda x: np.full(1, math.nan))
    path = gd.minimize(place, [1.0], optimizer="lion", learning_rate=0.1, steps=3)
    assert np.isnan(path.x[1:]).all() and path.status == "diverged"


IDLE = [0, 1, 2, 3, 7, 50]
CLOSED = [cls for cls in optimizers.registry if hasattr(in_dtype(cls(), np.dtype(float)), "settle")] + [optimizers.RMSprop]


@pytest.mark.parametrize("idle", IDLE)
@pytest.mark.parametrize("cls", CLOSED, ids=lambda cls: cls.__name__)
def test_a_closed_form_is_the_steps_that_it_stands_for(cls, idle):
    """Idle steps of the rule itself, in plain Python: off by one, a power of β is missing."""
    rule = cls(beta=0.7) if "beta" in cls._fields else cls()
    rule = rule.form() if hasattr(rule, "form") else rule
    w, state = 0.8, tuple(0.3 + 0.1 * slot for slot in range(len(rule.slots)))
    left, kept = rule.settle(w, state, 0.05, idle)
    for step in range(idle):
        w, state = rule.step(w, 0.0, state, 0.05, 2.0 + step)
    np.testing.assert_allclose([left, *kept], [w, *state], rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("idle", IDLE)
@pytest.mark.parametrize("strength", [0.5, 1.0, 3.0])
def test_the_scale_is_the_steps_that_it_stands_for(idle, strength):
    """A weight that a row touches once, and then so many steps of l2 without a gradient."""
    X = np.zeros((idle + 1, 2))
    X[0, 0], X[1:, 1] = 1.0, 1.0
    rate = 0.25
    fitted = gd.fit(
        as_csr(X),
        np.r_[1.0, np.zeros(idle)],
        penalty="l2",
        alpha=strength / rate,
        learning_rate=rate,
        epochs=1,
        variant="stochastic",
        shuffle="none",
        record=2,
        fit_intercept=False,
    )
    assert fitted.coef[0] == pytest.approx(rate * (1 - strength) ** idle, rel=1e-12)


@pytest.mark.parametrize("optimizer", ["gd", "sag", "adam"])
def test_a_descent_may_go_further_than_its_budget(optimizer):
    """Each step needs a rate: without one it would not be taken, or would read beyond the rates."""
    x, y = np.linspace(-1, 1, 24).reshape(8, 3), np.arange(8.0)
    ends = []
    for epochs in (2, 40):
        setting = settle(optimizer=optimizer, variant="stochastic", learning_rate=0.01, epochs=epochs)
        descent = Descent(make_task(x, y, setting)[0], setting)
        descent.advance(40 * len(y))
        ends.append(descent.weights())
    np.testing.assert_array_equal(*ends)
