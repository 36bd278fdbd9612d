"""The passes that take a step and prepare the margins of rows to come, against their plain forms."""

import numpy as np
import pytest

from gdbench.kernels.ahead import step_and_dot, step_and_look
from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.lanes import LANES, lanes_move_and_look

#: What the sums begin with; whole, so that it is the same in either type.
BASE = 3


@kernel
def look(w, x, push, out):
    out[0], out[1], out[2] = step_and_look(w, x, (0, 1, 2, 3), push)


@kernel
def dot(w, k, x, keep, push, out):
    out[0], out[1] = step_and_dot(w, k, x, (0, 1, 2), keep, push, BASE)


@kernel
def lanes_look(w, x, z):
    lanes_move_and_look(w, x, (), (), (), (2, 0), (), z)


@kernel
def lanes_move(w, x, keep, push):
    lanes_move_and_look(w, x, (1,), (keep[0],), (push[0],), (), (2,), push)


@kernel
def lanes_move_once(w, x, keep, push, z):
    lanes_move_and_look(w, x, (0,), (keep[0],), (push[0],), (1, 2), (2,), z)


@kernel
def lanes_move_twice(w, x, keep, push, z):
    lanes_move_and_look(w, x, (0, 1), (keep[0], keep[1]), (push[0], push[1]), (2, 0), (1, 2), z)


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
        keep = tuple(rng.random((2, lanes)).astype(dtype)) if kept else (None, None)
        push, around, expected = (
            rng.normal(size=(2, lanes)).astype(dtype),
            np.full((4, lanes), 7, dtype),
            np.empty((2, lanes), dtype),
        )
        for moves, given in (
            (lanes_look, ()),
            (lanes_move, (keep, push)),
            (lanes_move_once, (keep, push)),
            (lanes_move_twice, (keep, push)),
        ):
            plain, z = w.copy(order="F"), (around[1:3],) if moves is not lanes_move else ()
            moves(w, x, *given, *z)
            moves.function(plain, x, *given, *((expected,) if z else ()))
            np.testing.assert_allclose(w, plain, **close(dtype))
            if z:
                np.testing.assert_allclose(around[1:3], expected, **close(dtype))
            assert (around[0] == 7).all() and (around[3] == 7).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_two_steps_in_a_pass_are_the_bits_of_two_passes(dtype):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(3, 7)).astype(dtype), np.asfortranarray(rng.normal(size=(3 * LANES, 8)).astype(dtype))
    keep, push = (tuple(rng.random((2, 3 * LANES)).astype(dtype)) for _ in range(2))
    apart, z, again = w.copy(order="F"), np.empty((2, 3 * LANES), dtype), np.empty((2, 3 * LANES), dtype)
    lanes_move_twice(w, x, keep, push, z)
    lanes_move_once(apart, x, keep[:1], push[:1], again)
    lanes_move(apart, x, keep[1:], push[1:])
    lanes_look(apart, x, again)
    np.testing.assert_array_equal(w, apart)
    np.testing.assert_array_equal(z, again)
