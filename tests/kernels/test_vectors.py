"""The passes written in vectors, against their plain forms: each remainder after whole vectors has code of its own."""

import numpy as np
import pytest

from gdbench.kernels.aligned import LINE, aligned
from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.gather import gathered_dot
from gdbench.kernels.lanes import LANES, lanes_dot
from gdbench.kernels.vectors import add_multiples, dots


@kernel
def find(x, w, out):
    d = x.shape[1]
    out[0], out[1], out[2], out[3] = dots(x, (0, 1, 2, 3), w, 1, d, (1, 0))
    out[4] = dots(x, (2,), w, 0, d, ())[0]


@kernel
def add(w, x, c):
    d = x.shape[1]
    add_multiples(w, 1, x, (0, 1, 2, 3), (c[0], c[1], c[2], c[3]), d, (3,))
    add_multiples(w, 0, x, (2,), (c[1],), d, ())


@kernel
def margins(w, x, z):
    lanes_dot(w, x, 1, z)


def close(dtype):
    """Sums of up to 70 products near 1."""
    return {"rtol": 128 * np.finfo(dtype).eps, "atol": 128 * np.finfo(dtype).eps}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dots_and_multiples_at_every_length_of_row(dtype):
    rng = np.random.default_rng(0)
    for d in range(1, 71):
        x, w = rng.normal(size=(4, d)).astype(dtype), rng.normal(size=(2, d + 1)).astype(dtype)
        c, out = rng.normal(size=4).astype(dtype), np.empty(5, dtype)
        find(x, w, out)
        np.testing.assert_allclose(out[:4], dots(x, (0, 1, 2, 3), w, 1, d, (1, 0)), **close(dtype), err_msg=f"{d} columns")
        np.testing.assert_allclose(out[4:], dots(x, (2,), w, 0, d, ()), **close(dtype), err_msg=f"{d} columns")
        plain = w.copy()
        add(w, x, c)
        add_multiples(plain, 1, x, (0, 1, 2, 3), c, d, ())
        add_multiples(plain, 0, x, (2,), c[1:2], d, ())
        np.testing.assert_allclose(w, plain, **close(dtype), err_msg=f"{d} columns")
        np.testing.assert_array_equal(w[:, d], plain[:, d])  # the column after the last is not touched


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("lanes", [LANES, 3 * LANES, 5 * LANES])
def test_margins_of_lanes_side_by_side(dtype, lanes):
    rng = np.random.default_rng(0)
    for d in (1, 2, 3, 7, 20):
        x, w = rng.normal(size=(3, d)).astype(dtype), np.asfortranarray(rng.normal(size=(lanes, d + 1)).astype(dtype))
        around, plain = np.full(lanes + 16, 7, dtype), np.empty(lanes, dtype)
        margins(w, x, around[8 : 8 + lanes])
        lanes_dot(w, x, 1, plain)
        np.testing.assert_allclose(around[8 : 8 + lanes], plain, **close(dtype))
        assert (around[:8] == 7).all() and (around[8 + lanes :] == 7).all()


@kernel
def gather(values, indices, first, last, w, out):
    out[0] = gathered_dot(values, indices, np.uint64(first), np.uint64(last), w, w.dtype.type(0))
    out[1] = gathered_dot(values, indices, np.uint64(first), np.uint64(last), w, 0.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("index", [np.uint32, np.uint64])
def test_gathered_dots_at_every_length_of_row(dtype, index):
    rng = np.random.default_rng(0)
    values, w, out = rng.normal(size=20).astype(dtype), rng.normal(size=50).astype(dtype), np.empty(2)
    indices = np.sort(rng.choice(50, 20, replace=False)).astype(index)
    for first, last in [(0, 0), (3, 3), *((2, last) for last in range(3, 20)), (0, 20)]:
        gather(values, indices, first, last, w, out)
        exact = values[first:last].astype(float) @ w[indices[first:last]].astype(float)
        np.testing.assert_allclose(out[0], exact, **close(dtype))
        assert out[1] == pytest.approx(exact, rel=1e-14, abs=1e-15)  # summed in float64
        assert gathered_dot(values, indices, first, last, w, 0.0) == pytest.approx(exact, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3,), (2, 5), (16, 21), (0, 4)])
def test_aligned_arrays_begin_with_a_line(shape, order):
    for dtype in (np.float32, np.float64):
        array = aligned(shape, dtype, 0.5, order)
        assert array.shape == shape and array.dtype == dtype and (array == 0.5).all()
        assert array.flags[f"{order}_CONTIGUOUS"] and array.flags.writeable
        assert array.size == 0 or array.ctypes.data % LINE == 0
