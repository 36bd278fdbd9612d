"""A user's own optimizer, loss and landscape, each written in one cell, in fit, sweep, minimize and replay."""

import math
from typing import NamedTuple

import numba
import numpy as np
import pytest

import gdbench as gd

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 3))
Y = X @ [1.0, -2.0, 0.5]
ROWS = {"variant": "stochastic", "epochs": 3, "record": 3, "learning_rate": 0.05}


class SignDescent(NamedTuple):
    """w ← w − α·sign(g)·s."""

    scale: float = 1.0

    slots = ()
    limits = {"scale": "(0, inf)"}  # noqa: RUF012

    def step(self, w, g, state, rate, t):
        return w - rate * self.scale * math.copysign(1.0, g), state


class LogCosh(NamedTuple):
    """log cosh(z − y)."""

    name = "log_cosh"
    domain = "real"
    link = "identity"
    smoothness = 1.0

    def value(self, z, y):
        return math.log(math.cosh(z - y))

    def derivative(self, z, y):
        return math.tanh(z - y)


class Bowl(NamedTuple):
    """x⁴ + y²."""

    dimension = 2
    start = (1.0, 1.0)

    def value(self, x):
        return x[0] ** 4 + x[1] ** 2

    def gradient(self, x, g):
        g[0] = 4 * x[0] ** 3
        g[1] = 2 * x[1]

    def minima(self, d):
        return [(np.zeros(2), 0.0)]


@pytest.fixture(scope="module", autouse=True)
def registered():
    """As a cell with @gd.optimizers.register does it; taken back for the tests that follow."""
    registries = [gd.optimizers.registry, gd.losses.registry, gd.landscapes.registry]
    before = [dict(registry._members) for registry in registries]
    for registry, own in zip(registries, (SignDescent, LogCosh, Bowl), strict=True):
        assert registry.register(own) is own
    yield
    for registry, members in zip(registries, before, strict=True):
        registry._members = members


def by_hand():
    """Stochastic sign descent on log cosh, in row order."""
    w = np.zeros(4)
    for _ in range(3):
        for row, y in zip(X, Y, strict=True):
            g = math.tanh(w[:3] @ row + w[3] - y) * np.append(row, 1.0)
            w -= 0.05 * 0.5 * np.sign(g)
    return w


def test_fit_takes_them_by_name_and_as_tags():
    expected = by_hand()
    named = gd.fit(X, Y, optimizer=SignDescent(0.5), loss="log_cosh", shuffle="none", **ROWS)
    np.testing.assert_allclose([*named.coef, named.intercept], expected, rtol=1e-12)
    assert named.objective == pytest.approx(np.log(np.cosh(X @ named.coef + named.intercept - Y)).mean(), rel=1e-12)
    tagged = gd.fit(X, Y, optimizer=SignDescent(scale=np.float32(0.5)), loss=LogCosh(), shuffle="none", **ROWS)
    np.testing.assert_array_equal(tagged.coef, named.coef)


def test_sweep_takes_them():
    options = ROWS | {"optimizer": "signdescent", "loss": LogCosh}
    rates = [0.05, 0.01]
    sweep = gd.sweep(X, Y, learning_rates=rates, **options)
    for lane, rate in enumerate(rates):
        alone = gd.fit(X, Y, **(options | {"learning_rate": rate}))
        np.testing.assert_allclose(sweep.coef[lane], alone.coef, rtol=1e-12, atol=1e-14)


def test_minimize_and_replay_take_them():
    path = gd.minimize("bowl", optimizer="signdescent", learning_rate=0.25, steps=3, scale=0.5)
    np.testing.assert_allclose(path.x, np.repeat([[1.0], [0.875], [0.75], [0.625]], 2, axis=1))
    np.testing.assert_allclose(path.value, path.x[:, 0] ** 4 + path.x[:, 1] ** 2)
    assert gd.minimize(Bowl(), [0.0, 1e-9], steps=10).reached == "global minimum at (0, 0)"
    np.testing.assert_allclose(gd.replay(SignDescent(), [1.0], [[3.0], [-2.0]], 0.5).ravel(), [1.0, 0.5, 1.0])


def test_their_mistakes_are_answered_in_one_line():
    with pytest.raises(gd.GdbenchError, match=r"scale must lie in \(0, inf\)"):
        gd.replay(SignDescent(-1.0), [1.0], [[1.0]], 0.1)
    with pytest.raises(gd.GdbenchError, match="has 2 dimensions, but x0 has 3"):
        gd.minimize("bowl", [1.0, 2.0, 3.0])
    with pytest.raises(gd.GdbenchError, match="Nothing is no loss: it has no method value"):
        gd.losses.register(NamedTuple("Nothing", []))


@pytest.mark.parametrize("jitted", [False, True])
def test_a_landscape_of_two_functions(jitted):
    def value(x):
        return (x[0] - 3.0) ** 2

    def gradient(x):
        return 2.0 * (x - 3.0)

    wrap = numba.njit if jitted else lambda function: function
    path = gd.minimize(gd.Landscape(value=wrap(value), gradient=wrap(gradient)), [0.0], "momentum", 0.05, steps=400)
    assert path.status == "converged" and path.reached == "minimum at (3)"
    expected = gd.replay("momentum", [0.0], path.gradient[:-1], 0.05)
    np.testing.assert_array_equal(path.x, expected)


def test_their_names_are_listed():
    assert "signdescent" in gd.optimizers.registry.names()
    assert "log_cosh" in gd.losses.registry.names() and "bowl" in gd.landscapes.registry.names()
