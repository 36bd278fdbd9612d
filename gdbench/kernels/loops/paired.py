"""Plain stochastic descent of the lanes of a sweep, two rows a pass over their weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.data import entry
from gdbench.kernels.lanes import lanes_move_and_look
from gdbench.kernels.loops.base import LookAheadState, Loop, Progress
from gdbench.kernels.loops.rowwise import PlainRows
from gdbench.kernels.losses import derivative
from gdbench.kernels.models.lanes import Lanes
from gdbench.kernels.penalties import shrinkages
from gdbench.kernels.task import Task, prefetch_all_but_row, weigh
from gdbench.kernels.vectors import dots


@inlined
def decide(task, i, factor, eta, w, margins, push):
    """Write to `push` by what multiple of row i each lane moves, from its margin less the intercept; move the intercept."""
    y, learns, last = entry(task.target, i), w.dtype.type(task.model.fit_intercept), w.shape[1] - 1
    for k in range(w.shape[0]):
        c = derivative(task.loss, margins[k] + w[k, last], y)
        push[k] = -(factor * eta[k]) * weigh(task.weighting, c, i)
        w[k, last] += learns * push[k]


@inlined
def follow(margins, keep, push, overlap):
    """Write to margins[0] what margins[1] becomes by a step, where `overlap` is the product of the step's row and its own."""
    for k in range(push.size):
        margins[0, k] = (margins[1, k] if keep is None else keep[k] * margins[1, k]) + push[k] * overlap


@kernel
def descend_in_pairs(task, iterate, order, first, rates, eta, known):
    """Plain stochastic descent of lanes side by side, with or without l2.

    With w′ = keep·w + push·x, the margin w′·x′ of the next row is keep·(w·x′) + push·(x·x′): so both steps are known before
    either is taken, and one pass takes them and prepares the two margins to come.

    Parameters
    ----------
    task : Task
        Over dense data, with the model ``Lanes``.
    iterate : Iterate
        Its weights are changed in place.
    order : ndarray of shape (passes, rows), int32
        The rows to visit.
    first : int
        The place in the first pass to begin at.
    rates : ndarray of at most passes·rows − first values
        The schedule's factor for each step.
    eta : ndarray of shape (K,)
        The learning rate of each lane, by which the factor is multiplied.
    known : ndarray of shape (2, K), of the weights' type
        The margins, less the intercepts, of the rows to come: what a call that ends within a pass leaves for the call that
        goes on there. Where calls begin and end changes no bit.
    """
    x, w, number = task.data.values, iterate.w, order.shape[1]
    last = number - 1
    push, keep = np.empty((2, w.shape[0]), w.dtype), np.empty((2, w.shape[0]), w.dtype)
    s = 0
    for p in range(order.shape[0]):
        visited = order[p]
        end = min(number, first + rates.size - s)
        if first == 0 and end > 0:
            lanes_move_and_look(w, x, (), (), (), (entry(visited, 0), entry(visited, min(1, last))), (), known)
        r = first
        while r < end:
            i, after = entry(visited, r), entry(visited, min(r + 1, last))
            near = prefetch_all_but_row(task.data, task.target, task.weighting, visited, r)
            decide(task, i, rates[s], eta, w, known[0], push[0])
            kept = shrinkages(task.penalty, rates[s], eta, keep[0])
            if r % 2 == 1:
                looks = after, entry(visited, min(r + 2, last))
                lanes_move_and_look(w, x, (i,), (kept,), (push[0],), looks, (near,), known)
            else:
                follow(known, kept, push[0], dots(x, (i,), x, after, x.shape[1], ())[0])
                if r + 1 < end:
                    s, r = s + 1, r + 1
                    also_near = prefetch_all_but_row(task.data, task.target, task.weighting, visited, r)
                    decide(task, after, rates[s], eta, w, known[0], push[1])
                    also = shrinkages(task.penalty, rates[s], eta, keep[1])
                    looks = entry(visited, min(r + 1, last)), entry(visited, min(r + 2, last))
                    lanes_move_and_look(w, x, (i, after), (kept, also), (push[0], push[1]), looks, (near, also_near), known)
                else:
                    lanes_move_and_look(w, x, (i,), (kept,), (push[0],), (), (), known)
            s, r = s + 1, r + 1
        first = 0


class PairedLanes(Loop):
    """Plain descent of lanes side by side on dense rows."""

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        return PlainRows.accepts(task, rule, setting) and isinstance(task.model, Lanes)

    def begin(self, progress: Progress, eta: np.ndarray) -> LookAheadState:
        return LookAheadState(*self._begun(progress, eta), np.zeros((2, eta.size), progress.iterate.w.dtype))

    def _descend(self, state: LookAheadState, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        self.call(descend_in_pairs, self.task, state.iterate, order, place, rates, state.eta, state.known)
