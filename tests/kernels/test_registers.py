"""Short rows in registers: every width to the column, nothing read or written beyond a row."""

import numpy as np
import pytest

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.registers import hold, inner, inner_soon, moved, put_back, starts_of

WIDEST = max(columns for columns in range(1, 200) if starts_of(columns, 8)) if starts_of(1, 8) else 0


@kernel
def step(w, x, i, starts, keep, push, sums):
    d = x.shape[1]
    held, row = hold(w, 0, d, starts), hold(x, i, d, starts)
    held = moved(held, keep, row, push)
    sums[0], sums[1] = inner(held, row), inner_soon(held, row)
    put_back(held, w, 0, d)


@pytest.mark.skipif(WIDEST == 0, reason="needs a processor with AVX2")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 7, 8, 13, 16, 20, 31, 32])
def test_a_step_is_the_one_in_plain_numpy(columns, dtype):
    rng = np.random.default_rng(columns)
    x = rng.normal(size=(3, columns)).astype(dtype)
    w = np.full((2, columns + 1), 9, dtype)
    w[0, :columns] = before = rng.normal(size=columns).astype(dtype)
    keep, push, sums = dtype(0.9), dtype(-0.3), np.zeros(2, dtype)
    step(w, x, 2, starts_of(columns, x.itemsize), keep, push, sums)
    after = keep * before + push * x[2]
    # A product and a sum are rounded once where they are fused, and sums of a few dozen terms in another order.
    close = dict(rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps * np.abs(after * x[2]).sum())
    np.testing.assert_allclose(w[0, :columns], after, **close)
    np.testing.assert_allclose(sums, after @ x[2], **close)
    assert (w[1] == 9).all() and w[0, columns] == 9


def test_rows_too_wide_for_the_registers_have_no_vectors():
    assert starts_of(WIDEST + 1, 8) is None and starts_of(10_000, 4) is None
    assert starts_of(0, 8) is None


@pytest.mark.skipif(WIDEST == 0, reason="needs a processor with AVX2")
def test_narrower_numbers_let_more_columns_in():
    assert len(starts_of(WIDEST, 8)) == len(starts_of(2 * WIDEST, 4))
