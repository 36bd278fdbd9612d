"""The dot product of a sparse row: the weights at its columns, gathered one by one.

The compiler would put four gathered weights at a time into a vector, which takes longer than to use them where they are.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic, overload

from gdbench.kernels.compile.jit import INLINED
from gdbench.kernels.vectors import INDEX, Emitter

#: Sums at a time: enough to hide a product's latency.
SUMS = 4


def gathered_dot(values, indices, first, last, w, zero):
    """Σ values[p]·w[indices[p]] over the places p from `first` up to `last`, in the type of `zero`.

    Parameters
    ----------
    values : ndarray of shape (stored,)
    indices : ndarray of shape (stored,), uint32 or uint64
    first, last : uint64
    w : ndarray of shape (d,), of the values' type
    zero : float
        0 in the type of the sums, which is that of the values or a wider one.
    """
    kind = type(zero)
    return zero + values[first:last].astype(kind) @ w[indices[first:last]].astype(kind)


@intrinsic
def _gathered_dot(typingctx, values, indices, first, last, w, zero):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        wide = context.get_value_type(zero)
        out = Emitter(builder, wide)
        stored, places, weights = (context.make_array(kinds[n])(context, builder, args[n]).data for n in (0, 1, 4))

        def widened(number: Any) -> Any:
            return number if number.type == wide else builder.fpext(number, wide)

        def product(p: Any, total: Any) -> Any:
            column = builder.load(builder.gep(places, [p]))
            column = column if column.type == INDEX else builder.zext(column, INDEX)
            weight, value = (widened(builder.load(builder.gep(at, [n]))) for at, n in ((weights, column), (stored, p)))
            # Not the emitter's fused product, which took a tenth longer; no leave to reorder, which would bring vectors back.
            return builder.fadd(total, builder.fmul(value, weight, flags=("contract",)), flags=("contract",))

        def some(p: Any, totals: list) -> list:
            return [product(builder.add(p, out.number(n)), total) for n, total in enumerate(totals)]

        p, totals = out.loop(args[2], SUMS, args[3], [args[5]] * SUMS, some)
        total = out.add(out.add(totals[0], totals[1]), out.add(totals[2], totals[3]))
        return out.loop(p, 1, args[3], [total], lambda p, rest: [product(p, rest[0])])[1][0]

    return zero(values, indices, types.uint64, types.uint64, w, zero), codegen


@overload(gathered_dot, jit_options=INLINED)
def _overload(values, indices, first, last, w, zero):
    if w.layout != "C" or values.layout != "C" or indices.layout != "C" or values.dtype != w.dtype:
        return None  # the sums read their arrays without gaps
    return lambda values, indices, first, last, w, zero: _gathered_dot(values, indices, first, last, w, zero)
