"""The pass that takes a step and prepares the margin two rows ahead, against its plain form."""

import numpy as np
import pytest

from gdbench.kernels.ahead import step_and_look
from gdbench.kernels.jit import kernel


@kernel
def look(w, x, push, out):
    out[0], out[1], out[2] = step_and_look(w, x, 0, 1, 2, 3, push)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_length_of_row_and_none_of_its_neighbours(dtype):
    """Each remainder after whole vectors has code of its own."""
    rng = np.random.default_rng(0)
    close = {"rtol": 64 * np.finfo(dtype).eps, "atol": 64 * np.finfo(dtype).eps}  # sums of up to 40 products near 1
    for d in range(1, 41):
        x, around = rng.normal(size=(4, d)).astype(dtype), np.full(d + 16, 7, dtype)
        w = around[8 : 8 + d]
        w[:] = rng.normal(size=d)
        plain, out = w.copy(), np.empty(3, dtype)
        expected = step_and_look(plain, x, 0, 1, 2, 3, dtype(0.3))
        look(w, x, dtype(0.3), out)
        np.testing.assert_allclose(w, plain, **close, err_msg=f"{d} columns")
        np.testing.assert_allclose(out, expected, **close, err_msg=f"{d} columns")
        assert (around[:8] == 7).all() and (around[8 + d :] == 7).all(), d
