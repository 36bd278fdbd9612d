"""Row orders: permutations, the same for the same seed, and scikit-learn's to the bit."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import SGDRegressor

import gdbench as gd
from gdbench.kernels import order
from gdbench.kernels.compile.jit import kernel

SHUFFLED = ["epoch", "block", "once", "sklearn"]


def epochs(name, n, number, seed=0):
    out = np.empty((number, n), np.int32)
    order.arrange_epochs(order.make(name, seed), np.arange(n, dtype=np.int32), 0, out)
    return out


@pytest.mark.parametrize("n", [1, 2, 5, 255, 256, 257, 1000])
@pytest.mark.parametrize("name", ["none", *SHUFFLED])
def test_each_epoch_is_a_permutation(name, n):
    for rows in epochs(name, n, 3):
        np.testing.assert_array_equal(np.sort(rows), np.arange(n))


@pytest.mark.parametrize("name", [*SHUFFLED, "replacement"])
def test_the_seed_decides(name):
    np.testing.assert_array_equal(epochs(name, 500, 3, seed=7), epochs(name, 500, 3, seed=7))
    assert (epochs(name, 500, 3, seed=7) != epochs(name, 500, 3, seed=8)).any()


@pytest.mark.parametrize("name", [*SHUFFLED, "replacement", "none"])
def test_epochs_one_by_one_are_the_same(name):
    index = np.arange(300, dtype=np.int32)
    for epoch, rows in enumerate(epochs(name, 300, 4, seed=3)):
        order.arrange_epoch(order.make(name, 3), index, epoch)
        np.testing.assert_array_equal(index, rows)


@pytest.mark.parametrize("name", ["epoch", "block", "sklearn", "replacement"])
def test_epochs_differ(name):
    first, second, _ = epochs(name, 600, 3)
    assert (first != second).mean() > 0.9


def test_once_is_kept():
    rows = epochs("once", 600, 3)
    assert (rows == rows[0]).all() and (rows[0] != np.arange(600)).mean() > 0.9


def test_blocks_stay_together():
    rows = epochs("block", 5 * order.BLOCK + 7, 1)[0]
    blocks = rows[: 5 * order.BLOCK].reshape(5, order.BLOCK) // order.BLOCK
    assert (blocks == blocks[:, :1]).all() and sorted(blocks[:, 0]) == list(range(5))
    assert sorted(rows[-7:]) == list(range(5 * order.BLOCK, 5 * order.BLOCK + 7))


@pytest.mark.parametrize("name", ["epoch", "once", "replacement"])
def test_every_row_is_as_likely_everywhere(name):
    """χ² of where rows of ten land, over 4000 seeds: 90 degrees of freedom, so above 160 once in 10⁵ times."""
    rows = np.array([epochs(name, 10, 1, seed)[0] for seed in range(4000)])
    counts = np.array([np.bincount(column, minlength=10) for column in rows.T])
    assert ((counts - 400) ** 2 / 400).sum() < 160


def networks(n, number):
    """So many permutations from the network, which is otherwise for more than `order.NEAR` rows."""
    out = np.empty((number, n), np.int32)
    for rows, seed in zip(out, seeds(number), strict=True):
        network(rows, seed)
    return out


def seeds(number):
    """Well-mixed numbers, as an epoch's are."""
    return np.random.default_rng(5).integers(2**62, size=number).tolist()


@kernel
def network(index, seed):
    order.permute_by_network(index, seed)


@pytest.mark.parametrize("n", [order.NEAR + 1, 181**2, 2 * 181**2, 50_000, 65_537])
def test_more_rows_than_the_cache_holds_are_permuted_anew_each_epoch(n):
    rows = epochs("epoch", n, 3, seed=1)
    for one in rows:
        np.testing.assert_array_equal(np.sort(one), np.arange(n))
    assert (rows[0] != rows[1]).mean() > 0.99 and (rows[1] != rows[2]).mean() > 0.99


@pytest.mark.parametrize("n", [1, 2, 3, 5, 12, 100, 1000, 4097])
def test_the_network_is_one_to_one_on_any_number_of_rows(n):
    for rows in networks(n, 5):
        np.testing.assert_array_equal(np.sort(rows), np.arange(n))


def chi_square(counts):
    """χ² of counts that should be equal, in standard deviations from its mean."""
    expected, degrees = counts.sum() / counts.size, counts.size - 1
    return (((counts - expected) ** 2 / expected).sum() - degrees) / np.sqrt(2 * degrees)


def test_the_network_spreads_rows_evenly_and_parts_neighbours():
    """Over 200 permutations of 40,000 rows; 5 deviations are passed once in 10⁵ times or less."""
    n, cells = 40_000, 16
    rows = networks(n, 200)
    at = np.broadcast_to(np.arange(n), rows.shape)
    pairs = (at, rows), (rows[:, :-1], rows[:, 1:]), (rows[:-1], rows[1:])
    for x, y in (*((x * cells // n, y * cells // n) for x, y in pairs), (at % cells, rows % cells)):
        assert abs(chi_square(np.bincount((x * cells + y).ravel(), minlength=cells**2))) < 5
    steps = np.diff(rows, axis=1)
    assert abs(chi_square(np.bincount((steps % n).ravel() * 64 // n, minlength=64))) < 5
    for neighbours, mean in (((rows == at).sum(), 200), ((np.abs(steps) == 1).sum(), 400)):
        assert abs(neighbours - mean) < 5 * np.sqrt(mean)  # Poisson


def test_the_networks_plain_python_is_the_same():
    compiled, plain = networks(300, 1)[0], np.empty(300, np.int32)
    with np.errstate(over="ignore"):
        order.permute_by_network(plain, *seeds(1))
    np.testing.assert_array_equal(plain, compiled)


def test_replacement_leaves_rows_out():
    distinct = [np.unique(rows).size / 5000 for rows in epochs("replacement", 5000, 4)]
    np.testing.assert_allclose(distinct, 1 - np.exp(-1), atol=0.02)


@pytest.mark.parametrize("name", order.registry.names())
def test_compiled_is_plain_python(name):
    tag = order.make(name, 11)
    index = np.arange(50, dtype=np.int32)
    with np.errstate(over="ignore"):  # the hash and the generator of scikit-learn wrap around
        tag.arrange(index, 0)
    np.testing.assert_array_equal(index, epochs(name, 50, 1, seed=11)[0])


@pytest.mark.parametrize("schedule", ["constant", "invscaling"])
def test_scikit_learns_order_is_exact(schedule):
    X, y = load_diabetes(return_X_y=True)
    X = X / X.std(axis=0)
    shape = {"learning_rate": schedule, "eta0": 0.005, "power_t": 0.25}
    peer = SGDRegressor(penalty=None, max_iter=20, tol=None, random_state=42, **shape).fit(X, y)
    rates = {"constant": 0.005, "invscaling": gd.schedules.InvScaling(0.005, 0.25)}
    ours = gd.fit(X, y, variant="stochastic", shuffle="sklearn", seed=42, epochs=20, learning_rate=rates[schedule])
    np.testing.assert_allclose(ours.coef, peer.coef_, rtol=1e-12)
    assert ours.intercept == pytest.approx(peer.intercept_[0], rel=1e-12)
