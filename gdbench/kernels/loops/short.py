"""Plain stochastic descent over rows so short that the weights stay in registers from step to step."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.kernels.ahead import settled
from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.data import columns, entry
from gdbench.kernels.loops.base import LookAheadState, Loop, Progress
from gdbench.kernels.loops.rowwise import PlainRows
from gdbench.kernels.losses import derivative
from gdbench.kernels.models.linear import Linear
from gdbench.kernels.penalties import shrinkage
from gdbench.kernels.registers import hold, inner, inner_soon, moved, prefetch_short, put_back, starts_of
from gdbench.kernels.task import Task, prefetch_all_but_row, weigh


@kernel
def descend_short(task, starts, iterate, order, first, rates, eta, known):
    """Plain stochastic descent of one linear model, with or without l2, that looks two rows ahead.

    With w′ = keep·w + push·x, the margin w′·x′ of the next row is keep·(w·x′) + push·(x·x′), and both products can be had
    before `push` is known: what a step waits for is a handful of scalars.

    Parameters
    ----------
    task : Task
        Over dense data, with the model ``Linear``.
    starts : tuple of ints
        Of :func:`gdbench.kernels.registers.starts_of`.
    iterate : Iterate
        Its weights are changed in place.
    order : ndarray of shape (passes, rows), int32
        The rows to visit.
    first : int
        The place in the first pass to begin at.
    rates : ndarray of at most passes·rows − first values
        The schedule's factor for each step.
    eta : ndarray of shape (1,)
        The learning rate, by which the factor is multiplied.
    known : ndarray of shape (3,), of the weights' type
        What a call that ends within a pass knows of the rows to come, for the call that goes on there: where calls begin and
        end changes no bit.
    """
    x, w, number = task.data.values, iterate.w, order.shape[1]
    columns, last = x.shape[1], number - 1
    held, b = hold(w, 0, columns, starts), w[0, columns]
    margin, after, overlap = known[0], known[1], known[2]
    s = 0
    for p in range(order.shape[0]):
        visited = order[p]
        end = min(number, first + rates.size - s)
        if first == 0 and end > 0:
            here = hold(x, entry(visited, 0), columns, starts)
            there = hold(x, entry(visited, min(1, last)), columns, starts)
            margin, after, overlap = inner(held, here), inner(held, there), inner(here, there)
        for r in range(first, end):
            i = entry(visited, r)
            prefetch_short(x, prefetch_all_but_row(task.data, task.target, task.weighting, visited, r), columns, starts)
            rate = entry(rates, s) * eta[0]
            keep = w.dtype.type(shrinkage(task.penalty, rate))
            c = derivative(task.loss, margin + b, entry(task.target, i))
            push = w.dtype.type(weigh(task.weighting, c, i) * settled(-rate))
            if task.model.fit_intercept:
                b += push
            margin = keep * after + push * overlap
            beyond = hold(x, entry(visited, min(r + 2, last)), columns, starts)
            held = moved(held, keep, hold(x, i, columns, starts), push)
            after = inner_soon(held, beyond)
            overlap = inner(hold(x, entry(visited, min(r + 1, last)), columns, starts), beyond)
            s += 1
        first = 0
    put_back(held, w, 0, columns)
    w[0, columns] = b
    known[0], known[1], known[2] = margin, after, overlap


class ShortRows(Loop):
    """Plain descent of one linear model on dense rows that fit in registers."""

    def __init__(self, task: Task, rule: Any, setting: Any):
        super().__init__(task, rule, setting)
        self.starts = row_starts(task)

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        return PlainRows.accepts(task, rule, setting) and isinstance(task.model, Linear) and row_starts(task) is not None

    def begin(self, progress: Progress, eta: np.ndarray) -> LookAheadState:
        return LookAheadState(*self._begun(progress, eta), np.zeros(3, progress.iterate.w.dtype))

    def _descend(self, state: LookAheadState, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        self.call(descend_short, self.task, self.starts, state.iterate, order, place, rates, state.eta, state.known)


def row_starts(task: Task) -> tuple | None:
    """Where the registers that hold a row begin; None for a row that does not fit."""
    return starts_of(columns(task.data), task.data.values.dtype.itemsize)
