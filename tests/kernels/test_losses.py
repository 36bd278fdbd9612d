"""Losses, from the registry: values by hand, derivatives against differences, margins of ±1000."""

import math

import numpy as np
import pytest

from gdbench.kernels import losses
from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.losses.one_vs_rest import OneVsRest

NAMES = losses.registry.names()
TAGS = {name: losses.registry.make(name) for name in NAMES}
TARGETS = {"real": (-1.7, 0.0, 3.0), "count": (0.0, 1.0, 4.0), "positive": (0.3, 2.5), "sign": (-1.0, 1.0), "class": (0.0, 1.0)}
PAIRS = [pytest.param(tag, y, id=f"{name}-{y:g}") for name, tag in TAGS.items() for y in TARGETS[tag.domain]]

#: loss, z, y, value, derivative; ε is 0.1 and q ½ by default.
BY_HAND = [
    ("squared_error", 3.0, 1.0, 2.0, 2.0),
    ("huber", 1.05, 1.0, 0.00125, 0.05),
    ("huber", 3.0, 1.0, 0.1 * 2 - 0.005, 0.1),
    ("huber", -3.0, 1.0, 0.1 * 4 - 0.005, -0.1),
    ("epsilon_insensitive", 1.05, 1.0, 0.0, 0.0),
    ("epsilon_insensitive", 3.0, 1.0, 1.9, 1.0),
    ("epsilon_insensitive", -1.0, 1.0, 1.9, -1.0),
    ("squared_epsilon_insensitive", 3.0, 1.0, 3.61, 3.8),
    ("squared_epsilon_insensitive", -1.0, 1.0, 3.61, -3.8),
    ("squared_epsilon_insensitive", 0.95, 1.0, 0.0, 0.0),
    ("pinball", 3.0, 1.0, 1.0, 0.5),
    ("pinball", -1.0, 1.0, 1.0, -0.5),
    ("pinball", 1.0, 1.0, 0.0, 0.0),
    ("log_loss", 0.0, 1.0, math.log(2), -0.5),
    ("log_loss", 2.0, 1.0, 0.1269280110429726, -0.11920292202211755),
    ("log_loss", 2.0, -1.0, 2.1269280110429727, 0.8807970779778823),
    ("hinge", 0.25, 1.0, 0.75, -1.0),
    ("hinge", 2.0, 1.0, 0.0, 0.0),
    ("hinge", 2.0, -1.0, 3.0, 1.0),
    ("squared_hinge", 0.25, 1.0, 0.5625, -1.5),
    ("squared_hinge", 2.0, 1.0, 0.0, 0.0),
    ("modified_huber", 0.25, 1.0, 0.5625, -1.5),
    ("modified_huber", -3.0, 1.0, 12.0, -4.0),
    ("modified_huber", 3.0, 1.0, 0.0, 0.0),
    ("perceptron", -2.0, 1.0, 2.0, -1.0),
    ("perceptron", 2.0, 1.0, 0.0, 0.0),
    ("smoothed_pinball", 3.0, 1.0, 1.0, 0.5),
    ("smoothed_pinball", -1.0, 1.0, 1.0, -0.5),
    ("smoothed_pinball", 1.05, 1.0, 0.05**2 / 0.4 + 0.025, 0.25),
    ("log_cosh", 3.0, 1.0, math.log(math.cosh(2.0)), math.tanh(2.0)),
    ("log_cosh", 1.0, 1.0, 0.0, 0.0),
    ("exponential", 2.0, 1.0, math.exp(-2.0), -math.exp(-2.0)),
    ("exponential", 0.5, -1.0, math.exp(0.5), math.exp(0.5)),
    ("poisson", 0.0, 0.0, 1.0, 1.0),
    ("poisson", math.log(2.0), 3.0, 2.0 - 3.0 * math.log(2.0) + 3.0 * math.log(3.0) - 3.0, -1.0),
    ("gamma", math.log(2.0), 3.0, math.log(2.0) + 1.5 - math.log(3.0) - 1.0, -0.5),
    ("tweedie", math.log(4.0), 0.0, 4.0, 2.0),
    ("tweedie", math.log(4.0), 1.0, 4.0 + 1.0 - 4.0, 1.5),
    ("cross_entropy", 0.0, 1.0, math.log(2), -0.5),
    ("cross_entropy", 2.0, 1.0, 0.1269280110429726, -0.11920292202211755),
    ("cross_entropy", 2.0, 0.0, 2.1269280110429727, 0.8807970779778823),
]


@pytest.mark.parametrize(("name", "z", "y", "value", "derivative"), BY_HAND)
def test_by_hand(name, z, y, value, derivative):
    assert TAGS[name].value(z, y) == pytest.approx(value, rel=1e-14, abs=1e-15)
    assert TAGS[name].derivative(z, y) == pytest.approx(derivative, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie"])
def test_a_deviance_is_zero_where_the_mean_is_the_target(name):
    for y in (0.2, 1.0, 7.0):
        assert TAGS[name].value(math.log(y), y) == pytest.approx(0.0, abs=1e-14)
        assert TAGS[name].derivative(math.log(y), y) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("power", [1.2, 1.9])
def test_the_deviances_are_scikit_learn_s(power):
    from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance, mean_tweedie_deviance

    z, y = np.array([-1.0, 0.3, 1.7]), np.array([0.4, 3.0, 2.0])
    tweedie = losses.registry.make("tweedie", power=power)
    assert np.mean([TAGS["poisson"].value(*pair) for pair in zip(z, y, strict=True)]) == pytest.approx(
        mean_poisson_deviance(y, np.exp(z)) / 2
    )
    assert np.mean([TAGS["gamma"].value(*pair) for pair in zip(z, y, strict=True)]) == pytest.approx(
        mean_gamma_deviance(y, np.exp(z)) / 2
    )
    expected = mean_tweedie_deviance(y, np.exp(z), power=power) / 2
    assert np.mean([tweedie.value(*pair) for pair in zip(z, y, strict=True)]) == pytest.approx(expected)


def test_every_loss_is_done_by_hand():
    assert {name for name, *_ in BY_HAND} == set(NAMES)


@pytest.mark.parametrize(("tag", "y"), PAIRS)
def test_derivative_is_that_of_the_value(tag, y):
    for z in np.random.default_rng(0).uniform(-4, 4, 40):  # a kink is hit with probability 0
        slope = (tag.value(z + 1e-6, y) - tag.value(z - 1e-6, y)) / 2e-6
        assert tag.derivative(z, y) == pytest.approx(slope, abs=1e-7 * max(1.0, abs(slope)))


@pytest.mark.parametrize(("tag", "y"), [pair for pair in PAIRS if hasattr(pair.values[0], "curvature")])
def test_curvature_is_that_of_the_derivative(tag, y):
    for z in np.random.default_rng(1).uniform(-4, 4, 40):
        bend = (tag.derivative(z + 1e-6, y) - tag.derivative(z - 1e-6, y)) / 2e-6
        assert tag.curvature(z, y) == pytest.approx(bend, abs=1e-7 * max(1.0, abs(bend)))
        assert tag.smoothness is None or tag.curvature(z, y) <= tag.smoothness


@pytest.mark.parametrize(("tag", "y"), PAIRS)
def test_convex_and_never_negative(tag, y):
    z = np.linspace(-30, 30, 241)
    values = np.array([tag.value(float(point), y) for point in z])
    assert (values >= -1e-15).all()
    assert (values[1:-1] <= (values[:-2] + values[2:]) / 2 + 1e-12).all()


@kernel
def value_and_derivative(loss, z, y, out):
    for i in range(z.size):
        out[0, i] = losses.value(loss, z[i], y)
        out[1, i] = losses.derivative(loss, z[i], y)


@pytest.mark.parametrize("name", NAMES)
def test_compiled_is_plain_python_and_finite_at_large_margins(name):
    tag = TAGS[name]
    z = np.r_[-1000.0, -40.0, np.linspace(-3, 3, 25), 40.0, 1000.0]
    for y in TARGETS[tag.domain]:
        out = np.empty((2, z.size))
        value_and_derivative(tag, z, y, out)
        plain = [[tag.value(float(point), y) for point in z], [tag.derivative(float(point), y) for point in z]]
        assert np.isfinite(out).all() and np.isfinite(plain).all()
        np.testing.assert_allclose(out, plain, rtol=1e-13, atol=1e-15)
        assert abs(out[0, 0] - out[0, -1]) > 400 if tag.domain in ("sign", "class") else out[0].max() > 9


def test_softmax_by_hand():
    tag, z = TAGS["cross_entropy"], np.array([9.0, 1.0, 2.0, 3.0])  # the group of three begins at 1
    weights = np.exp([1.0, 2.0, 3.0])
    c = np.full(4, np.nan)
    assert tag.value_group(z, 1.0, 1, 3) == pytest.approx(math.log(weights.sum()) - 2.0)
    tag.derive_group(z, 1.0, c, 1, 3)
    np.testing.assert_allclose(c[1:], weights / weights.sum() - [0, 1, 0], rtol=1e-14)
    assert np.isnan(c[0])


@pytest.mark.parametrize("z", [[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1001.0], [1000.0, 1000.0, 1000.0]])
def test_softmax_of_large_margins_is_finite(z):
    tag, z = TAGS["cross_entropy"], np.array(z)
    for y in (0.0, 1.0, 2.0):
        c = np.empty(3)
        tag.derive_group(z, y, c, 0, 3)
        assert np.isfinite(tag.value_group(z, y, 0, 3)) and np.isfinite(c).all()
        assert c.sum() == pytest.approx(0.0, abs=1e-15)


def test_softmax_of_two_classes_is_the_logistic_loss():
    tag, log_loss = TAGS["cross_entropy"], TAGS["log_loss"]
    for z in (-3.0, 0.0, 0.7):
        margins = np.array([0.0, z])
        assert tag.value_group(margins, 1.0, 0, 2) == pytest.approx(log_loss.value(z, 1.0), rel=1e-14)
        assert tag.value(z, 1.0) == pytest.approx(log_loss.value(z, 1.0), rel=1e-14)


def test_one_against_the_rest_is_a_loss_for_each_class():
    tag = OneVsRest(losses.Hinge())
    z, c = np.array([-9.0, 0.5, -2.0, 0.25]), np.full(4, np.nan)  # the group of three begins at 1
    assert tag.value_group(z, 2.0, 1, 3) == pytest.approx(1.5 + 0.0 + 0.75)
    tag.derive_group(z, 2.0, c, 1, 3)
    assert c[1:].tolist() == [1.0, 0.0, -1.0] and np.isnan(c[0])
