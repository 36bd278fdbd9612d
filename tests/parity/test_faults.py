"""Faults planted in the engine, each of which the parity table has to catch: a check that cannot fail shows nothing."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from gdbench.kernels import order
from gdbench.kernels.schedules import Constant
from gdbench.parity import against_numpy, oracle, twins
from gdbench.parity.case import Case, run

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


class EpsMoved(NamedTuple):
    """Adam with ε under the root instead of beside it."""

    beta1: float = BETA1
    beta2: float = BETA2
    eps: float = EPS
    eps_root: float = 0.0
    eps_before_correction: bool = False

    name = "adam"
    slots = ("m", "v")

    def step(self, w, g, state, rate, t):
        m, v = state
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return w - rate * (m / (1 - self.beta1**t)) / math.sqrt(v / (1 - self.beta2**t) + self.eps), (m, v)


class CorrectionOffByOne(NamedTuple):
    """Adam whose bias correction counts steps from 0."""

    beta1: float = BETA1
    beta2: float = BETA2
    eps: float = EPS
    eps_root: float = 0.0
    eps_before_correction: bool = False

    name = "adam"
    slots = ("m", "v")

    def step(self, w, g, state, rate, t):
        m, v = state
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return w - rate * (m / (1 - self.beta1 ** (t + 1))) / (math.sqrt(v / (1 - self.beta2 ** (t + 1))) + self.eps), (m, v)


class MomentumSign(NamedTuple):
    """Momentum that pushes back."""

    beta: float = 0.9
    dampening: float = 0.0

    name = "momentum"
    slots = ("velocity",)

    def step(self, w, g, state, rate, t):
        (v,) = state
        v = g - self.beta * v
        return w - rate * v, (v,)


class OneLate(NamedTuple):
    """scikit-learn's shuffle, one position late: the first row is never moved."""

    seed: int = 0

    name = "sklearn"

    def arrange(self, index, epoch):
        r = np.uint32(max(self.seed, 1))
        n = index.size
        for i in range(1, n - 1):
            r ^= np.uint32(r << np.uint32(13))
            r ^= np.uint32(r >> np.uint32(17))
            r ^= np.uint32(r << np.uint32(5))
            j = i + np.int64(np.uint32(r & np.uint32(0x7FFFFFFF)) % np.uint32(n - i))
            index[i], index[j] = index[j], index[i]


class GradientOff(NamedTuple):
    """Squared error whose derivative is wrong in the ninth digit."""

    name = "squared_error"
    domain = "real"
    link = "identity"
    smoothness = 1.0

    def value(self, z, y):
        return 0.5 * (z - y) * (z - y)

    def derivative(self, z, y):
        return (z - y) * (1 + 1e-9)


def replayed(rule):
    return run(against_numpy.replayed(rule, Constant(0.01)))


def test_a_moved_eps_is_caught():
    row = replayed(EpsMoved())
    assert row.status == "failed"
    assert row.relative > row.tolerance


def test_a_bias_correction_that_is_off_by_one_is_caught():
    assert replayed(CorrectionOffByOne()).status == "failed"


def test_a_wrong_sign_of_momentum_is_caught():
    assert replayed(MomentumSign()).status == "failed"


def test_a_shuffle_one_position_late_is_caught(monkeypatch):
    monkeypatch.setitem(order.registry._members, "sklearn", OneLate)
    (found,) = [case for case in against_numpy.orders() if case.what.startswith("row order sklearn")]
    assert run(found).status == "failed"


def test_a_gradient_off_in_the_ninth_digit_is_caught():
    from gdbench.kernels import optimizers, penalties, schedules

    row = run(
        against_numpy.descent(
            optimizer=optimizers.registry["gd"],
            loss=GradientOff,
            penalty=penalties.registry["none"],
            variant="batch",
            schedule=[type(s) for s in against_numpy.schedules_at(1.0)].index(schedules.Constant),
            shuffle="none",
            fit_intercept=True,
            weighted=False,
        )
    )
    assert row.status == "failed"
    assert 1e-11 < row.relative < 1e-8


def test_the_same_cases_pass_without_a_fault():
    assert run(against_numpy.replayed(oracle_free("adam"), Constant(0.01))).status == "passed"
    assert run(against_numpy.replayed(oracle_free("momentum"), Constant(0.01))).status == "passed"
    assert all(run(case).status == "passed" for case in against_numpy.orders())


def oracle_free(name):
    """gdbench's own rule, whose oracle the faulty ones above were compared with."""
    from gdbench.kernels import optimizers

    assert name in oracle.RULES
    return optimizers.registry.make(name)


def test_a_difference_passes_up_to_the_tolerance_and_not_beyond():
    theirs = np.array([[1.0], [2.0]])

    def row(difference):
        return run(Case("numpy", "1", "a case", "numbers", lambda: theirs * (1 + difference), lambda: theirs, 1e-9, "a reason"))

    assert row(0.9e-9).status == "passed" and row(1.1e-9).status == "failed"


def library(error):
    """Plain descent as a library would run it, its gradients off by a relative error."""

    def at(rate):
        def descend(gradient, x0, steps):
            path = [np.array(x0)]
            for _ in range(steps):
                path.append(path[-1] - rate * (1 + error) * gradient(path[-1]))
            return np.array(path)

        return descend

    return at


@pytest.mark.parametrize(("error", "status"), [(0.0, "passed"), (1e-8, "failed")])
def test_a_library_that_differs_in_the_eighth_digit_is_told_apart(error, status):
    twin = twins.Twin("SGD", oracle_free("gd"), library(error), (0.1, 2e-4))
    assert [run(case).status for case in twins.cases("a library", "1", [twin], quick=False)] == [status, status]
