"""Every gradient against central differences of its own function, and convex problems descended to f*."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gdbench as gd
from gdbench.kernels import landscapes, losses, penalties
from gdbench.kernels.landscapes import gradient as gradient_of
from gdbench.kernels.landscapes import value as value_of
from gdbench.kernels.losses import curvature, derivative, derive_group, value, value_group
from gdbench.kernels.penalties import penalty_value, with_penalty

MARGINS = st.floats(-20, 20)
KINDS = list(losses.registry)
SMOOTH = [cls for cls in KINDS if hasattr(cls, "curvature")]
H = 1e-6


def target(loss, draw):
    found = {"sign": np.sign(draw) or 1.0, "real": draw, "count": np.floor(abs(draw)), "positive": abs(draw) + 0.1}
    return float(found.get(loss.domain, draw > 0))


def near_a_kink(loss, z, y):
    """Whether a difference over ±h would reach over a place where the derivative jumps or bends sharply."""
    slopes = [derivative(loss, z + k * H, y) for k in (-2, 0, 2)]
    bend = 4 * H * 2 * max(1.0, curvature(loss, z, y)) if hasattr(loss, "curvature") else 8 * H if loss.smoothness else 0.0
    return max(slopes) - min(slopes) > bend


@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)
@given(z=MARGINS, draw=MARGINS)
def test_a_loss_has_the_derivative_of_its_value(cls, z, draw):
    loss = cls()
    y = target(loss, draw)
    assume(not near_a_kink(loss, z, y))
    slope = (value(loss, z + H, y) - value(loss, z - H, y)) / (2 * H)
    assert derivative(loss, z, y) == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("cls", SMOOTH, ids=lambda cls: cls.__name__)
@given(z=MARGINS, draw=MARGINS)
def test_a_loss_has_the_curvature_of_its_derivative(cls, z, draw):
    loss = cls()
    y = target(loss, draw)
    bends = [curvature(loss, z + k * H, y) for k in (-2, 0, 2)]
    assume(max(bends) - min(bends) < 1e-4)
    slope = (derivative(loss, z + H, y) - derivative(loss, z - H, y)) / (2 * H)
    assert curvature(loss, z, y) == pytest.approx(slope, rel=1e-5, abs=1e-6)
    assert loss.smoothness is None or curvature(loss, z, y) <= loss.smoothness + 1e-12


@given(st.lists(MARGINS, min_size=4, max_size=4), st.integers(0, 3))
def test_cross_entropy_has_the_gradient_of_its_value(margins, y):
    loss, z, c = losses.CrossEntropy(), np.array(margins), np.empty(4)
    derive_group(loss, z, float(y), c, 0, 4)
    for k in range(4):
        step = H * np.eye(4)[k]
        slope = (value_group(loss, z + step, float(y), 0, 4) - value_group(loss, z - step, float(y), 0, 4)) / (2 * H)
        assert c[k] == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("cls", [c for c in penalties.registry if hasattr(c, "shrinkage")], ids=lambda cls: cls.__name__)
@given(w=MARGINS)
def test_a_smooth_penalty_has_the_derivative_of_its_value(cls, w):
    penalty = cls()
    slope = (penalty_value(penalty, w + H) - penalty_value(penalty, w - H)) / (2 * H)
    assert with_penalty(penalty, 0.0, w) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("cls", list(landscapes.registry), ids=lambda cls: cls.__name__)
@settings(max_examples=30)
@given(data=st.data())
def test_a_landscape_has_the_gradient_of_its_value(cls, data):
    place = cls()
    d = place.dimension or data.draw(st.integers(max(2, getattr(place, "least", 1)), 4))
    # inside the box where the function is usually shown; its last interval stands for all further dimensions
    box = [place.box[min(j, len(place.box) - 1)] for j in range(d)]
    x = np.array([data.draw(st.floats(low, high)) for low, high in box])
    g = np.zeros(d)
    gradient_of(place, x, g)
    h = 1e-5
    assume(np.abs(x).max() > 1e-3)  # Ackley's and Griewank's values have a root at 0
    for j in range(d):
        step = h * np.eye(d)[j]
        slope = (value_of(place, x + step) - value_of(place, x - step)) / (2 * h)
        # rounding of the value over 2h, and the third derivative times h²
        scale = max(1.0, abs(value_of(place, x)), float(np.abs(g).max()))
        assert abs(g[j] - slope) <= 1e-5 * scale


@pytest.mark.parametrize("name", ["squared_error", "log_loss", "squared_hinge", "modified_huber", "huber"])
def test_descent_reaches_the_certified_optimum_of_convex_problems(name):
    data = "diabetes" if name in ("squared_error", "huber") else "breast_cancer"
    problem = gd.load_problem(data, loss=name, penalty="l2", alpha=0.1)
    options = {"loss": problem.loss, "penalty": problem.penalty, "optimizer": "nesterov", "variant": "batch"}
    curvature = problem.loss.smoothness * np.linalg.eigvalsh(problem.X.T @ problem.X / len(problem.y)).max() + problem.alpha
    fit = gd.fit(problem.X, problem.y, learning_rate=1 / (2 * curvature), epochs=3000, **options)
    gap = fit.objective - problem.optimum.value
    assert -1e-9 * max(1.0, abs(problem.optimum.value)) <= gap <= 1e-9
