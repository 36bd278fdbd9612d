"""The functions that losses and networks are made of, against NumPy's in extended precision."""

import math

import numpy as np
import pytest

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.elementary import exp_below, hyperbolic_tangent, log_one_plus

RNG = np.random.default_rng(0)


@kernel
def exponentials(x, out):
    for i in range(x.size):
        out[i] = exp_below(x[i])


@kernel
def logarithms(x, out):
    for i in range(x.size):
        out[i] = log_one_plus(x[i])


@kernel
def tangents(x, out):
    for i in range(x.size):
        out[i] = hyperbolic_tangent(x[i])


SIZES = 10.0 ** RNG.uniform(-300, 0, 20_000)
CASES = {
    "exp": (exponentials, exp_below, np.exp, np.r_[-RNG.exponential(20, 20_000), -SIZES, -707.9, -0.0, 0.0]),
    "log": (logarithms, log_one_plus, np.log1p, np.r_[RNG.random(20_000), SIZES, 0.0, 1.0]),
    "tanh": (tangents, hyperbolic_tangent, np.tanh, np.r_[RNG.normal(size=20_000), SIZES, -SIZES, 0.0, 20.0, -1000.0]),
}


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs an extended precision to compare with")
@pytest.mark.parametrize("name", CASES)
def test_within_three_units_in_the_last_place(name):
    compiled, _, exact, x = CASES[name]
    out = np.empty_like(x)
    compiled(x, out)
    true = exact(x.astype(np.longdouble))
    units = np.abs(out - true) / np.spacing(np.abs(true.astype(float)))
    assert units.max() <= 3.0, x[units.argmax()]


@pytest.mark.parametrize("name", CASES)
def test_plain_python_computes_the_same(name):
    compiled, plain, _, x = CASES[name]
    x, out = x[::97], np.empty_like(x[::97])
    compiled(x, out)
    np.testing.assert_allclose([plain(value) for value in x], out, rtol=1e-15)  # without fused products


def test_the_ends_of_the_range():
    out = np.empty(4)
    exponentials(np.array([-math.inf, -1e300, -709.0, math.nan]), out)
    assert (out[:3] == out[0]).all() and 0.0 < out[0] < 1e-307
    assert math.isnan(out[3])
    tangents(np.array([math.inf, -math.inf, 0.0, math.nan]), out)
    assert out[:3].tolist() == [1.0, -1.0, 0.0] and math.isnan(out[3])
    logarithms(np.array([0.0, 1e-300, 1.0, math.nan]), out)
    assert out[:2].tolist() == [0.0, 1e-300] and out[2] == pytest.approx(math.log(2.0), rel=1e-15) and math.isnan(out[3])


def test_single_precision_is_worked_out_in_double():
    x, out = np.array([-0.5], np.float32), np.empty(1)
    exponentials(x, out)
    assert out[0] == pytest.approx(math.exp(-0.5), rel=1e-15)
