"""Margins of many linear models that lie side by side: the lanes of a sweep, one next to the other for each column.

With the weights of all lanes for a column in one stretch of memory, a vector holds neighbouring lanes, and no sum over a
vector is ever needed: each lane's margin grows in its own place, in the order of the columns.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdbench.kernels.compile.jit import INLINED
from gdbench.kernels.vectors import Emitter, emit_prefetch, rows_at, shape_of, start_of_row, widest

#: Lanes come in multiples of this, or the compiler's loops over them would end in single steps; a descent fills up with
#: copies of its last one.
LANES = 16

#: With fewer lanes than this, filling up costs more than lying side by side gains.
FEWEST = 12

#: Vectors of sums at a time: enough to hide a product's latency, and half of those that a processor holds.
AT_ONCE = 8


def steps_at_once() -> int:
    """The same for steps: beside two sums, a vector of lanes then holds for each step what is added and what is kept."""
    return 4 if widest() == 64 else 2


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


def lanes_move_and_look(w, x, rows, keeps, pushes, looks, far, z):
    """Take steps with some rows of x in each lane, in place, and write dot products of others with the weights then to z.

    What takes the time is reading and writing the weights: two steps in one pass take little longer than one.

    Parameters
    ----------
    w : ndarray of shape (K, d + 1), in Fortran order
        K a multiple of LANES. The last column, the intercepts, is left alone.
    x : ndarray of shape (n, d), in C order
    rows : tuple of ints
        The steps' rows, in their order.
    keeps, pushes : tuples of as many ndarrays of shape (K,); in `keeps` None for 1
        A step makes keep[k]·w[k, :-1] + push[k]·x[i] of w[k, :-1].
    looks : tuple of ints
        The rows to be multiplied with the weights.
    far : tuple of ints
        Rows that are soon needed: the memory is asked for them on the way.
    z : ndarray of shape (looks or more, K)
        Overwritten.
    """
    for i, keep, push in zip(rows, keeps, pushes, strict=True):
        w[:, :-1] = (w[:, :-1] if keep is None else keep[:, None] * w[:, :-1]) + push[:, None] * x[i]
    for n, i in enumerate(looks):
        z[n] = w[:, :-1] @ x[i]


@intrinsic
def _lanes_dot(typingctx, w, x, i, z):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(x.dtype), widest())
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


def _pointers(context: Any, builder: Any, kinds: Any, arrays: Any) -> list:
    """Where the arrays of a tuple begin; None for None."""
    pairs = zip(kinds, cgutils.unpack_tuple(builder, arrays), strict=True)
    return [None if kind == types.none else context.make_array(kind)(context, builder, array).data for kind, array in pairs]


@intrinsic
def _lanes_move_and_look(typingctx, w, x, rows, keeps, pushes, looks, far, z):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(x.dtype), widest())
        weights = context.make_array(kinds[0])(context, builder, args[0]).data
        here, ahead, asked = (rows_at(context, builder, kinds[1], args[1], args[n]) for n in (2, 5, 6))
        kept, pushed = (_pointers(context, builder, kinds[n], args[n]) for n in (3, 4))
        margins = [start_of_row(context, builder, kinds[7], args[7], out.number(n)) for n in range(len(ahead))]
        lanes, columns = shape_of(context, builder, kinds[0], args[0])[0], shape_of(context, builder, kinds[1], args[1])[1]
        width = out.width

        def some(number):
            def held(pointer, k):
                # What these hold has only just been stored.
                return [
                    None if pointer is None else out.load_in_parts(pointer, builder.add(k, out.number(n * width)), width)
                    for n in range(number)
                ]

            def visit(k, _):
                steps = [(held(keep, k), held(push, k)) for keep, push in zip(kept, pushed, strict=True)]

                def column(j, totals):
                    for start in asked:
                        emit_prefetch(builder, builder.gep(start, [j]))
                    values, seen = ([out.spread(out.load(row, j, 1), width) for row in some] for some in (here, ahead))
                    base = builder.add(builder.mul(j, lanes), k)
                    new = list(totals)
                    for n in range(number):
                        place = builder.add(base, out.number(n * width))
                        weight = out.load(weights, place, width)
                        for (keep, push), value in zip(steps, values, strict=True):
                            weight = weight if keep[n] is None else out.multiply(keep[n], weight)
                            weight = out.add_product(push[n], value, weight)
                        if steps:
                            out.store(weight, weights, place, width)
                        for m, value in enumerate(seen):
                            new[m * number + n] = out.add_product(weight, value, totals[m * number + n])
                    return new

                _, totals = out.loop(out.number(0), 1, columns, [out.zero(width)] * (len(ahead) * number), column)
                for m, margin in enumerate(margins):
                    for n in range(number):
                        out.store(totals[m * number + n], margin, builder.add(k, out.number(n * width)), width)
                return []

            return visit

        most = steps_at_once()
        k, _ = out.loop(out.number(0), most * width, lanes, [], some(most))
        if most * width > LANES:
            out.loop(k, LANES, lanes, [], some(LANES // width))
        return context.get_dummy_value()

    numbers = [types.UniTuple(types.intp, len(some)) for some in (rows, looks, far)]
    return types.void(w, x, numbers[0], keeps, pushes, *numbers[1:], z), codegen


@overload(lanes_move_and_look, jit_options=INLINED)
def _lanes_move_and_look_of(w, x, rows, keeps, pushes, looks, far, z):
    if w.layout != "F" or x.layout != "C":
        return None
    return lambda w, x, rows, keeps, pushes, looks, far, z: _lanes_move_and_look(w, x, rows, keeps, pushes, looks, far, z)


@overload(lanes_dot, jit_options=INLINED)
def _lanes_dot_of(w, x, i, z):
    if w.layout != "F" or x.layout != "C":
        return None  # the sums read their arrays without gaps
    return lambda w, x, i, z: _lanes_dot(w, x, i, z)
