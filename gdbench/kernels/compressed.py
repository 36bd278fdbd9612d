"""Rows of an array that are mostly zeros, without their zeros."""

from __future__ import annotations

from gdbench.kernels.compile.jit import kernel


@kernel
def count(x, indptr):
    """Write how many values before row i are not zero to indptr[i].

    Parameters
    ----------
    x : ndarray of shape (n, d)
    indptr : ndarray of shape (n + 1,), int64
    """
    total = 0
    for i in range(x.shape[0]):
        indptr[i] = total
        for j in range(x.shape[1]):
            total += x[i, j] != 0
    indptr[x.shape[0]] = total


@kernel
def compress(x, indices, values):
    """Write the values that are not zero, row by row, and their columns.

    Parameters
    ----------
    x : ndarray of shape (n, d)
    indices : ndarray of shape (stored + 1,), uint32
        The last one is room to write to, and holds nothing.
    values : ndarray of as many, the dtype of x
    """
    p = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            # Written whether or not it counts: a jump at each value would be mispredicted too often.
            values[p] = x[i, j]
            indices[p] = j
            p += x[i, j] != 0
