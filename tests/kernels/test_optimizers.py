"""The update rules of the brief against one line of NumPy each; plain Python against compiled code."""

from typing import NamedTuple

import numpy as np
import pytest

import gdbench as gd
from gdbench.kernels import optimizers
from gdbench.kernels.optimizers import loop_form
from gdbench.parity.against_python import walked

RNG = np.random.default_rng(3)
STEPS, D, RATE = 40, 3, 0.05
START = RNG.normal(size=D)
GRADIENTS = RNG.normal(size=(STEPS, D))


def momentum(w, s, g, t):
    s["v"] = 0.9 * s["v"] + g
    return w - RATE * s["v"]


def nesterov(w, s, g, t):
    s["v"] = 0.9 * s["v"] + g
    return w - RATE * (g + 0.9 * s["v"])


def adagrad(w, s, g, t):
    s["v"] = s["v"] + g**2
    return w - RATE * g / np.sqrt(s["v"])


def rmsprop(w, s, g, t):
    s["v"] = 0.9 * s["v"] + 0.1 * g**2
    return w - RATE * g / np.sqrt(s["v"])


def adam(w, s, g, t):
    s["m"], s["v"] = 0.9 * s["m"] + 0.1 * g, 0.999 * s["v"] + 0.001 * g**2
    return w - RATE * (s["m"] / (1 - 0.9**t)) / (np.sqrt(s["v"] / (1 - 0.999**t)) + 1e-8)


BRIEF = {
    "gd": lambda w, s, g, t: w - RATE * g,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
}
#: The brief divides by a bare root; a field keeps 0 ⁄ 0 away.
WITHOUT_EPS = {"adagrad": {"eps": 0.0}, "rmsprop": {"eps": 0.0}}


@pytest.mark.parametrize("name", BRIEF)
def test_the_brief_in_one_line(name):
    w, state, path = START, {"m": np.zeros(D), "v": np.zeros(D)}, [START]
    for t, g in enumerate(GRADIENTS, start=1):
        w = BRIEF[name](w, state, g, t)
        path.append(w)
    rule = optimizers.registry.make(name, **WITHOUT_EPS.get(name, {}))
    np.testing.assert_allclose(gd.replay(rule, START, GRADIENTS, RATE), path, rtol=1e-13)


#: For the rules that find a rate of their own.
RATES = dict.fromkeys(("dog", "dowg", "dadaptadam", "prodigy", "mechanic"), 1.0) | {"lars": 1.0}


@pytest.mark.parametrize("name", optimizers.registry.names())
def test_every_rule_is_plain_python_and_descends(name):
    """The bodies, called as they are, from Python: they keep their slots, and lower ½w² from 1."""
    rule = loop_form(optimizers.registry.make(name))
    path = walked(rule, [1.0], lambda t, w: (0.5 * w[0] * w[0], w), [RATES.get(name, 0.02)] * 400)
    assert abs(path[-1, 0]) < 0.95 or name == "adadelta"  # whose own steps begin at 10⁻³


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_compiled_is_plain_python(name):
    rule = optimizers.registry.make(name)
    w, state, path = START[0], (0.0,) * len(rule.slots), [START[0]]
    for t, g in enumerate(GRADIENTS[:, 0], start=1):
        w, state = rule.step(w, g, state, RATE, float(t))
        path.append(w)
    np.testing.assert_allclose(gd.replay(rule, START[:1], GRADIENTS[:, :1], RATE)[:, 0], path, rtol=1e-13)


def test_a_schedule_acts_on_every_step():
    path = gd.replay("gd", [0.0], np.ones((4, 1)), gd.schedules.InvScaling(0.5, power_t=1.0))
    np.testing.assert_allclose(np.diff(path[:, 0]), [-1 / 2, -1 / 4, -1 / 6, -1 / 8], rtol=1e-14)


def test_clipping_by_norm_sees_the_whole_gradient():
    rule = optimizers.registry.make("clipped", norm=1.0)
    path = gd.replay(rule, [0.0, 0.0], [[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], 1.0)
    np.testing.assert_allclose(np.diff(path, axis=0), [[-0.6, -0.8], [-0.3, -0.4], [0.0, 0.0]], atol=1e-15)


def test_a_rule_that_looks_at_the_function_is_told_its_values():
    with pytest.raises(gd.GdbenchError, match="optimizer sps looks at the function's value: give values, one for each gradient"):
        gd.replay("sps", [1.0], [[1.0]], 1.0)
    with pytest.raises(gd.GdbenchError, match=r"values must have shape \(1,\), not \(2,\)"):
        gd.replay("sps", [1.0], [[1.0]], 1.0, values=[1.0, 2.0])
    np.testing.assert_allclose(gd.replay("sps", [2.0], [[2.0]], 10.0, values=[2.0]).ravel(), [2.0, 1.0])
    assert gd.minimize("parabola", [3.0], "sps", learning_rate=10.0, steps=60, tol=1e-7).status == "converged"


X = RNG.normal(size=(40, D))
Y = X @ [1.0, -2.0, 0.5]
Averaged, Clipped, SAGA = optimizers.Averaged, optimizers.Clipped, optimizers.SAGA


def fitted(optimizer, **more):
    options = {"variant": "stochastic", "epochs": 2, "learning_rate": 0.05} | more
    return gd.fit(X, Y, optimizer=optimizer, **options)


def mean_of_iterates(optimizer, steps):
    """The mean weights after each of so many steps, a fit for each."""
    one = {"variant": "batch", "fit_intercept": False}
    return np.mean([fitted(optimizer, epochs=t, **one).coef for t in range(1, steps + 1)], axis=0)


@pytest.mark.parametrize("inner", [Clipped(norm=0.01), Clipped(value=0.01)])
def test_an_average_is_of_the_clipped_iterates(inner):
    found = fitted(Averaged(inner), variant="batch", epochs=4, fit_intercept=False)
    np.testing.assert_allclose(found.coef, mean_of_iterates(inner, 4), rtol=1e-12)
    assert np.abs(found.coef).max() < 0.01  # four steps of 0.05 · 0.01 at most


@pytest.mark.parametrize("outer", [Averaged("saga"), SAGA(Averaged())], ids=str)
def test_an_average_is_of_the_iterates_of_a_rule_with_a_memory(outer):
    assert optimizers.registry.make(outer).estimator == "saga"
    found = fitted(outer)
    assert found.n_updates == 80
    assert not np.array_equal(found.coef, fitted("averaged").coef)
    assert not np.array_equal(found.coef, fitted("saga").coef)
    np.testing.assert_array_equal(found.coef, fitted(Averaged(SAGA())).coef)


def test_what_is_wrapped_is_taken_by_name_and_may_keep_a_state():
    rule = optimizers.registry.make(SAGA(rule="momentum"))
    assert rule.rule == optimizers.Momentum() and rule.slots == ("velocity",)
    assert np.isfinite(fitted(rule, learning_rate=0.001).coef).all()


def test_clipping_reports_what_the_wrapped_rule_reports():
    np.testing.assert_array_equal(fitted(Clipped(Averaged(), norm=0.1)).coef, fitted(Averaged(Clipped(norm=0.1))).coef)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Averaged(Clipped(Averaged())), "averaged cannot wrap averaged: both average the iterates"),
        (Clipped(Clipped(norm=1.0), value=1.0), "clipped cannot wrap clipped: both clip the gradient"),
        (SAGA("sag"), "saga cannot wrap sag: both estimate the gradient"),
        (SAGA(Clipped(norm=1.0)), "saga steps before it knows the whole gradient, at which clipped looks: clip by value"),
        (Clipped("svrg", norm=1.0), "svrg steps before it knows the whole gradient, at which clipped looks: clip by value"),
        (SAGA("dog"), "saga steps before it knows the whole gradient, at which dog looks$"),
        (Clipped("lars", norm=1.0), "clipped cannot wrap lars: both look at the whole model; clip by value, not by norm"),
        (Averaged(optimizers.Mechanic("prodigy")), "mechanic cannot wrap prodigy: both look at the whole model$"),
        (optimizers.Cautious("averaged"), "cautious cannot wrap averaged, which averages: wrap the other way round"),
        ("rprop", "rprop compares gradients of all rows: it needs variant='batch', or a batch_size of 40, not of 1"),
    ],
    ids=str,
)
def test_what_cannot_be_nested_is_said(rule, message):
    with pytest.raises(gd.GdbenchError, match=message):
        fitted(rule)


def test_an_average_starts_at_the_weights():
    model = gd.MLP(hidden=3)
    starts = [fitted(rule, model=model).curve["objective"].iloc[0] for rule in ("gd", "averaged")]
    assert starts[0] == starts[1]


def test_a_rule_with_too_many_slots_is_refused():
    class Hoarder(NamedTuple):
        slots = tuple("abcdefgh")

        def step(self, w, g, state, rate, t):
            return w - rate * g, state

    assert np.isfinite(fitted(Hoarder()).coef).all()
    with pytest.raises(gd.GdbenchError, match="optimizer averaged keeps 9 slots: at most 8 are supported"):
        fitted(Averaged(Hoarder()))
