"""Penalties, from the registry: values by hand, gradients against differences, the soft threshold."""

import numpy as np
import pytest

from gdbench.kernels import penalties
from gdbench.kernels.penalties import after_step

TAGS = {name: penalties.registry.make(name) for name in penalties.registry.names()}
SMOOTH = {"none": 0.0, "l2": 0.3 * 2.0, "l1": 0.0, "elasticnet": 0.3 * 0.85 * 2.0, "truncated": 0.0}
VALUES = {"none": 0.0, "l2": 0.3 * 2.0, "l1": 0.6, "elasticnet": 0.3 * (0.15 * 2 + 0.85 * 2), "truncated": 0.6}


def with_alpha(name):
    tag = TAGS[name]
    return tag._replace(alpha=0.3) if "alpha" in tag._fields else tag


@pytest.mark.parametrize("name", TAGS)
def test_by_hand(name):
    tag = with_alpha(name)
    for w in (2.0, -2.0):
        assert tag.penalty_value(w) == pytest.approx(VALUES[name], rel=1e-15)
        assert tag.with_penalty(1.0, w) == pytest.approx(1.0 + np.sign(w) * SMOOTH[name], rel=1e-15)
    assert tag.penalty_value(0.0) == 0.0


@pytest.mark.parametrize("name", TAGS)
def test_gradient_and_threshold_together_are_the_subgradient(name):
    """A small step from w moves it by −rate·(∂penalty), the smooth part by the gradient and the kink by the threshold."""
    tag, rate = with_alpha(name), 1e-6
    for w in (1.3, -0.7):
        slope = (tag.penalty_value(w + 1e-6) - tag.penalty_value(w - 1e-6)) / 2e-6
        moved, _ = after_step(tag, w - rate * tag.with_penalty(0.0, w), rate, rate, (0.0,) * len(tag.slots))
        assert (w - moved) / rate == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", ["l1", "elasticnet"])
def test_the_threshold_stops_at_zero(name):
    tag = with_alpha(name)
    for w in (1e-3, -1e-3, 0.0):
        assert after_step(tag, w, 1.0, 1.0, ())[0] == 0.0


def test_truncation_pays_what_is_due():
    """Three steps by hand: a weight that is stopped at 0 owes the rest."""
    tag = penalties.Truncated(alpha=1.0)
    w, memory = after_step(tag, 0.05, 0.1, 0.1, (0.0,))
    assert (w, memory[0]) == (0.0, pytest.approx(-0.05))
    w, memory = after_step(tag, 0.5, 0.1, 0.2, memory)
    assert (w, memory[0]) == (pytest.approx(0.35), pytest.approx(-0.2))
    w, memory = after_step(tag, -0.5, 0.1, 0.3, memory)
    assert (w, memory[0]) == (pytest.approx(0.0), pytest.approx(0.3))
