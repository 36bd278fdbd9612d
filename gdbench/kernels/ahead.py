"""A step of stochastic descent that prepares the margin two rows ahead.

A step of plain descent is w′ = w + push·x, so the margin of the next row x′ is w′·x′ = w·x′ + push·(x·x′): both products can
be had before `push` is known. One pass over the columns takes a step and finds the products for the row after
next; what must wait for the step before is then a handful of scalars, not a pass over memory.
"""

from __future__ import annotations

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdbench.kernels.jit import INLINED
from gdbench.kernels.vectors import Emitter, emit_prefetch, shape_of, start_of_row


def step_and_look(w, x, i, after, beyond, far, push):
    """Write w ← w + push·x[i]; return w·x[beyond], x[after]·x[beyond] and ‖w‖².

    On the way the memory is asked for row `far`, a line at a time, so that no burst of requests has to wait.
    """
    w += push * x[i]
    return w @ x[beyond], x[after] @ x[beyond], w @ w


@intrinsic
def _step_and_look(typingctx, w, x, i, after, beyond, far, push):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(x.dtype))
        weights = context.make_array(kinds[0])(context, builder, args[0]).data
        at_x, at_after, at_beyond, at_far = (start_of_row(context, builder, kinds[1], args[1], args[n]) for n in (2, 3, 4, 5))

        def ask(j):
            emit_prefetch(builder, builder.gep(at_far, [j]))

        def visit(j, width, sums):
            row, next_, later, before = (out.load(at, j, width) for at in (at_x, at_after, at_beyond, weights))
            moved = out.add_product(out.spread(args[6], width), row, before)
            out.store(moved, weights, j, width)
            pairs = ((moved, later), (next_, later), (moved, moved))
            return [out.add_product(a, b, total) for (a, b), total in zip(pairs, sums, strict=True)]

        columns = shape_of(context, builder, kinds[1], args[1])[1]
        return cgutils.pack_array(builder, out.columns(columns, 3, visit, ask))

    return types.UniTuple(x.dtype, 3)(w, x, types.intp, types.intp, types.intp, types.intp, x.dtype), codegen


@overload(step_and_look, jit_options=INLINED)
def _overload(w, x, i, after, beyond, far, push):
    if w.layout != "C" or x.layout != "C":
        return None  # the pass reads its arrays without gaps
    return lambda w, x, i, after, beyond, far, push: _step_and_look(w, x, i, after, beyond, far, push)
