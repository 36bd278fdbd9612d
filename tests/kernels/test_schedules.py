"""Schedules: factors by hand."""

import math

import numpy as np
import pytest

from gdbench.kernels import losses, penalties, schedules
from gdbench.kernels.shares import in_whole_steps

T = np.array([1.0, 2.0, 3.0, 5.0, 101.0])
BY_HAND = [
    (schedules.Constant(0.3), [1, 1, 1, 1, 1]),
    (schedules.InvScaling(0.3, power_t=0.5), [1, 2**-0.5, 3**-0.5, 5**-0.5, 101**-0.5]),
    (schedules.Optimal(1.0, strength=0.1, offset=9.0), [1 / 0.9, 1 / 1.0, 1 / 1.1, 1 / 1.3, 1 / 10.9]),
    (schedules.Step(0.3, gamma=0.5, every=2), [1, 1, 0.5, 0.25, 0.5**50]),
    (schedules.Exponential(0.3, gamma=0.25, every=2), [1, 0.5, 0.25, 0.0625, 0.25**50]),
    (schedules.Cosine(0.3, steps=4, end=0.0), [1, (1 + math.cos(math.pi / 4)) / 2, 0.5, 0, 0]),
    (schedules.Cosine(0.3, steps=4, end=0.2), [1, 0.2 + 0.4 * (1 + math.cos(math.pi / 4)), 0.6, 0.2, 0.2]),
    (schedules.Warmup(0.3, steps=4, start=0.2), [0.2, 0.4, 0.6, 1, 1]),
    (schedules.Warmup(0.3, steps=2, after=schedules.InvScaling(power_t=1.0)), [0, 0.5, 1, 1 / 3, 1 / 99]),
]


@pytest.mark.parametrize(("schedule", "factors"), BY_HAND, ids=lambda part: str(part)[:40])
def test_by_hand(schedule, factors):
    np.testing.assert_allclose(schedule.factor(T), factors, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("name", schedules.registry.names())
def test_every_schedule_begins_with_its_rate(name):
    """Each has a learning rate as its first field and gives an array of factors, none of which grows past 1."""
    tag = schedules.registry.make(name)
    assert tag._fields[0] == "learning_rate" and tag.learning_rate > 0
    if hasattr(tag, "bind"):
        tag = tag.bind(losses.Hinge(), penalties.L2(0.01))
    factors = in_whole_steps(tag, 3000).factor(np.arange(1.0, 3000.0))
    assert factors.shape == (2999,) and np.isfinite(factors).all() and (factors >= 0).all()
    assert factors.max() <= 1 or name == "optimal"


@pytest.mark.parametrize(("loss", "alpha"), [("hinge", 1e-4), ("log_loss", 0.01), ("squared_error", 1e-3)])
def test_optimal_is_scikit_learns(loss, alpha):
    """Their formula: typw = √(1 ⁄ √α), t₀ = 1 ⁄ (typw ⁄ max(1, loss'(−typw, 1)) · α), rate 1 ⁄ (α(t₀ + t − 1))."""
    tag = losses.registry.make(loss)
    bound = schedules.Optimal().bind(tag, penalties.L2(alpha))
    typical = math.sqrt(1 / math.sqrt(alpha))
    offset = 1 / (typical / max(1.0, tag.derivative(-typical, 1.0)) * alpha)
    np.testing.assert_allclose(bound.factor(T), 1 / (alpha * (offset + T - 1)), rtol=1e-14)
