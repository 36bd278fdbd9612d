"""Kinds of data, dense and sparse rows, and how a loop reads them.

Rows are numbered; a loop asks for a dot product with row i, adds a multiple of row i, or prefetches a row that it will
need soon.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdbench.kernels.compile.jit import INLINED, inlined
from gdbench.kernels.compile.tags import operation
from gdbench.kernels.gather import gathered_dot
from gdbench.kernels.reading import ReadPlan
from gdbench.kernels.vectors import add_multiples, dot_like_four, dots, emit_prefetch, prefetch_lines

row_dot = operation("row_dot")
row_axpy = operation("row_axpy")
rows_dot = operation("rows_dot")
rows_axpy = operation("rows_axpy")
outputs_dot = operation("outputs_dot")
row_values = operation("row_values")
prefetch_row = operation("prefetch_row")
prefetch_far = operation("prefetch_far")
prefetch_rest = operation("prefetch_rest")
dot_and_prefetch = operation("dot_and_prefetch")
dot_like_four_and_prefetch = operation("dot_like_four_and_prefetch")


@inlined
def entry(array, i):
    """``array[i]`` for an i that counts from the front: nothing is looked at to tell."""
    return array[np.uintp(i)]


def prefetch(array, i, j):
    """Prefetch the cache line of ``array[i, j]``; a hint that changes no value (and nothing in Python)."""


def prefetch_item(array, i):
    """Prefetch the cache line of ``array[i]``."""


@intrinsic
def _prefetch_line(typingctx, array, *place):
    def codegen(context, builder, signature, args):
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, args[0])
        where = cgutils.unpack_tuple(builder, args[1])
        address = cgutils.get_item_pointer(context, builder, kind, view, where, wraparound=False)
        emit_prefetch(builder, address)
        return context.get_dummy_value()

    return types.void(array, types.StarArgTuple.from_types(place)), codegen


@overload(prefetch, jit_options=INLINED)
def _prefetch(array, i, j):
    return lambda array, i, j: _prefetch_line(array, np.intp(i), np.intp(j))


@overload(prefetch_item, jit_options=INLINED)
def _prefetch_item(array, i):
    return lambda array, i: _prefetch_line(array, np.intp(i))


def per_line(array):
    """How many of an array's values a cache line (64 bytes) holds."""
    return 64 // array.itemsize


@overload(per_line, jit_options=INLINED)
def _per_line(array):
    number = 64 // (array.dtype.bitwidth // 8)  # known when compiling: worked out in the loop, it would be a division a row
    return lambda array: number


class Dense(NamedTuple):
    """Rows of a C-contiguous array.

    Attributes
    ----------
    values : ndarray of shape (n, d), float32 or float64
    plan : ReadPlan
    """

    values: Any
    plan: Any = ReadPlan()

    def row_dot(self, i, w, k):
        """Σⱼ x[i, j]·w[k, j] over the d columns."""
        return dots(self.values, (i,), w, k, self.values.shape[1], ())[0]

    def dot_and_prefetch(self, i, w, k, near):
        """The same; prefetches row `near` on the way, but for what `prefetch_rest` does."""
        return dots(self.values, (i,), w, k, self.values.shape[1], (near,))[0]

    def dot_like_four_and_prefetch(self, i, w, near):
        """The dot product of row i with w[0] to the bits of `rows_dot`; prefetches likewise."""
        return dot_like_four(self.values, i, w, 0, self.values.shape[1], (near,))

    def row_axpy(self, i, scale, g, k):
        """Add scale·x[i, j] to g[k, j] for the d columns, in place."""
        add_multiples(g, k, self.values, (i,), (scale,), self.values.shape[1], ())

    def rows_dot(self, i0, i1, i2, i3, w, near):
        """The dot products of four rows with w[0], which they share in registers; prefetches the rows `near` on the way."""
        return dots(self.values, (i0, i1, i2, i3), w, 0, self.values.shape[1], near)

    def rows_axpy(self, i0, i1, i2, i3, c0, c1, c2, c3, g, near):
        """Add c0·x[i0] + c1·x[i1] + c2·x[i2] + c3·x[i3] to g[0], in place, with one store a weight; prefetches likewise."""
        add_multiples(g, 0, self.values, (i0, i1, i2, i3), (c0, c1, c2, c3), self.values.shape[1], near)

    def prefetch_rest(self, i, later):
        """Prefetch what such a pass leaves out of a row i: where it ends, perhaps in one more line."""
        prefetch(self.values, i, self.values.shape[1] - 1)

    def prefetch_far(self, i, later):
        """Prefetch row i into the second-level cache."""
        prefetch_lines(self.values, i, self.values.shape[1] * self.values.itemsize)

    def outputs_dot(self, i, w, k):
        """The dot products of row i with w[k], ..., w[k + 3], which share the row in registers."""
        return dots(w, (k, k + 1, k + 2, k + 3), self.values, i, self.values.shape[1], ())

    def row_values(self, i, scratch):
        """Row i as an array of shape (d,)."""
        return self.values[i]

    def prefetch_row(self, i, later):
        """Prefetch row i, a cache line (64 bytes) at a time."""
        x = self.values
        for j in range(0, x.shape[1], per_line(x)):
            prefetch(x, i, j)
        prefetch(x, i, x.shape[1] - 1)  # a row that begins within a line ends in one more


@inlined
def places(data, i):
    """Where row i's values are stored, as unsigned numbers: no index is then checked for a count from the end."""
    return np.uint64(data.indptr[i]), np.uint64(data.indptr[i + 1])


class CSR(NamedTuple):
    """Rows of a sparse matrix, compressed by rows.

    Attributes
    ----------
    values : ndarray of shape (stored,), float32 or float64
    indices : ndarray of shape (stored,), uint32 or uint64
        The column of each value; sorted and unique within a row. Unsigned, so that no index is checked for a count from
        the end.
    indptr : ndarray of shape (n + 1,), int32 or int64
        Row i is stored at indptr[i] … indptr[i + 1] − 1.
    columns : int
        d.
    plan : ReadPlan
    """

    values: Any
    indices: Any
    indptr: Any
    columns: int
    plan: Any = ReadPlan()

    def row_dot(self, i, w, k):
        """Σ x[i, j]·w[k, j] over the stored values of row i."""
        first, last = places(self, i)
        return gathered_dot(self.values, self.indices, first, last, w[k], w.dtype.type(0))

    def dot_and_prefetch(self, i, w, k, near):
        """The same; `prefetch_rest` has left nothing of row `near` to prefetch."""
        return row_dot(self, i, w, k)

    def dot_like_four_and_prefetch(self, i, w, near):
        """The same with w[0]."""
        return row_dot(self, i, w, 0)

    def row_axpy(self, i, scale, g, k):
        """Add scale·x[i, j] to g[k, j] for the stored values, in place."""
        first, last = places(self, i)
        for p in range(first, last):
            g[k, self.indices[p]] += scale * self.values[p]

    def rows_dot(self, i0, i1, i2, i3, w, near):
        """The dot products of four rows with w[0]."""
        return row_dot(self, i0, w, 0), row_dot(self, i1, w, 0), row_dot(self, i2, w, 0), row_dot(self, i3, w, 0)

    def rows_axpy(self, i0, i1, i2, i3, c0, c1, c2, c3, g, near):
        """Add c0·x[i0] + c1·x[i1] + c2·x[i2] + c3·x[i3] to g[0], in place."""
        row_axpy(self, i0, c0, g, 0)
        row_axpy(self, i1, c1, g, 0)
        row_axpy(self, i2, c2, g, 0)
        row_axpy(self, i3, c3, g, 0)

    def outputs_dot(self, i, w, k):
        """The dot products of row i with w[k], ..., w[k + 3]."""
        return row_dot(self, i, w, k), row_dot(self, i, w, k + 1), row_dot(self, i, w, k + 2), row_dot(self, i, w, k + 3)

    def row_values(self, i, scratch):
        """Row i, spread out into `scratch`."""
        scratch[:] = 0
        first, last = places(self, i)
        for p in range(first, last):
            scratch[self.indices[p]] = self.values[p]
        return scratch

    def prefetch_row(self, i, later):
        """Prefetch row i's values and columns, and where a later row begins."""
        prefetch_item(self.indptr, later)
        first, last = places(self, i)
        for p in range(first, last, per_line(self.values)):
            prefetch_item(self.values, p)
            prefetch_item(self.indices, p)

    def prefetch_rest(self, i, later):
        if self.plan.near > 0:
            prefetch_row(self, i, later)

    def prefetch_far(self, i, later):
        """Prefetch row i's values and columns into the second-level cache, and where a later row begins."""
        prefetch_item(self.indptr, later)
        first, last = places(self, i)
        prefetch_lines(self.values, first, (last - first) * self.values.itemsize)
        prefetch_lines(self.indices, first, (last - first) * self.indices.itemsize)


def columns(data) -> int:
    """d, the number of columns, of either kind of data."""
    return data.columns if isinstance(data, CSR) else data.values.shape[1]
