"""Passes over rows, written in the processor's vectors.

The compiler's own vectors would test on each pass whether its arrays overlap, and sum what is left of a short row value by
value: at 20 columns that takes longer than the rest. The passes of this module go several vectors at a time, each with a sum
of its own, and through what is left by half as many, down to a single value. Their arithmetic is not rearranged: the same
pass gets the same bits, whatever is done beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdbench.kernels.aligned import LINE
from gdbench.kernels.compile.jit import INLINED

INDEX = ir.IntType(64)
PLACE = ir.IntType(32)

Visit = Callable[[Any, int, list], list]


#: Bytes in the vectors of a pass along a row. Longer ones gain nothing on short rows; and the compiler's own loops, which write
#: the weights between two passes, use these: a load that spans two stores has to wait for both.
ALONG = 32


def widest() -> int:
    """Bytes in the widest vector of this processor."""
    return 64 if llvm.get_host_cpu_features().get("avx512f", False) else 32


def unroll_factor(sums: int) -> int:
    """Vectors that a pass along a row goes through at a time: few sums would wait for themselves, many fill the registers."""
    most = 12 if widest() == 64 else 8  # of 32 registers, or of 16
    return 4 if 0 < 4 * sums <= most else 2


class Emitter:
    """Emits loops over vectors of one kind of number."""

    def __init__(self, builder: Any, real: Any, wide: int = ALONG):
        self.builder, self.real = builder, real
        self.size = 4 if isinstance(real, ir.FloatType) else 8
        self.width = wide // self.size

    def number(self, value: int) -> Any:
        return ir.Constant(INDEX, value)

    def kind(self, width: int) -> Any:
        return ir.VectorType(self.real, width) if width > 1 else self.real

    def zero(self, width: int) -> Any:
        return ir.Constant(self.kind(width), [0.0] * width if width > 1 else 0.0)

    def spread(self, value: Any, width: int) -> Any:
        """The same scalar in every place of a vector."""
        if width == 1:
            return value
        nothing = ir.Constant(self.kind(width), ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(PLACE, 0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(PLACE, width), [0] * width))

    def at(self, pointer: Any, j: Any, width: int) -> Any:
        """The address of the vector that begins j values on."""
        return self.builder.bitcast(self.builder.gep(pointer, [j]), self.kind(width).as_pointer())

    def load(self, pointer: Any, j: Any, width: int) -> Any:
        return self.builder.load(self.at(pointer, j, width), align=self.size)

    def load_in_parts(self, pointer: Any, j: Any, width: int) -> Any:
        """The same in loads as long as the stores of the compiler's loops: one that spans two of them waits for the cache."""
        part = ALONG // self.size
        if width <= part:
            return self.load(pointer, j, width)
        low, high = (self.settled(self.load(pointer, self.builder.add(j, self.number(n)), part)) for n in (0, part))
        return self.builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(PLACE, width), list(range(width))))

    def store(self, vector: Any, pointer: Any, j: Any, width: int) -> None:
        self.builder.store(vector, self.at(pointer, j, width), align=self.size)

    def add(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def call(self, name: str, *values: Any) -> Any:
        """One of LLVM's functions of like numbers or vectors to one of their kind."""
        kind = values[0].type
        letter = "f32" if self.size == 4 else "f64"
        name = f"llvm.{name}.v{kind.count}{letter}" if isinstance(kind, ir.VectorType) else f"llvm.{name}.{letter}"
        function = cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(kind, [kind] * len(values)), name)
        return self.builder.call(function, values)

    def add_product(self, a: Any, b: Any, total: Any) -> Any:
        """total + a·b, fused where the processor can."""
        return self.call("fmuladd", a, b, total)

    def settled(self, value: Any) -> Any:
        """The value, worked out as it stands: nothing around it is rearranged into it."""
        return self.call("arithmetic.fence", value)

    def halved(self, vector: Any, width: int) -> Any:
        """The upper half of a vector added to the lower."""
        if width == 2:
            low, high = (self.builder.extract_element(vector, ir.Constant(PLACE, n)) for n in (0, 1))
        else:
            places, half = ir.VectorType(PLACE, width // 2), width // 2
            low, high = (
                self.builder.shuffle_vector(vector, vector, ir.Constant(places, list(range(first, first + half))))
                for first in (0, half)
            )
        return self.add(low, high)

    def loop(self, start: Any, stride: int, end: Any, carried: list, body: Callable[[Any, list], list]) -> tuple[Any, list]:
        """``while j + stride <= end: carried = body(j, carried); j += stride`` from j = start; j and `carried` at the end."""
        builder = self.builder
        before = builder.block
        head, inside, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        phis = [builder.phi(value.type) for value in (start, *carried)]
        following = builder.add(phis[0], self.number(stride))
        builder.cbranch(builder.icmp_signed("<=", following, end), inside, after)
        builder.position_at_end(inside)
        new = body(phis[0], phis[1:])
        for phi, first, later in zip(phis, (start, *carried), (following, *new), strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return phis[0], phis[1:]

    def once(self, start: Any, stride: int, end: Any, carried: list, body: Callable[[Any, list], list]) -> tuple[Any, list]:
        """The same with ``if`` for ``while``."""
        builder = self.builder
        before = builder.block
        inside, after = (builder.append_basic_block(name) for name in ("body", "after"))
        following = builder.add(start, self.number(stride))
        builder.cbranch(builder.icmp_signed("<=", following, end), inside, after)
        builder.position_at_end(inside)
        new = body(start, carried)
        inside = builder.block
        builder.branch(after)
        builder.position_at_end(after)
        phis = [builder.phi(value.type) for value in (start, *carried)]
        for phi, first, later in zip(phis, (start, *carried), (following, *new), strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, inside)
        return phis[0], phis[1:]

    def columns(
        self,
        end: Any,
        sums: int,
        visit: Visit,
        each_line: Callable[[Any], None] = lambda j: None,
        base: Any = None,
        number: int = 0,
    ) -> list:
        """Visit all columns up to `end`; that many sums over them, each from 0, but the first from `base` if that is given.

        ``visit(j, width, totals)`` handles `width` columns from j on and returns the totals with theirs added;
        ``each_line(j)`` is called where a cache line of columns begins; `number` vectors are gone through at a time, or as
        many as suit the sums.
        """
        width, number = self.width, number or unroll_factor(sums)

        def several(count: int) -> Callable[[Any, list], list]:
            def body(j: Any, totals: list) -> list:
                new = []
                for n in range(count):
                    place = self.builder.add(j, self.number(n * width))
                    if n * width * self.size % LINE == 0 and 2 * width * self.size >= LINE:
                        each_line(place)
                    new += visit(place, width, totals[n * sums : (n + 1) * sums])
                return new

            return body

        starts = [self.zero(width)] * (number * sums)
        if base is not None:
            starts[0] = self.builder.insert_element(starts[0], base, ir.Constant(PLACE, 0))
        j, totals = self.loop(self.number(0), number * width, end, starts, several(number))
        while number > 1:
            number //= 2
            totals = [self.add(a, b) for a, b in zip(totals[: number * sums], totals[number * sums :], strict=True)]
            j, totals = self.once(j, number * width, end, totals, several(number))
        while width > 1:
            totals = [self.halved(total, width) for total in totals]
            width //= 2
            j, totals = self.once(j, width, end, totals, several(1))
        return totals


#: The last argument but one of LLVM's prefetch: into the second-level cache, or into all.
SECOND_LEVEL, FIRST_LEVEL = 2, 3


def emit_prefetch(builder, address, level=FIRST_LEVEL):
    """Emit the hint for the cache line at an address."""
    word = ir.IntType(32)
    pointer = builder.bitcast(address, ir.IntType(8).as_pointer())
    kinds = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
    hint = cgutils.get_or_insert_function(builder.module, kinds, "llvm.prefetch.p0")
    builder.call(hint, [pointer, word(0), word(level), word(1)])  # a read, of data


def start_of_row(context: Any, builder: Any, kind: Any, array: Any, i: Any) -> Any:
    """The address of an array's row i; that of the array, if it has one dimension."""
    view = context.make_array(kind)(context, builder, array)
    if kind.ndim == 1:
        return view.data
    return cgutils.get_item_pointer(context, builder, kind, view, (i, ir.Constant(INDEX, 0)), wraparound=False)


def shape_of(context: Any, builder: Any, kind: Any, array: Any) -> list:
    """The numbers of rows and columns."""
    return cgutils.unpack_tuple(builder, context.make_array(kind)(context, builder, array).shape)


def dots(rows, numbers, with_, k, columns, near):
    """The dot products of some rows of one array, over the first columns, with row k of another.

    On the way the rows `near` are prefetched, a line at a time: a burst of requests would have to wait for itself.

    Parameters
    ----------
    rows, with_ : ndarrays in C order
        The other may be of one dimension; it is then the row.
    numbers : tuple of ints
        The rows; they share each load of the other.
    k, columns : int
    near : tuple of ints
        Rows of the first array that are soon needed; may be empty.

    Returns
    -------
    tuple of floats
    """
    other = with_ if with_.ndim == 1 else with_[k, :columns]
    return tuple([rows[i, :columns] @ other for i in numbers])


def dot_like_four(rows, i, with_, k, columns, near):
    """The dot product of one row, summed like each of four in :func:`dots`: to the same bits."""
    return dots(rows, (i,), with_, k, columns, ())[0]


def prefetch_lines(array, i, size):
    """Prefetch the first `size` bytes of an array's row i into the second-level cache."""


def add_multiples(to, k, rows, numbers, scales, columns, near):
    """Add the sum of scale·row, of some rows of an array over its first columns, to row k of another, in place.

    Parameters
    ----------
    to, rows : ndarrays in C order
        `to` is written.
    numbers : tuple of ints
    scales : tuple of as many floats, of the arrays' type
    k, columns : int
    near : tuple of ints
        As for :func:`dots`.
    """
    for i, scale in zip(numbers, scales, strict=True):
        to[k, :columns] += scale * rows[i, :columns]


def rows_at(context: Any, builder: Any, kind: Any, array: Any, places: Any) -> list:
    """The addresses of an array's rows, from the tuple of their numbers."""
    return [start_of_row(context, builder, kind, array, place) for place in cgutils.unpack_tuple(builder, places)]


def prefetch_each_line(out: Emitter, starts: list) -> Callable[[Any], None]:
    """What :meth:`Emitter.columns` calls where a line begins: a request for that line of each row that begins at `starts`."""

    def ask(j: Any) -> None:
        for start in starts:
            emit_prefetch(out.builder, out.builder.gep(start, [j]))

    return ask


def _emit_dots(context: Any, builder: Any, signature: Any, args: Any, number: int = 0) -> list:
    """The sums of :func:`dots`, `number` vectors at a time or as many as suit them."""
    kinds = signature.args
    out = Emitter(builder, context.get_value_type(kinds[0].dtype))
    starts = rows_at(context, builder, kinds[0], args[0], args[1])
    other = start_of_row(context, builder, kinds[2], args[2], args[3])

    def visit(j: Any, width: int, totals: list) -> list:
        shared = out.load(other, j, width)
        return [out.add_product(out.load(row, j, width), shared, total) for row, total in zip(starts, totals, strict=True)]

    ask = prefetch_each_line(out, rows_at(context, builder, kinds[0], args[0], args[5]))
    return out.columns(args[4], len(starts), visit, ask, number=number)


@intrinsic
def _dots(typingctx, rows, numbers, with_, k, columns, near):
    def codegen(context, builder, signature, args):
        return cgutils.pack_array(builder, _emit_dots(context, builder, signature, args))

    numbers_of, near_of = types.UniTuple(types.intp, len(numbers)), types.UniTuple(types.intp, len(near))
    return types.UniTuple(rows.dtype, len(numbers))(rows, numbers_of, with_, types.intp, types.intp, near_of), codegen


@intrinsic
def _dot_like_four(typingctx, rows, numbers, with_, k, columns, near):
    def codegen(context, builder, signature, args):
        return _emit_dots(context, builder, signature, args, unroll_factor(4))[0]

    numbers_of, near_of = types.UniTuple(types.intp, 1), types.UniTuple(types.intp, len(near))
    return rows.dtype(rows, numbers_of, with_, types.intp, types.intp, near_of), codegen


@intrinsic
def _prefetch_lines(typingctx, array, i, size):
    def codegen(context, builder, signature, args):
        out = Emitter(builder, context.get_value_type(array.dtype))
        byte = ir.IntType(8).as_pointer()
        start = builder.ptrtoint(start_of_row(context, builder, signature.args[0], args[0], args[1]), INDEX)
        end = builder.add(start, args[2])

        def line(address, _):
            emit_prefetch(builder, builder.inttoptr(address, byte), SECOND_LEVEL)
            return []

        # From where the first line begins, one line after another as long as one begins before the end.
        first = builder.and_(start, out.number(-LINE))
        out.loop(first, LINE, builder.add(end, out.number(LINE - 1)), [], line)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), codegen


@intrinsic
def _add_multiples(typingctx, to, k, rows, numbers, scales, columns, near):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        out = Emitter(builder, context.get_value_type(to.dtype))
        goal = start_of_row(context, builder, kinds[0], args[0], args[1])
        starts, factors = rows_at(context, builder, kinds[2], args[2], args[3]), cgutils.unpack_tuple(builder, args[4])

        def visit(j, width, totals):
            total = out.load(goal, j, width)
            for row, factor in zip(starts, factors, strict=True):
                total = out.add_product(out.spread(factor, width), out.load(row, j, width), total)
            out.store(total, goal, j, width)
            return []

        ask = prefetch_each_line(out, rows_at(context, builder, kinds[2], args[2], args[6]))
        out.columns(args[5], 0, visit, ask)
        return context.get_dummy_value()

    numbers_of, scales_of = types.UniTuple(types.intp, len(numbers)), types.UniTuple(to.dtype, len(numbers))
    return types.void(to, types.intp, rows, numbers_of, scales_of, types.intp, types.UniTuple(types.intp, len(near))), codegen


@overload(dots, jit_options=INLINED)
def _dots_of(rows, numbers, with_, k, columns, near):
    if rows.layout != "C" or with_.layout != "C" or rows.dtype != with_.dtype:
        return None
    return lambda rows, numbers, with_, k, columns, near: _dots(rows, numbers, with_, k, columns, near)


@overload(dot_like_four, jit_options=INLINED)
def _dot_like_four_of(rows, i, with_, k, columns, near):
    if rows.layout != "C" or with_.layout != "C" or rows.dtype != with_.dtype:
        return None
    return lambda rows, i, with_, k, columns, near: _dot_like_four(rows, (i,), with_, k, columns, near)


@overload(prefetch_lines, jit_options=INLINED)
def _prefetch_lines_of(array, i, size):
    return lambda array, i, size: _prefetch_lines(array, i, size)


@overload(add_multiples, jit_options=INLINED)
def _add_multiples_of(to, k, rows, numbers, scales, columns, near):
    if to.layout != "C" or rows.layout != "C" or to.dtype != rows.dtype:
        return None
    return lambda to, k, rows, numbers, scales, columns, near: _add_multiples(to, k, rows, numbers, scales, columns, near)
