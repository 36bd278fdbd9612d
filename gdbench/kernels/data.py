"""Kinds of data, dense and sparse rows, and how a loop reads them.

Rows are numbered; a loop asks for a dot product with row i, adds a multiple of row i, or asks the memory for
a row that it will need soon.
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
from gdbench.kernels.vectors import add_multiples, dots, emit_prefetch

#: Rows asked for ahead of their use: far enough to hide the memory's latency behind the rows between.
AHEAD = 24

#: Bytes of the first-level cache for rows that wait for their use.
FIRST_LEVEL = 12 << 10

row_dot = operation("row_dot")
row_axpy = operation("row_axpy")
rows_dot = operation("rows_dot")
rows_axpy = operation("rows_axpy")
outputs_dot = operation("outputs_dot")
row_values = operation("row_values")
prefetch_row = operation("prefetch_row")
reach = operation("reach")
prefetch_rest = operation("prefetch_rest")
row_dot_and_ask = operation("row_dot_and_ask")


@inlined
def entry(array, i):
    """``array[i]`` for an i that counts from the front: nothing is looked at to tell."""
    return array[np.uintp(i)]


def touch(array, i, j):
    """Ask the memory for the cache line of ``array[i, j]``; a hint that changes no value (and nothing in Python)."""


def touch_item(array, i):
    """Ask the memory for the cache line of ``array[i]``."""


@intrinsic
def _touch_line(typingctx, array, *place):
    def codegen(context, builder, signature, args):
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, args[0])
        where = cgutils.unpack_tuple(builder, args[1])
        address = cgutils.get_item_pointer(context, builder, kind, view, where, wraparound=False)
        emit_prefetch(builder, address)
        return context.get_dummy_value()

    return types.void(array, types.StarArgTuple.from_types(place)), codegen


@overload(touch, jit_options=INLINED)
def _touch(array, i, j):
    return lambda array, i, j: _touch_line(array, np.intp(i), np.intp(j))


@overload(touch_item, jit_options=INLINED)
def _touch_item(array, i):
    return lambda array, i: _touch_line(array, np.intp(i))


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
    """

    values: Any

    def row_dot(self, i, w, k):
        """Σⱼ x[i, j]·w[k, j] over the d columns."""
        return dots(self.values, (i,), w, k, self.values.shape[1], ())[0]

    def row_dot_and_ask(self, i, w, k, far, later):
        """The same; asks for row `far` on the way."""
        prefetch_rest(self, far, later)
        return dots(self.values, (i,), w, k, self.values.shape[1], (far,))[0]

    def row_axpy(self, i, scale, g, k):
        """Add scale·x[i, j] to g[k, j] for the d columns, in place."""
        add_multiples(g, k, self.values, (i,), (scale,), self.values.shape[1], ())

    def rows_dot(self, i0, i1, i2, i3, w, far):
        """The dot products of four rows with w[0], which they share in registers; asks for the rows `far` on the way."""
        return dots(self.values, (i0, i1, i2, i3), w, 0, self.values.shape[1], far)

    def rows_axpy(self, i0, i1, i2, i3, c0, c1, c2, c3, g, far):
        """Add c0·x[i0] + c1·x[i1] + c2·x[i2] + c3·x[i3] to g[0], in place, with one store a weight; asks likewise."""
        add_multiples(g, 0, self.values, (i0, i1, i2, i3), (c0, c1, c2, c3), self.values.shape[1], far)

    def prefetch_rest(self, i, later):
        """Ask for what such a pass leaves out of a row i: where it ends, perhaps in one more line."""
        touch(self.values, i, self.values.shape[1] - 1)

    def outputs_dot(self, i, w, k):
        """The dot products of row i with w[k], ..., w[k + 3], which share the row in registers."""
        return dots(w, (k, k + 1, k + 2, k + 3), self.values, i, self.values.shape[1], ())

    def row_values(self, i, scratch):
        """Row i as an array of shape (d,)."""
        return self.values[i]

    def reach(self):
        """How many rows ahead of their use a loop asks for them: AHEAD, or what the first-level cache keeps."""
        return max(4, min(AHEAD, FIRST_LEVEL // max(1, 8 * self.values.shape[1])))

    def prefetch_row(self, i, later):
        """Ask the memory for row i, a cache line (64 bytes) at a time."""
        x = self.values
        for j in range(0, x.shape[1], per_line(x)):
            touch(x, i, j)
        touch(x, i, x.shape[1] - 1)  # a row that begins within a line ends in one more


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
    """

    values: Any
    indices: Any
    indptr: Any
    columns: int

    def row_dot(self, i, w, k):
        """Σ x[i, j]·w[k, j] over the stored values of row i."""
        first, last = places(self, i)
        return gathered_dot(self.values, self.indices, first, last, w[k], w.dtype.type(0))

    def row_dot_and_ask(self, i, w, k, far, later):
        """The same; asks for row `far` first."""
        prefetch_row(self, far, later)
        return row_dot(self, i, w, k)

    def row_axpy(self, i, scale, g, k):
        """Add scale·x[i, j] to g[k, j] for the stored values, in place."""
        first, last = places(self, i)
        for p in range(first, last):
            g[k, self.indices[p]] += scale * self.values[p]

    def rows_dot(self, i0, i1, i2, i3, w, far):
        """The dot products of four rows with w[0]."""
        return row_dot(self, i0, w, 0), row_dot(self, i1, w, 0), row_dot(self, i2, w, 0), row_dot(self, i3, w, 0)

    def rows_axpy(self, i0, i1, i2, i3, c0, c1, c2, c3, g, far):
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

    def reach(self):
        return AHEAD

    def prefetch_row(self, i, later):
        """Ask the memory for row i's values and columns, and for where a later row begins."""
        touch_item(self.indptr, later)
        first, last = places(self, i)
        for p in range(first, last, per_line(self.values)):
            touch_item(self.values, p)
            touch_item(self.indices, p)

    def prefetch_rest(self, i, later):
        prefetch_row(self, i, later)


def columns(data) -> int:
    """d, the number of columns, of either kind of data."""
    return data.columns if isinstance(data, CSR) else data.values.shape[1]
