"""Kinds of data: dense rows, and how a loop reads them.

Rows are numbered; a loop asks for a dot product with row i, adds a multiple of row i, or asks the memory for
a row that it will need soon.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdbench.kernels.tags import operation

row_dot = operation("row_dot")
row_axpy = operation("row_axpy")
rows_dot = operation("rows_dot")
rows_axpy = operation("rows_axpy")
outputs_dot = operation("outputs_dot")
prefetch_row = operation("prefetch_row")


def touch(array, i, j):
    """Ask the memory for the cache line of ``array[i, j]``; a hint that changes no value (and nothing in Python)."""


@intrinsic
def _touch_line(typingctx, array, i, j):
    def codegen(context, builder, signature, args):
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, args[0])
        address = cgutils.get_item_pointer(context, builder, kind, view, [args[1], args[2]], wraparound=False)
        word = ir.IntType(32)
        pointer = builder.bitcast(address, ir.IntType(8).as_pointer())
        kinds = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
        hint = cgutils.get_or_insert_function(builder.module, kinds, "llvm.prefetch.p0")
        builder.call(hint, [pointer, word(0), word(3), word(1)])  # a read, to be kept in every cache, of data
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), codegen


@overload(touch, jit_options={"forceinline": True})
def _touch(array, i, j):
    return lambda array, i, j: _touch_line(array, i, j)


class Dense(NamedTuple):
    """Rows of a C-contiguous array.

    Attributes
    ----------
    values : ndarray of shape (n, d), float32 or float64
    """

    values: Any

    def row_dot(self, i, w, k):
        """Σⱼ x[i, j]·w[k, j] over the d columns."""
        x = self.values
        total = x[0, 0] * 0
        for j in range(x.shape[1]):
            total += x[i, j] * w[k, j]
        return total

    def row_axpy(self, i, scale, g, k):
        """Add scale·x[i, j] to g[k, j] for the d columns, in place."""
        x = self.values
        for j in range(x.shape[1]):
            g[k, j] += scale * x[i, j]

    def rows_dot(self, i0, i1, i2, i3, w):
        """The dot products of four rows with w[0], which they share in registers."""
        x = self.values
        z0 = z1 = z2 = z3 = x[0, 0] * 0
        for j in range(x.shape[1]):
            wj = w[0, j]
            z0 += x[i0, j] * wj
            z1 += x[i1, j] * wj
            z2 += x[i2, j] * wj
            z3 += x[i3, j] * wj
        return z0, z1, z2, z3

    def rows_axpy(self, i0, i1, i2, i3, c0, c1, c2, c3, g):
        """Add c0·x[i0] + c1·x[i1] + c2·x[i2] + c3·x[i3] to g[0], in place, with one store a weight."""
        x = self.values
        for j in range(x.shape[1]):
            g[0, j] += c0 * x[i0, j] + c1 * x[i1, j] + c2 * x[i2, j] + c3 * x[i3, j]

    def outputs_dot(self, i, w, k):
        """The dot products of row i with w[k], ..., w[k + 3], which share the row in registers."""
        x = self.values
        z0 = z1 = z2 = z3 = x[0, 0] * 0
        for j in range(x.shape[1]):
            xj = x[i, j]
            z0 += xj * w[k, j]
            z1 += xj * w[k + 1, j]
            z2 += xj * w[k + 2, j]
            z3 += xj * w[k + 3, j]
        return z0, z1, z2, z3

    def prefetch_row(self, i):
        """Ask the memory for row i, a cache line (64 bytes) at a time."""
        x = self.values
        for j in range(0, x.shape[1], 64 // x.itemsize):
            touch(x, i, j)
