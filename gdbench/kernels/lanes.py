"""Margins of many linear models that lie side by side: the lanes of a sweep, one next to the other for each column.

With the weights of all lanes for a column in one stretch of memory, a vector holds neighbouring lanes, and no sum over a
vector is ever needed: each lane's margin grows in its own place, in the order of the columns.
"""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic, overload

from gdbench.kernels.jit import INLINED
from gdbench.kernels.vectors import Emitter, shape_of, start_of_row

#: Lanes come in multiples of this, or the compiler's loops over them would end in single steps; a descent fills up with
#: copies of its last one.
LANES = 16

#: With fewer lanes than this, filling up costs more than lying side by side gains.
FEWEST = 12

#: Vectors of sums at a time: enough to hide a product's latency, and half of those that a processor holds.
AT_ONCE = 8


def lanes_dot(w, x, i, z):
    """Write w[k, :-1]·x[i] + w[k, -1] to z[k] for each lane k.

    Parameters
    ----------
    w : ndarray of shape (K, d + 1), in Fortran order
        K a multiple of LANES.
    x : ndarray of shape (n, d), in C order
    i : int
    z : ndarray of shape (K,)
        Overwritten.
    """
    z[:] = w[:, :-1] @ x[i] + w[:, -1]


@intrinsic
def _lanes_dot(typingctx, w, x, i, z):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(x.dtype))
        weights, margins = (context.make_array(kinds[n])(context, builder, args[n]).data for n in (0, 3))
        row = start_of_row(context, builder, kinds[1], args[1], args[2])
        lanes, columns = shape_of(context, builder, kinds[0], args[0])[0], shape_of(context, builder, kinds[1], args[1])[1]
        width = out.width

        def neighbours(j, k, number):
            base = builder.add(builder.mul(j, lanes), k)
            return [out.load(weights, builder.add(base, out.number(n * width)), width) for n in range(number)]

        def some(number):
            def visit(k, _):
                def column(j, totals):
                    xj = out.spread(out.load(row, j, 1), width)
                    pairs = zip(neighbours(j, k, number), totals, strict=True)
                    return [out.add_product(weight, xj, total) for weight, total in pairs]

                _, totals = out.loop(out.number(0), 1, columns, neighbours(columns, k, number), column)
                for n, total in enumerate(totals):
                    out.store(total, margins, builder.add(k, out.number(n * width)), width)
                return []

            return visit

        k, _ = out.loop(out.number(0), AT_ONCE * width, lanes, [], some(AT_ONCE))
        out.loop(k, LANES, lanes, [], some(LANES // width))
        return context.get_dummy_value()

    return types.void(w, x, types.intp, z), codegen


@overload(lanes_dot, jit_options=INLINED)
def _overload(w, x, i, z):
    if w.layout != "F" or x.layout != "C":
        return None  # the sums read their arrays without gaps
    return lambda w, x, i, z: _lanes_dot(w, x, i, z)
