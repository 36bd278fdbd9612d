"""The passes that take a step and prepare the margins of rows to come, against their plain forms."""

import numpy as np
import pytest

from gdbench.kernels.ahead import step_and_dot, step_and_look
from gdbench.kernels.jit import kernel
from gdbench.kernels.lanes import LANES, lanes_step_and_dot

#: What the sums begin with; whole, so that it is the same in either type.
BASE = 3


@kernel
def look(w, x, push, out):
    out[0], out[1], out[2] = step_and_look(w, x, (0, 1, 2, 3), push)


@kernel
def dot(w, k, x, keep, push, out):
    out[0], out[1] = step_and_dot(w, k, x, (0, 1, 2), keep, push, BASE)


@kernel
def dot_of_lanes(w, x, keep, push, learns, z):
    lanes_step_and_dot(w, x, (0, 1, 2), keep, push, learns, z)


def close(dtype):
    """Sums of up to 40 products near 1."""
    return {"rtol": 64 * np.finfo(dtype).eps, "atol": 64 * np.finfo(dtype).eps}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_length_of_row_and_none_of_its_neighbours(dtype):
    """Each remainder after whole vectors has code of its own."""
    rng = np.random.default_rng(0)
    for d in range(1, 41):
        x, around = rng.normal(size=(4, d)).astype(dtype), np.full(d + 16, 7, dtype)
        w = around[8 : 8 + d]
        w[:] = rng.normal(size=d)
        plain, out = w.copy(), np.empty(3, dtype)
        expected = step_and_look(plain, x, (0, 1, 2, 3), dtype(0.3))
        look(w, x, dtype(0.3), out)
        np.testing.assert_allclose(w, plain, **close(dtype), err_msg=f"{d} columns")
        np.testing.assert_allclose(out, expected, **close(dtype), err_msg=f"{d} columns")
        expected = step_and_dot(plain, 0, x, (0, 1, 2), dtype(0.9), dtype(-0.2), BASE)
        dot(w, 0, x, dtype(0.9), dtype(-0.2), out)
        np.testing.assert_allclose(w, plain, **close(dtype), err_msg=f"{d} columns")
        np.testing.assert_allclose(out[:2], expected, **close(dtype), err_msg=f"{d} columns")
        assert (around[:8] == 7).all() and (around[8 + d :] == 7).all(), d


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_output_of_several_takes_a_step(dtype):
    rng = np.random.default_rng(0)
    for d in range(1, 41):
        x, w = rng.normal(size=(3, d)).astype(dtype), rng.normal(size=(3, d + 1)).astype(dtype)
        plain, out = w.copy(), np.empty(2, dtype)
        expected = step_and_dot(plain, 1, x, (0, 1, 2), dtype(0.9), dtype(-0.2), BASE)
        dot(w, 1, x, dtype(0.9), dtype(-0.2), out)
        np.testing.assert_allclose(w, plain, **close(dtype), err_msg=f"{d} columns")
        np.testing.assert_allclose(out, expected, **close(dtype), err_msg=f"{d} columns")
        np.testing.assert_array_equal(w[[0, 2]], plain[[0, 2]])
        assert w[1, d] == plain[1, d]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_step_that_goes_nowhere_finds_the_same_bits(dtype):
    rng = np.random.default_rng(0)
    for d in range(1, 41):
        x, w = rng.normal(size=(3, d)).astype(dtype), rng.normal(size=d).astype(dtype)
        moved, again = np.empty(2, dtype), np.empty(2, dtype)
        dot(w, 0, x, dtype(0.9), dtype(-0.2), moved)
        before = w.copy()
        dot(w, 0, x, dtype(1), dtype(0), again)
        np.testing.assert_array_equal(w, before)
        np.testing.assert_array_equal(again, moved, err_msg=f"{d} columns")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("lanes", [LANES, 3 * LANES, 5 * LANES])
@pytest.mark.parametrize("kept", [True, False], ids=["kept in part", "kept"])
def test_steps_of_lanes_side_by_side(dtype, lanes, kept):
    rng = np.random.default_rng(0)
    for d in (1, 2, 3, 7, 20):
        x, w = rng.normal(size=(3, d)).astype(dtype), np.asfortranarray(rng.normal(size=(lanes, d + 1)).astype(dtype))
        keep = rng.random(lanes).astype(dtype) if kept else None
        push, around, expected = rng.normal(size=lanes).astype(dtype), np.full(lanes + 16, 7, dtype), np.empty(lanes, dtype)
        for learns in (1, 0):
            plain = w.copy(order="F")
            lanes_step_and_dot(plain, x, (0, 1, 2), keep, push, dtype(learns), expected)
            dot_of_lanes(w, x, keep, push, dtype(learns), around[8 : 8 + lanes])
            np.testing.assert_allclose(w, plain, **close(dtype))
            np.testing.assert_allclose(around[8 : 8 + lanes], expected, **close(dtype))
            assert (around[:8] == 7).all() and (around[8 + lanes :] == 7).all()
