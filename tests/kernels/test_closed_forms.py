"""Closed forms beside the steps that they stand for: what sparse loops put off is what dense loops do."""

import numpy as np
import pytest

from gdbench.kernels import optimizers, penalties
from gdbench.kernels.members import start_of
from gdbench.kernels.optimizers import loop_form
from gdbench.kernels.penalties import shrinkage, shrinkages, with_penalty
from gdbench.kernels.registry import name_of
from gdbench.parity import draws
from gdbench.parity.against_numpy import own


def forms():
    """Each rule that can settle idle steps, or whose leaner form can, at its defaults and twice away from them."""
    for cls in own(optimizers.registry):
        for tag in (cls(), draws.drawn(cls, "idle", 0), draws.drawn(cls, "idle", 1)):
            if hasattr(loop_form(tag), "settle"):
                yield pytest.param(loop_form(tag), id=draws.described(tag))


FORMS = list(forms())


def test_the_rules_with_a_closed_form_are_these():
    """A rule that gains one is compared below; one that loses it would be no longer, in silence."""
    names = {form.id.split("(")[0] for form in FORMS}
    assert {"gd", "momentum", "nesterov", "adagrad", "rmsprop"} <= names


@pytest.mark.parametrize("rule", FORMS)
@pytest.mark.parametrize("idle", [0, 1, 2, 3, 17, 400])
def test_idle_steps_at_once_are_idle_steps_one_by_one(rule, idle):
    rate, w, state, t = 0.07, 1.3, start_of(rule), 1.0
    for g in (0.8, -0.3, 0.45):  # the first steps are never idle: a weight's state has begun
        w, state = rule.step(w, g, state, rate, t)
        t += 1
    settled, remembered = rule.settle(w, state, rate, idle)
    for _ in range(idle):
        w, state = rule.step(w, 0.0, state, rate, t)
        t += 1
    assert settled == pytest.approx(w, rel=1e-13)
    assert len(remembered) == len(rule.slots)
    assert remembered == pytest.approx(state, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("rule", FORMS)
def test_a_weight_that_was_never_touched_stays_where_it_is(rule):
    assert rule.settle(0.0, start_of(rule), 0.07, 9)[0] == 0.0


SMOOTH = [cls for cls in own(penalties.registry) if hasattr(cls, "shrinkage")]


@pytest.mark.parametrize("cls", SMOOTH, ids=name_of)
@pytest.mark.parametrize("rate", [1e-3, 0.5, 4.0])
def test_a_shrinkage_is_the_penalty_s_step_of_plain_descent(cls, rate):
    """Also where rate·α is above 1, and the weight changes its sign."""
    penalty = cls(**dict.fromkeys(cls._fields, 0.4))
    for w in (1.7, -0.6):
        step = optimizers.GD().step(w, with_penalty(penalty, 0.0, w), (), rate, 1.0)[0]
        assert shrinkage(penalty, rate) * w == pytest.approx(step, rel=1e-14)


@pytest.mark.parametrize("cls", SMOOTH, ids=name_of)
def test_the_shrinkages_of_lanes_are_those_of_each(cls):
    penalty, eta = cls(**dict.fromkeys(cls._fields, 0.4)), np.array([0.1, 0.7, 3.0])
    found = shrinkages(penalty, 0.5, eta, np.empty(3))
    expected = [shrinkage(penalty, 0.5 * rate) for rate in eta]
    assert (expected == np.ones(3)).all() if found is None else found.tolist() == pytest.approx(expected, rel=1e-15)
