"""Schedules whose steps are told as shares of a run's own steps."""

import copy
import json
import pickle
from typing import NamedTuple

import numpy as np
import pytest

import gdbench as gd
from gdbench.errors import GdbenchError
from gdbench.kernels import schedules
from gdbench.kernels.registry import hints_of
from gdbench.kernels.shares import Share, in_whole_steps, steps_or_share

COUNTING = [cls for cls in schedules.registry if getattr(cls, "in_steps", ())]


def test_every_field_that_counts_steps_is_named_and_is_a_share_by_default():
    """A field that is annotated as whole numbers of steps would have a fixed default, however long the run."""
    assert {cls.name for cls in COUNTING} == {"step", "exponential", "cosine", "warmup"}
    for cls in schedules.registry:
        for field in cls._fields:
            counts = field in getattr(cls, "in_steps", ())
            assert counts == (hints_of(cls)[field] == int | float)
            assert counts == isinstance(cls._field_defaults[field], Share)
            assert counts or field == "patience" or hints_of(cls)[field] is not int


@pytest.mark.parametrize("cls", COUNTING, ids=lambda cls: cls.name)
@pytest.mark.parametrize("total", [1, 7, 20, 1000, 10**6])
def test_a_default_acts_within_the_run_however_long_it_is(cls, total):
    factors = in_whole_steps(cls(), total).factor(np.arange(1.0, total + 1))
    if total > 1:
        assert factors.max() - factors.min() > 0.45
    assert np.isfinite(factors).all()


@pytest.mark.parametrize(
    ("schedule", "whole"),
    [
        (schedules.Step(every=0.1), schedules.Step(every=20)),
        (schedules.Exponential(every=0.004), schedules.Exponential(every=1)),
        (schedules.Cosine(steps=1.0), schedules.Cosine(steps=200)),
        (schedules.Cosine(steps=1), schedules.Cosine(steps=1)),
        (schedules.Warmup(steps=0.25, after=schedules.Cosine()), schedules.Warmup(steps=50, after=schedules.Cosine(steps=150))),
        (schedules.Warmup(steps=80, after=schedules.Step(every=0.5)), schedules.Warmup(steps=80, after=schedules.Step(every=60))),
        (schedules.Warmup(steps=1.0, after=schedules.Cosine()), schedules.Warmup(steps=200, after=schedules.Cosine(steps=1))),
        (schedules.Constant(0.2), schedules.Constant(0.2)),
    ],
    ids=repr,
)
def test_a_share_is_whole_steps_of_the_run(schedule, whole):
    made = schedules.registry.make(schedule)
    assert in_whole_steps(made, 200) == whole
    assert in_whole_steps(schedule, 200) == whole


def test_one_step_and_all_steps_are_two_things():
    assert Share(1.0) != 1 and Share(0.5) == 0.5
    assert {1: "step", Share(1.0): "all"}[1] == "step"
    assert schedules.registry.make(schedules.Cosine(steps=1)) != schedules.registry.make(schedules.Cosine(steps=1.0))
    assert (f"{Share(0.25):g}", str(Share(1.0)), repr(Share(1.0))) == ("25%", "100%", "1.0")
    for again in (pickle.loads(pickle.dumps(Share(1.0))), copy.deepcopy(Share(1.0))):
        assert type(again) is Share and again != 1
    assert json.dumps(Share(1.0)) == "1.0"


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), 0.5])
def test_a_share_of_any_float_type(value):
    assert steps_or_share(value, "every") == Share(0.5)


@pytest.mark.parametrize("value", [7, 7.0, np.int64(7), np.float32(7)])
def test_whole_steps_of_any_type(value):
    found = steps_or_share(value, "every")
    assert type(found) is int and found == 7


@pytest.mark.parametrize("value", [0, 0.0, -1, -0.5, 1.5, float("inf"), float("nan"), True, "all", None])
def test_what_is_neither_is_refused(value):
    with pytest.raises(GdbenchError, match=r"schedule step: every must .*a share of the run's steps, a float in \(0, 1\]"):
        schedules.registry.make(schedules.Step(every=value))


def test_a_share_outside_of_a_run_is_refused():
    with pytest.raises(GdbenchError, match=r"100% of a run's steps is known within a run alone"):
        schedules.Cosine().factor(np.arange(1.0, 4.0))


GRADIENTS = np.random.default_rng(0).normal(size=(40, 3))


@pytest.mark.parametrize(("name", "field", "steps"), [("cosine", "steps", 40), ("step", "every", 10), ("warmup", "steps", 4)])
def test_replay_and_minimize_know_their_steps(name, field, steps):
    given = schedules.registry.make(name, **{field: steps})
    np.testing.assert_array_equal(
        gd.replay("gd", np.zeros(3), GRADIENTS, name), gd.replay("gd", np.zeros(3), GRADIENTS, given._replace(learning_rate=0.1))
    )
    ours, theirs = (gd.minimize("rosenbrock", optimizer="adam", learning_rate=rate, steps=40).x for rate in (name, given))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("variant", "total"), [("batch", 6), ("mini-batch", 42), ("stochastic", 300)])
def test_a_fit_resolves_a_share_by_its_own_steps(variant, total):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    words = {"variant": variant, "batch_size": 8, "epochs": 6}
    fits = [gd.fit(X, y, learning_rate=schedules.Cosine(0.05, steps=steps), **words) for steps in (1.0, total, 0.5, total // 2)]
    np.testing.assert_array_equal(fits[0].coef, fits[1].coef)
    np.testing.assert_array_equal(fits[2].coef, fits[3].coef)
    assert (fits[0].coef != fits[2].coef).any()
    swept = gd.sweep(X, y, learning_rates=[0.05], learning_rate="cosine", **words)
    np.testing.assert_array_equal(swept.coef[0], fits[0].coef)


def test_a_schedule_of_ones_own_may_count_in_shares(monkeypatch):
    monkeypatch.setattr(schedules.registry, "_members", dict(schedules.registry._members))

    @gd.schedules.register
    class Halving(NamedTuple):
        learning_rate: float = 0.1
        pause: int | float = 0.5

        in_steps = ("pause",)

        def factor(self, t):
            return np.where(t > self.pause, 0.5, 1.0)

    path = gd.replay("gd", [0.0], -np.ones((4, 1)), Halving())
    np.testing.assert_allclose(path.ravel(), [0, 0.1, 0.2, 0.25, 0.3])
