"""What must hold whatever the data: variants, options and kinds of data that are the same thing by definition.

Every test keeps its types and options fixed, so that each kernel is compiled once.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

import gdbench as gd

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=15)


def problem(seed, n=12, d=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ rng.standard_normal(d) + rng.standard_normal(n)


def weights(fit):
    return np.append(fit.coef, fit.intercept)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * max(1.0, np.abs(b).max()))


@FEW
@given(SEEDS)
def test_batch_is_mini_batch_of_all_rows(seed):
    X, y = problem(seed)
    batch = gd.fit(X, y, variant="batch", epochs=20, learning_rate=0.05)
    mini = gd.fit(X, y, variant="mini-batch", batch_size=len(y), shuffle="none", epochs=20, learning_rate=0.05)
    np.testing.assert_array_equal(weights(batch), weights(mini))


@FEW
@given(SEEDS)
def test_stochastic_is_mini_batch_of_one_row(seed):
    X, y = problem(seed)
    one = gd.fit(X, y, variant="stochastic", epochs=5, seed=3)
    mini = gd.fit(X, y, variant="mini-batch", batch_size=1, epochs=5, seed=3)
    np.testing.assert_array_equal(weights(one), weights(mini))


@FEW
@given(SEEDS)
def test_momentum_without_memory_is_plain_descent(seed):
    g = np.random.default_rng(seed).standard_normal((30, 4))
    close(gd.replay(gd.optimizers.Momentum(beta=0.0), np.ones(4), g, 0.1), gd.replay("gd", np.ones(4), g, 0.1))


@FEW
@given(SEEDS)
def test_adamw_without_decay_is_adam(seed):
    g = np.random.default_rng(seed).standard_normal((30, 4))
    close(gd.replay(gd.optimizers.AdamW(weight_decay=0.0), np.ones(4), g, 0.1), gd.replay("adam", np.ones(4), g, 0.1))


@FEW
@given(SEEDS, st.permutations(range(3)))
def test_permuted_columns_permute_the_weights(seed, order):
    X, y = problem(seed)
    fit = gd.fit(X, y, variant="batch", epochs=20, learning_rate=0.05)
    other = gd.fit(np.ascontiguousarray(X[:, order]), y, variant="batch", epochs=20, learning_rate=0.05)
    close(other.coef, fit.coef[list(order)])
    close(other.intercept, fit.intercept)


@FEW
@given(SEEDS, st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_weighted_rows_are_repeated_rows(seed, times):
    X, y = problem(seed)
    fit = gd.fit(X, y, sample_weight=np.array(times, float), variant="batch", epochs=20, learning_rate=0.05)
    other = gd.fit(np.repeat(X, times, axis=0), np.repeat(y, times), variant="batch", epochs=20, learning_rate=0.05)
    close(weights(other), weights(fit))
    assert other.objective == pytest.approx(fit.objective, rel=1e-12)


@FEW
@given(SEEDS)
def test_sparse_rows_are_dense_rows(seed):
    X, y = problem(seed)
    X *= np.random.default_rng(seed).random(X.shape) < 0.5
    options = {"variant": "stochastic", "penalty": "l2", "alpha": 0.01, "epochs": 5}
    close(weights(gd.fit(csr_matrix(X), y, **options)), weights(gd.fit(X, y, **options)))


@FEW
@given(SEEDS, st.floats(1.02, 3.0))
def test_least_squares_diverges_beyond_two_over_l_and_not_below(seed, beyond):
    X, y = problem(seed)
    edge = 2 / np.linalg.eigvalsh(X.T @ X / len(y)).max()
    options = {"variant": "batch", "fit_intercept": False}
    # the steepest direction grows by 2·beyond − 1 a step, from as little as a rounding error of y in it
    assert gd.fit(X, y, epochs=2000, learning_rate=edge * beyond, **options).status == "diverged"
    below = gd.fit(X, y, epochs=2000, learning_rate=edge * 0.98, **options)
    assert below.status == "budget"
    assert np.all(np.diff(below.curve["objective"]) <= 1e-12)


@FEW
@given(SEEDS)
def test_batch_descent_reaches_the_least_squares_solution(seed):
    X, y = problem(seed)
    A = np.column_stack([X, np.ones(len(y))])
    best, *_ = np.linalg.lstsq(A, y, rcond=None)
    curvature = np.linalg.eigvalsh(A.T @ A / len(y))
    steps = int(np.ceil(40 * curvature.max() / curvature.min())) + 100
    fit = gd.fit(X, y, variant="batch", learning_rate=1 / curvature.max(), epochs=min(steps, 200_000))
    optimum = 0.5 * np.mean((A @ best - y) ** 2)
    assert -1e-12 <= fit.objective - optimum <= 1e-8
