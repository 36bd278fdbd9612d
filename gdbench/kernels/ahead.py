"""Steps of plain descent that prepare the margins of rows to come, in the one pass that has the weights in registers.

A step is w′ = keep·w + push·x, and the margin of the next row x′ is a sum over the w′ that it has just worked out.

Looking two rows ahead shortens the wait of a step for the one before: with keep = 1, w′·x′ = w·x′ + push·(x·x′), and both
products can be had before `push` is known. What must wait is then a handful of scalars, not a pass over memory.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdbench.kernels.compile.jit import INLINED
from gdbench.kernels.vectors import Emitter, prefetch_each_line, rows_at, shape_of, start_of_row


def settled(value):
    """The value itself, worked out before it meets others.

    What follows may not be rearranged into it: in (a·b)·c, c is often what a step waits for, and a·b should not wait with it.
    """
    return value


def rarely(condition):
    """The condition, which hardly ever holds: it is jumped on, so that nothing waits for what is chosen by it."""
    return condition


def step_and_dot(w, k, x, at, keep, push, base):
    """Take a step with one row of x, in place; return base + w·x[after], and ‖w‖² over the columns of x.

    Parameters
    ----------
    w : ndarray of shape (d,) or (K, d or more), in C order
        The weights, or all outputs' weights, of which row k.
    k : int
    x : ndarray of shape (n, d), in C order
    at : tuple of three ints
        The row of the step, the row after it, and one that is soon needed: the memory is asked for it on the way, a line at
        a time, so that no burst of requests has to wait.
    keep, push : floats of the arrays' type
        With 1 and 0 nothing moves, and the sums are the same to the bit as those after a step that led to these weights.
    base : float
        The sum begins with it: added at the end, it would be one more thing to wait for.

    Returns
    -------
    tuple of two floats
    """
    weights = w if w.ndim == 1 else w[k, : x.shape[1]]
    weights[:] = keep * weights + push * x[at[0]]
    return base + weights @ x[at[1]], weights @ weights


def step_and_look(w, x, at, push):
    """Take a step with one row of x, in place; return w·x[beyond], x[after]·x[beyond] and ‖w‖².

    Parameters
    ----------
    w : ndarray of shape (d,), in C order
    x : ndarray of shape (n, d), in C order
    at : tuple of four ints
        The row of the step, the row after it, the one beyond, and one that is soon needed, as above.
    push : float

    Returns
    -------
    tuple of three floats
    """
    w += push * x[at[0]]
    return w @ x[at[2]], x[at[1]] @ x[at[2]], w @ w


@intrinsic
def _settled(typingctx, value):
    def codegen(context, builder, signature, args):
        return Emitter(builder, args[0].type).settled(args[0])

    return value(value), codegen


@intrinsic
def _rarely(typingctx, condition):
    def codegen(context, builder, signature, args):
        bit = args[0].type
        expect = cgutils.get_or_insert_function(builder.module, ir.FunctionType(bit, [bit, bit]), "llvm.expect.i1")
        return builder.call(expect, [args[0], bit(0)])

    return types.boolean(types.boolean), codegen


@intrinsic
def _step_and_dot(typingctx, w, k, x, at, keep, push, base):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(x.dtype))
        weights = start_of_row(context, builder, kinds[0], args[0], args[1])
        row, after, far = rows_at(context, builder, kinds[2], args[2], args[3])

        def visit(j, width, sums):
            kept = out.multiply(out.spread(args[4], width), out.load(weights, j, width))
            moved = out.add_product(out.spread(args[5], width), out.load(row, j, width), kept)
            out.store(moved, weights, j, width)
            others = (out.load(after, j, width), moved)
            return [out.add_product(moved, other, total) for other, total in zip(others, sums, strict=True)]

        columns = shape_of(context, builder, kinds[2], args[2])[1]
        return cgutils.pack_array(builder, out.columns(columns, 2, visit, prefetch_each_line(out, [far]), args[6]))

    return types.UniTuple(x.dtype, 2)(w, types.intp, x, types.UniTuple(types.intp, 3), x.dtype, x.dtype, x.dtype), codegen


@intrinsic
def _step_and_look(typingctx, w, x, at, push):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(x.dtype))
        weights = context.make_array(kinds[0])(context, builder, args[0]).data
        row, after, beyond, far = rows_at(context, builder, kinds[1], args[1], args[2])

        def visit(j, width, sums):
            here, next_, later, before = (out.load(start, j, width) for start in (row, after, beyond, weights))
            moved = out.add_product(out.spread(args[3], width), here, before)
            out.store(moved, weights, j, width)
            pairs = ((moved, later), (next_, later), (moved, moved))
            return [out.add_product(a, b, total) for (a, b), total in zip(pairs, sums, strict=True)]

        columns = shape_of(context, builder, kinds[1], args[1])[1]
        return cgutils.pack_array(builder, out.columns(columns, 3, visit, prefetch_each_line(out, [far])))

    return types.UniTuple(x.dtype, 3)(w, x, types.UniTuple(types.intp, 4), x.dtype), codegen


@overload(settled, jit_options=INLINED)
def _settled_of(value):
    return lambda value: _settled(value)


@overload(rarely, jit_options=INLINED)
def _rarely_of(condition):
    return lambda condition: _rarely(condition)


# The passes read their arrays without gaps.


@overload(step_and_dot, jit_options=INLINED)
def _step_and_dot_of(w, k, x, at, keep, push, base):
    if w.layout != "C" or x.layout != "C":
        return None
    return lambda w, k, x, at, keep, push, base: _step_and_dot(w, k, x, at, keep, push, base)


@overload(step_and_look, jit_options=INLINED)
def _step_and_look_of(w, x, at, push):
    if w.layout != "C" or x.layout != "C":
        return None
    return lambda w, x, at, push: _step_and_look(w, x, at, push)
