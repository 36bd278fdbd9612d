"""A step of stochastic descent that prepares the margin two rows ahead.

A step of plain descent is w′ = w + push·x, so the margin of the next row x′ is w′·x′ = w·x′ + push·(x·x′): both products can
be had before `push` is known. One pass over the columns takes a step and finds the products for the row after
next; what must wait for the step before is then a handful of scalars, not a pass over memory.
"""

from __future__ import annotations

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdbench.kernels.data import emit_prefetch
from gdbench.kernels.jit import FASTMATH

INDEX = ir.IntType(64)
FLAGS = tuple(sorted(FASTMATH))


def step_and_look(w, x, i, after, beyond, far, push):
    """Write w ← w + push·x[i]; return w·x[beyond], x[after]·x[beyond] and ‖w‖².

    On the way the memory is asked for row `far`, a line at a time, so that no burst of requests has to wait.
    """
    w += push * x[i]
    return w @ x[beyond], x[after] @ x[beyond], w @ w


# The vectoriser would test on each pass whether w overlaps x, and sum a short remainder value by value. The pass is
# therefore written in vectors: two at a time, then one, then half of one, down to a single value.


class _Pass:
    """Emits one pass over the columns."""

    def __init__(self, builder, real, pointers, columns, push):
        self.builder, self.real, self.pointers, self.columns, self.push = builder, real, pointers, columns, push
        self.size = 4 if isinstance(real, ir.FloatType) else 8

    def kind(self, width):
        return ir.VectorType(self.real, width) if width > 1 else self.real

    def lanes(self, places):
        return ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)

    def spread(self, value, width):
        """The same scalar in every lane."""
        if width == 1:
            return value
        nothing = ir.Constant(self.kind(width), ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(first, nothing, self.lanes([0] * width))

    def place(self, pointer, j, width):
        return self.builder.bitcast(self.builder.gep(pointer, [j]), self.kind(width).as_pointer())

    def ask(self, j):
        """A hint for the line of the far row's column j."""
        emit_prefetch(self.builder, self.builder.gep(self.pointers[4], [j]))

    def add_product(self, a, b, total):
        return self.builder.fadd(total, self.builder.fmul(a, b, flags=FLAGS), flags=FLAGS)

    def visit(self, j, width, sums, push):
        """`width` columns from j on: move the weights, add to the three sums."""
        at_w, at_x, at_after, at_beyond = (self.place(pointer, j, width) for pointer in self.pointers[:4])
        x, after, beyond, w = (self.builder.load(at, align=self.size) for at in (at_x, at_after, at_beyond, at_w))
        w = self.add_product(push, x, w)
        self.builder.store(w, at_w, align=self.size)
        return [self.add_product(a, b, total) for (a, b), total in zip(((w, beyond), (after, beyond), (w, w)), sums, strict=True)]

    def pairs(self, width):
        """Two vectors at a time, each with its own three sums, while there are so many columns; the next column, and the sums."""
        builder = self.builder
        push = self.spread(self.push, width)
        before = builder.block
        head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
        builder.branch(head)
        builder.position_at_end(head)
        j = builder.phi(INDEX)
        sums = [builder.phi(self.kind(width)) for _ in range(6)]
        following = builder.add(j, ir.Constant(INDEX, 2 * width))
        builder.cbranch(builder.icmp_signed("<=", following, self.columns), body, end)
        builder.position_at_end(body)
        second = builder.add(j, ir.Constant(INDEX, width))
        for at in (j, second) if width * self.size == 64 else (j,):
            self.ask(at)
        new = self.visit(j, width, sums[:3], push) + self.visit(second, width, sums[3:], push)
        j.add_incoming(ir.Constant(INDEX, 0), before)
        j.add_incoming(following, body)
        for phi, value in zip(sums, new, strict=True):
            phi.add_incoming(ir.Constant(self.kind(width), [0.0] * width), before)
            phi.add_incoming(value, body)
        builder.branch(head)
        builder.position_at_end(end)
        return j, [builder.fadd(a, b, flags=FLAGS) for a, b in zip(sums[:3], sums[3:], strict=True)]

    def once(self, j, width, sums):
        """One vector more, if there are so many columns; the next column, and the sums."""
        builder = self.builder
        before = builder.block
        body, end = (builder.append_basic_block(name) for name in ("body", "end"))
        following = builder.add(j, ir.Constant(INDEX, width))
        builder.cbranch(builder.icmp_signed("<=", following, self.columns), body, end)
        builder.position_at_end(body)
        if width * self.size >= 32:
            self.ask(j)
        new = self.visit(j, width, sums, self.spread(self.push, width))
        builder.branch(end)
        builder.position_at_end(end)
        merged = []
        for skipped, visited in zip((j, *sums), (following, *new), strict=True):
            phi = builder.phi(skipped.type)
            phi.add_incoming(skipped, before)
            phi.add_incoming(visited, body)
            merged.append(phi)
        return merged[0], merged[1:]

    def halved(self, vector, width):
        """The upper half of a vector added to the lower."""
        if width == 2:
            low, high = (self.builder.extract_element(vector, ir.Constant(ir.IntType(32), n)) for n in (0, 1))
        else:
            places = list(range(width))
            halves = (places[: width // 2], places[width // 2 :])
            low, high = (self.builder.shuffle_vector(vector, vector, self.lanes(half)) for half in halves)
        return self.builder.fadd(low, high, flags=FLAGS)

    def emit(self, width):
        """The whole pass; the three sums."""
        j, sums = self.pairs(width)
        while True:
            j, sums = self.once(j, width, sums)
            if width == 1:
                return sums
            sums = [self.halved(vector, width) for vector in sums]
            width //= 2


@intrinsic
def _step_and_look(typingctx, w, x, i, after, beyond, far, push):
    real = x.dtype

    def codegen(context, builder, signature, args):
        kinds, zero = signature.args, ir.Constant(INDEX, 0)
        weights, rows = (context.make_array(kinds[n])(context, builder, args[n]) for n in (0, 1))

        def pointer(kind, view, *place):
            return cgutils.get_item_pointer(context, builder, kind, view, place, wraparound=False)

        pointers = [pointer(kinds[1], rows, args[n], zero) for n in (2, 3, 4, 5)]
        pointers.insert(0, pointer(kinds[0], weights, zero))
        columns = cgutils.unpack_tuple(builder, rows.shape)[1]
        wide = 64 if llvm.get_host_cpu_features().get("avx512f", False) else 32
        sums = _Pass(builder, context.get_value_type(real), pointers, columns, args[6]).emit(wide * 8 // real.bitwidth)
        return cgutils.pack_array(builder, sums)

    return types.UniTuple(real, 3)(w, x, types.intp, types.intp, types.intp, types.intp, real), codegen


@overload(step_and_look, jit_options={"forceinline": True})
def _overload(w, x, i, after, beyond, far, push):
    if w.layout != "C" or x.layout != "C":
        return None  # the pass reads its arrays without gaps
    return lambda w, x, i, after, beyond, far, push: _step_and_look(w, x, i, after, beyond, far, push)
