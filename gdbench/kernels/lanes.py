"""Margins of many linear models that lie side by side: the lanes of a sweep, one next to the other for each column.

With the weights of all lanes for a column in one stretch of memory, a vector holds neighbouring lanes, and no sum over a
vector is ever needed: each lane's margin grows in its own place, in the order of the columns.
"""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic, overload

from gdbench.kernels.jit import INLINED
from gdbench.kernels.vectors import Emitter, emit_prefetch, rows_at, shape_of, start_of_row, widest

#: Lanes come in multiples of this, or the compiler's loops over them would end in single steps; a descent fills up with
#: copies of its last one.
LANES = 16

#: With fewer lanes than this, filling up costs more than lying side by side gains.
FEWEST = 12

#: Vectors of sums at a time: enough to hide a product's latency, and half of those that a processor holds.
AT_ONCE = 8

#: The same for a step, which holds a vector of steps for each of sums, and one of what is kept.
STEPS_AT_ONCE = 4


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


def lanes_step_and_dot(w, x, at, keep, push, learns, z):
    """Take a step with one row of x in each lane, in place, and write the margins of the row after it to z.

    Parameters
    ----------
    w : ndarray of shape (K, d + 1), in Fortran order
        K a multiple of LANES.
    x : ndarray of shape (n, d), in C order
    at : tuple of three ints
        The row of the step, the row after it, and one that is soon needed: the memory is asked for it on the way.
    keep : ndarray of shape (K,), or None for 1
    push : ndarray of shape (K,)
        w[k, :-1] becomes keep[k]·w[k, :-1] + push[k]·x[i].
    learns : float
        What of `push` is added to the intercept: 1 or 0.
    z : ndarray of shape (K,)
        Overwritten.
    """
    kept = w[:, :-1] if keep is None else keep[:, None] * w[:, :-1]
    w[:, :-1] = kept + push[:, None] * x[at[0]]
    w[:, -1] += learns * push
    z[:] = w[:, :-1] @ x[at[1]] + w[:, -1]


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


@intrinsic
def _lanes_step_and_dot(typingctx, w, x, at, keep, push, learns, z):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(x.dtype), widest())
        weights, pushes, margins = (context.make_array(kinds[n])(context, builder, args[n]).data for n in (0, 4, 6))
        keeps = None if isinstance(keep, types.NoneType) else context.make_array(keep)(context, builder, args[3]).data
        row, after, far = rows_at(context, builder, kinds[1], args[1], args[2])
        lanes, columns = shape_of(context, builder, kinds[0], args[0])[0], shape_of(context, builder, kinds[1], args[1])[1]
        width = out.width

        def neighbours(pointer, first, number, load=out.load):
            return [load(pointer, builder.add(first, out.number(n * width)), width) for n in range(number)]

        def some(number):
            def visit(k, _):
                # What these hold has only just been stored.
                steps = neighbours(pushes, k, number, out.load_in_parts)
                kept = neighbours(keeps, k, number, out.load_in_parts) if keeps is not None else [None] * number

                def column(j, totals):
                    emit_prefetch(builder, builder.gep(far, [j]))
                    here, next_ = (out.spread(out.load(start, j, 1), width) for start in (row, after))
                    base = builder.add(builder.mul(j, lanes), k)
                    new = []
                    for n, total in enumerate(totals):
                        place = builder.add(base, out.number(n * width))
                        before = out.load(weights, place, width)
                        before = before if kept[n] is None else out.multiply(kept[n], before)
                        moved = out.add_product(steps[n], here, before)
                        out.store(moved, weights, place, width)
                        new.append(out.add_product(moved, next_, total))
                    return new

                end = builder.add(builder.mul(columns, lanes), k)
                learnt = out.spread(args[5], width)
                intercepts = [
                    out.add_product(learnt, step, before)
                    for step, before in zip(steps, neighbours(weights, end, number), strict=True)
                ]
                for n, intercept in enumerate(intercepts):
                    out.store(intercept, weights, builder.add(end, out.number(n * width)), width)
                _, totals = out.loop(out.number(0), 1, columns, intercepts, column)
                for n, total in enumerate(totals):
                    out.store(total, margins, builder.add(k, out.number(n * width)), width)
                return []

            return visit

        k, _ = out.loop(out.number(0), STEPS_AT_ONCE * width, lanes, [], some(STEPS_AT_ONCE))
        if STEPS_AT_ONCE * width > LANES:
            out.loop(k, LANES, lanes, [], some(LANES // width))
        return context.get_dummy_value()

    return types.void(w, x, types.UniTuple(types.intp, 3), keep, push, x.dtype, z), codegen


@overload(lanes_step_and_dot, jit_options=INLINED)
def _lanes_step_and_dot_of(w, x, at, keep, push, learns, z):
    if w.layout != "F" or x.layout != "C":
        return None
    return lambda w, x, at, keep, push, learns, z: _lanes_step_and_dot(w, x, at, keep, push, learns, z)


@overload(lanes_dot, jit_options=INLINED)
def _lanes_dot_of(w, x, i, z):
    if w.layout != "F" or x.layout != "C":
        return None  # the sums read their arrays without gaps
    return lambda w, x, i, z: _lanes_dot(w, x, i, z)
