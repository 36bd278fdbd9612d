"""A user's own optimizer, loss and landscape, each written in one cell, in fit, sweep, minimize and replay."""

import math
from typing import NamedTuple

import numba
import numpy as np
import pytest

import gdbench as gd
from gdbench.solve.own import explained

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
    box = ((-2.0, 2.0), (-2.0, 2.0))

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


class Misspelt(NamedTuple):
    """An optimizer that uses a name that nobody defined."""

    slots = ()

    def step(self, w, g, state, rate, t):
        return undefined_name, ()  # noqa: F821


class Forgetful(NamedTuple):
    """An optimizer that gives no state back."""

    slots = ("velocity",)

    def step(self, w, g, state, rate, t):
        return w - rate * g, ()


class Refused(NamedTuple):
    """An optimizer that runs in Python, but is beyond the compiler."""

    slots = ()

    def step(self, w, g, state, rate, t):
        return w - rate * math.fsum([g]), ()


class MisspeltLoss(LogCosh):
    def derivative(self, z, y):
        return undefined_name  # noqa: F821


class MisspeltBowl(Bowl):
    def gradient(self, x, g):
        g[0] = undefined_name  # noqa: F821


NAME_ERROR = "fails: NameError: name 'undefined_name' is not defined"
WAYS = {
    "fit": lambda rule: gd.fit(X, Y, optimizer=rule, **ROWS),
    "sweep": lambda rule: gd.sweep(X, Y, optimizer=rule, learning_rates=[0.1, 0.2], **ROWS),
    "minimize": lambda rule: gd.minimize("parabola", [1.0], rule, steps=2),
    "functions": lambda rule: gd.minimize(gd.Landscape(lambda x: x[0] ** 2, lambda x: 2 * x), [1.0], rule, steps=2),
    "replay": lambda rule: gd.replay(rule, [1.0], [[1.0]], 0.1),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_mistake_in_a_body_is_told_as_python_tells_it(way):
    for rule, told in (
        (Misspelt(), f"your optimizer Misspelt {NAME_ERROR}"),
        (Forgetful(), r"your optimizer Forgetful fails: step must return the new weight and its new state \(velocity,\), not \("),
        (Refused(), r"your optimizer Refused cannot be compiled: Unknown attribute 'fsum' of type Module"),
    ):
        with pytest.raises(gd.GdbenchError, match=f"^{told}") as caught:
            WAYS[way](rule)
        assert "\n" not in str(caught.value)


def test_a_mistake_in_a_loss_or_a_landscape_too():
    with pytest.raises(gd.GdbenchError, match=f"^your loss MisspeltLoss {NAME_ERROR}$"):
        gd.fit(X, Y, loss=MisspeltLoss(), **ROWS)
    with pytest.raises(gd.GdbenchError, match=f"^your landscape MisspeltBowl {NAME_ERROR}$"):
        gd.minimize(MisspeltBowl(), steps=2)


def test_an_error_without_a_body_of_the_users_stays_as_it_is():
    with pytest.raises(ZeroDivisionError), explained(gd.optimizers.registry.make("adam")):
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), explained(SignDescent()):
        raise ZeroDivisionError


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
