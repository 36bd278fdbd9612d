"""Short rows and their weights in the processor's registers.

Weights that lie in memory are written by each step and read by the next, which waits for the cache in between. Of short rows
all weights fit into registers, where they stay from row to row; a tuple of vectors stands for them in a kernel.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from gdbench.kernels.compile.jit import INLINED
from gdbench.kernels.vectors import ALONG, PLACE, Emitter, emit_prefetch, start_of_row


@cache
def starts_of(columns: int, itemsize: int) -> tuple[int, ...] | None:
    """The columns at which the vectors of a row begin; None if they are too many, or the processor has no such vectors."""
    features = llvm.get_host_cpu_features()
    registers = 32 if features.get("avx512vl", False) else 16 if features.get("avx2", False) else 0
    starts = tuple(range(0, columns, ALONG // itemsize))
    return starts if 0 < len(starts) <= registers // 2 else None


class Vector(types.Type):
    """As many numbers as a register holds."""

    def __init__(self, real: Any):
        self.real = real
        super().__init__(name=f"Vector({real})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """LLVM's vector."""

    def __init__(self, manager: Any, kind: Vector):
        real = manager.lookup(kind.real).get_value_type()
        super().__init__(manager, kind, ir.VectorType(real, 8 * ALONG // kind.real.bitwidth))


def hold(array, k, columns, starts):
    """The first columns of row k of an array, as vectors of which the last ends in zeros.

    Parameters
    ----------
    array : ndarray of shape (n, columns or more) or (columns,), in C order
        Of one dimension, it is the row.
    k, columns : int
    starts : tuple of ints
        What :func:`starts_of` says; their number is that of the vectors.
    """
    return array[:columns].copy() if array.ndim == 1 else array[k, :columns].copy()


def prefetch_short(array, k, columns, starts):
    """Prefetch row k of an array."""


def put_back(held, array, k, columns):
    """Write vectors to the first columns of row k of an array."""
    (array if array.ndim == 1 else array[k])[:columns] = held


def moved(held, keep, row, push):
    """keep·held + push·row, vector by vector."""
    return keep * held + push * row


def inner(held, other):
    """The inner product of two rows of vectors, in as few instructions as there can be."""
    return held @ other


def inner_soon(held, other):
    """The same where the next step waits for it: in several sums, so that less waits for less."""
    return held @ other


def _emitter(context: Any, builder: Any, kind: Any) -> Emitter:
    return Emitter(builder, context.get_value_type(kind), ALONG)


def _mask(out: Emitter, columns: Any, start: int) -> Any:
    """Which of the places of the vector that begins at column `start` lie before the end of the row."""
    index = ir.VectorType(ir.IntType(64), out.width)
    places = ir.Constant(index, list(range(start, start + out.width)))
    nothing = ir.Constant(index, ir.Undefined)
    first = out.builder.insert_element(nothing, columns, ir.Constant(PLACE, 0))
    ends = out.builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(PLACE, out.width), [0] * out.width))
    return out.builder.icmp_signed("<", places, ends)


def _masked(out: Emitter, name: str, *args: Any) -> Any:
    """LLVM's masked load or store of one of the emitter's vectors."""
    kind = out.kind(out.width)
    result = kind if name == "load" else ir.VoidType()
    pointer = kind.as_pointer()
    letter = "f32" if out.size == 4 else "f64"
    full = f"llvm.masked.{name}.v{out.width}{letter}.p0"
    function = cgutils.get_or_insert_function(out.builder.module, ir.FunctionType(result, [a.type for a in args]), full)
    assert pointer in [a.type for a in args]
    return out.builder.call(function, args)


@intrinsic
def _hold(typingctx, array, k, columns, starts):
    kind = types.UniTuple(Vector(array.dtype), len(starts))

    def codegen(context, builder, signature, args):
        out = _emitter(context, builder, array.dtype)
        row = start_of_row(context, builder, signature.args[0], args[0], args[1])
        vectors = [out.load(row, out.number(n * out.width), out.width) for n in range(len(starts) - 1)]
        start = (len(starts) - 1) * out.width
        last = _masked(
            out,
            "load",
            out.at(row, out.number(start), out.width),
            PLACE(out.size),
            _mask(out, args[2], start),
            out.zero(out.width),
        )
        return cgutils.pack_array(builder, [*vectors, last])

    return kind(array, types.intp, types.intp, starts), codegen


@intrinsic
def _prefetch_short(typingctx, array, k, columns, starts):
    def codegen(context, builder, signature, args):
        out = _emitter(context, builder, array.dtype)
        row = start_of_row(context, builder, signature.args[0], args[0], args[1])
        line = 64 // out.size
        for n in range(0, len(starts) * out.width, line):
            emit_prefetch(builder, builder.gep(row, [out.number(n)]))
        emit_prefetch(builder, builder.gep(row, [builder.sub(args[2], out.number(1))]))
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, starts), codegen


@intrinsic
def _put_back(typingctx, held, array, k, columns):
    def codegen(context, builder, signature, args):
        out = _emitter(context, builder, array.dtype)
        row = start_of_row(context, builder, signature.args[1], args[1], args[2])
        *vectors, last = cgutils.unpack_tuple(builder, args[0])
        for n, vector in enumerate(vectors):
            out.store(vector, row, out.number(n * out.width), out.width)
        start = len(vectors) * out.width
        _masked(out, "store", last, out.at(row, out.number(start), out.width), PLACE(out.size), _mask(out, args[3], start))
        return context.get_dummy_value()

    return types.void(held, array, types.intp, types.intp), codegen


@intrinsic
def _moved(typingctx, held, keep, row, push):
    real = held.dtype.real

    def codegen(context, builder, signature, args):
        out = _emitter(context, builder, real)
        shrunk, step = out.spread(args[1], out.width), out.spread(args[3], out.width)
        pairs = zip(cgutils.unpack_tuple(builder, args[0]), cgutils.unpack_tuple(builder, args[2]), strict=True)
        return cgutils.pack_array(builder, [out.add_product(step, x, out.multiply(shrunk, w)) for w, x in pairs])

    return held(held, real, row, real), codegen


def _product(chains: int) -> Any:
    """An inner product in so many sums, which are then added up."""

    @intrinsic
    def product(typingctx, held, other):
        real = held.dtype.real

        def codegen(context, builder, signature, args):
            out = _emitter(context, builder, real)
            sums: list[Any] = []
            pairs = zip(cgutils.unpack_tuple(builder, args[0]), cgutils.unpack_tuple(builder, args[1]), strict=True)
            for n, (a, b) in enumerate(pairs):
                if n < chains:
                    sums.append(out.multiply(a, b))
                else:
                    sums[n % chains] = out.add_product(a, b, sums[n % chains])
            while len(sums) > 1:
                # Settled, or they would be fused into one sum, each term of which waits for the one before.
                sums = [out.settled(total) for total in sums]
                sums = [out.add(*sums[n : n + 2]) if n + 1 < len(sums) else sums[n] for n in range(0, len(sums), 2)]
            total, width = sums[0], out.width
            while width > 1:
                total = out.halved(total, width)
                width //= 2
            return total

        return real(held, other), codegen

    return product


_inner, _inner_soon = _product(1), _product(4)


@overload(hold, jit_options=INLINED)
def _hold_of(array, k, columns, starts):
    return lambda array, k, columns, starts: _hold(array, k, columns, starts)


@overload(prefetch_short, jit_options=INLINED)
def _prefetch_short_of(array, k, columns, starts):
    return lambda array, k, columns, starts: _prefetch_short(array, k, columns, starts)


@overload(put_back, jit_options=INLINED)
def _put_back_of(held, array, k, columns):
    return lambda held, array, k, columns: _put_back(held, array, k, columns)


@overload(moved, jit_options=INLINED)
def _moved_of(held, keep, row, push):
    return lambda held, keep, row, push: _moved(held, keep, row, push)


@overload(inner, jit_options=INLINED)
def _inner_of(held, other):
    return lambda held, other: _inner(held, other)


@overload(inner_soon, jit_options=INLINED)
def _inner_soon_of(held, other):
    return lambda held, other: _inner_soon(held, other)
