"""Kinds of rows of the exact online descent: how a step reads a row, moves the weights along it and meets the next one.

The weights v come without their scale. Rows in float64 prepare the next margin in the pass that has v at hand; of short rows all
of v stays in registers, `held`, between two steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.ahead import settled, step_and_dot, step_and_look
from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.compile.tags import operation
from gdbench.kernels.data import CSR, Dense, places, prefetch_row
from gdbench.kernels.gather import gathered_dot
from gdbench.kernels.reading import ReadPlan
from gdbench.kernels.registers import hold, inner, inner_soon, moved, prefetch_short, put_back
from gdbench.kernels.vectors import dots

along = operation("along")
move = operation("move")
move_on = operation("move_on")
follow = operation("follow")
truncate = operation("truncate")
square = operation("square")


def _in_memory(rows, v):
    """The weights, if they stay in registers between two steps."""
    return None


def _where_they_are(rows, held, v):
    """Write them back."""


def _nothing_known(rows, v, held, i, after):
    """What is known of the rows after i before the first step."""
    return 0.0, 0.0


def _as_before(rows, known, scale):
    """The same once the weights have been multiplied."""
    return known


def _along_the_next(rows, v, held, at, known):
    """What `move_on` says of the row after, and what is known then, where v does not move."""
    return along(rows, at[1], v), known


def _along_the_row(rows, i, v):
    """The margin of the first row, v·x, in the form that `move_on` returns."""
    return along(rows, i, v)


def _scaled_margin(rows, margin, scale, intercept, moved):
    """What is predicted from a margin; the step before it moved the weights by `moved` times its row."""
    return np.float64(rows.values.dtype.type(scale * margin)) + intercept


def _unless_zero(rows):
    """Whether a step of 0 is taken like any other."""
    return False


take_up = operation("take_up", _in_memory)
first_margin = operation("first_margin", _along_the_row)
predicted = operation("predicted", _scaled_margin)
always_moves = operation("always_moves", _unless_zero)
put_down = operation("put_down", _where_they_are)
foresee = operation("foresee", _nothing_known)
rescaled = operation("rescaled", _as_before)
stay = operation("stay", _along_the_next)


class DenseRows(Dense):
    """Dense rows."""

    def prefetch_rest(self, i, later):
        """Prefetch the whole row: no pass does on its way."""
        prefetch_row(self, i, later)

    def along(self, i, v):
        """v·x over row i."""
        x = self.values
        total = 0.0
        for j in range(x.shape[1]):
            total += np.float64(v[j]) * np.float64(x[i, j])
        return total

    def move(self, i, c, v):
        """Add c·x to v; Σv² and Σ|v| over the row's columns afterwards."""
        x = self.values
        squares = absolutes = 0.0
        for j in range(x.shape[1]):
            vj = v[j] + c * x[i, j]
            v[j] = vj
            squares += np.float64(vj * vj)
            absolutes += np.float64(abs(vj))
        return squares, absolutes

    def move_on(self, c, v, held, at, known):
        """Add c·x to v; Σv², v·x′ over the row after that, in the one pass that has v in registers, and what is known then.

        `at` holds the numbers of this row, the two after it and one far ahead.
        """
        i, after = at[:2]
        x = self.values
        squares = ahead = 0.0
        for j in range(x.shape[1]):
            vj = v[j] + c * x[i, j]
            v[j] = vj
            squares += np.float64(vj * vj)
            ahead += np.float64(vj) * np.float64(x[after, j])
        return held, squares, ahead, known

    def follow(self, i, c, mean):
        """Add c·x to the mean, in float64."""
        x = self.values
        for j in range(x.shape[1]):
            mean[j] += c * x[i, j]

    def truncate(self, i, v, paid, due, scale):
        """Let each weight of the row's columns pay what it owes of the l1 penalty."""
        for j in range(v.size):
            pay(v, paid, j, due, scale)

    def square(self, i):
        """‖x‖²."""
        x = self.values
        total = 0.0
        for j in range(x.shape[1]):
            total += np.float64(x[i, j]) * np.float64(x[i, j])
        return total


class PairedRows(DenseRows):
    """Dense rows in float64, most of which cause no step: then the next margin waits for nothing, and v is only read."""

    def along(self, i, v):
        return dots(self.values, (i,), v, 0, self.values.shape[1], ())[0]

    def move_on(self, c, v, held, at, known):
        margin, squares = step_and_dot(v, 0, self.values, (at[0], at[1], at[3]), 1.0, c, 0.0)
        return held, squares, margin, known

    def stay(self, v, held, at, known):
        return dots(self.values, (at[1],), v, 0, self.values.shape[1], (at[3],))[0], known

    prefetch_rest = Dense.prefetch_rest


class ChainedRows(DenseRows):
    """Dense rows in float64, of which two products are known before a step: v·x′ and x·x′ of the row x′ after it.

    With these the next prediction is worked out from the step's multiple of the row at once: it does not wait for v.
    """

    def first_margin(self, i, v):
        return along(self, i, v), 0.0

    def predicted(self, margin, scale, intercept, moved):
        ahead, overlap = margin
        return scale * ahead + settled(intercept + moved * overlap)

    def always_moves(self):
        return True

    def foresee(self, v, held, i, after):
        ahead, overlap, _ = step_and_look(v, self.values, (i, i, after, after), 0.0)
        return ahead, overlap

    def rescaled(self, known, scale):
        return known[0] * scale, known[1]

    def move_on(self, c, v, held, at, known):
        ahead, overlap, squares = step_and_look(v, self.values, at, c)
        return held, squares, known, (ahead, overlap)

    def stay(self, v, held, at, known):
        _, _, margin, known = move_on(self, 0.0, v, held, at, known)
        return margin, known

    prefetch_rest = Dense.prefetch_rest


class Short(NamedTuple):
    """Rows of which one fits into registers.

    Attributes
    ----------
    values : ndarray of shape (n, d), in C order
    starts : tuple of ints
        Where the vectors of a row begin.
    plan : ReadPlan
    """

    values: Any
    starts: Any
    plan: Any = ReadPlan()


class ShortRows(Short):
    """Dense rows in float64, so short that the weights stay in registers from step to step; most cause no step."""

    move = DenseRows.move
    follow = DenseRows.follow
    truncate = DenseRows.truncate
    square = DenseRows.square

    def along(self, i, v):
        return inner(hold(v, 0, v.size, self.starts), short_row(self, i))

    def take_up(self, v):
        return hold(v, 0, v.size, self.starts)

    def put_down(self, held, v):
        put_back(held, v, 0, v.size)

    def move_on(self, c, v, held, at, known):
        held = moved(held, 1.0, short_row(self, at[0]), c)
        return held, inner(held, held), inner_soon(held, short_row(self, at[1])), known

    def stay(self, v, held, at, known):
        return inner_soon(held, short_row(self, at[1])), known

    prefetch_far = Dense.prefetch_far

    def prefetch_rest(self, i, later):
        """Prefetch the whole row: no pass does on its way."""
        prefetch_short(self.values, i, self.values.shape[1], self.starts)


class ShortChainedRows(ShortRows):
    """The same, with two products known before a step, as above."""

    first_margin = ChainedRows.first_margin
    predicted = ChainedRows.predicted
    always_moves = ChainedRows.always_moves
    rescaled = ChainedRows.rescaled
    stay = ChainedRows.stay

    def foresee(self, v, held, i, after):
        there = short_row(self, after)
        return inner(held, there), inner(short_row(self, i), there)

    def move_on(self, c, v, held, at, known):
        beyond = short_row(self, at[2])
        held = moved(held, 1.0, short_row(self, at[0]), c)
        later = inner_soon(held, beyond), inner(short_row(self, at[1]), beyond)
        return held, inner(held, held), known, later


@inlined
def short_row(rows, i):
    """Row i in registers."""
    return hold(rows.values, i, rows.values.shape[1], rows.starts)


class SparseRows(CSR):
    """Sparse rows; `indices` unsigned, so that no index is checked for a count from the end."""

    def along(self, i, v):
        first, last = places(self, i)
        return gathered_dot(self.values, self.indices, first, last, v, 0.0)

    def move(self, i, c, v):
        squares = absolutes = 0.0
        first, last = places(self, i)
        for p in range(first, last):
            j = self.indices[p]
            vj = v[j] + c * self.values[p]
            v[j] = vj
            squares += np.float64(vj * vj)
            absolutes += np.float64(abs(vj))
        return squares, absolutes

    def move_on(self, c, v, held, at, known):
        squares, _ = move(self, at[0], c, v)
        return held, squares, along(self, at[1], v), known

    def follow(self, i, c, mean):
        first, last = places(self, i)
        for p in range(first, last):
            mean[self.indices[p]] += c * self.values[p]

    def truncate(self, i, v, paid, due, scale):
        first, last = places(self, i)
        for p in range(first, last):
            pay(v, paid, self.indices[p], due, scale)

    def square(self, i):
        total = 0.0
        first, last = places(self, i)
        for p in range(first, last):
            total += np.float64(self.values[p]) * np.float64(self.values[p])
        return total


class CompressedRows(SparseRows):
    """The rows of an array without their zeros: the same steps, and what is known is Σv² over all columns.

    :class:`SparseRows` counts, as scikit-learn does of sparse rows, the columns of the step's row alone.
    """

    def foresee(self, v, held, i, after):
        total = 0.0
        for j in range(v.size):
            total += np.float64(v[j] * v[j])
        return total, 0.0

    def rescaled(self, known, scale):
        return known[0] * scale * scale, 0.0

    def move_on(self, c, v, held, at, known):
        total = known[0]
        first, last = places(self, at[0])
        for p in range(first, last):
            j = self.indices[p]
            before = v[j]
            vj = before + c * self.values[p]
            v[j] = vj
            total += np.float64(vj * vj) - np.float64(before * before)
        return held, total, along(self, at[1], v), (total, 0.0)


@inlined
def pay(v, paid, j, due, scale):
    """Move weight j toward 0 by what is due and not yet paid, and note what it paid (Tsuruoka, Tsujii, Ananiadou 2009)."""
    before = np.float64(v[j])
    if before > 0.0:
        v[j] = max(0.0, before - (due + paid[j]) / scale)
    elif before < 0.0:
        v[j] = min(0.0, before + (due - paid[j]) / scale)
    paid[j] += scale * (np.float64(v[j]) - before)
