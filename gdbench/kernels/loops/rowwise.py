"""Stochastic descent on dense rows, one row a step: any rule, or plain descent with the margins of the row to come."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.data import Dense
from gdbench.kernels.loops.base import Loop, State, is_plain, steps_on_rows
from gdbench.kernels.loops.updates import move, move_free
from gdbench.kernels.models import derive, gather, margins_and_prefetch, outputs, parameters, pick, side_by_side, stride
from gdbench.kernels.penalties import with_penalty
from gdbench.kernels.task import Task, prefetch_all_but_row, weigh


@inlined
def move_outputs(task, rule, iterate, i, derivatives, factor, eta, now):
    """One step on row i of each output, whose weights lie one after the other."""
    x, w = task.data.values, iterate.w
    d = x.shape[1]
    for k in range(outputs(task.model, w)):
        ck = w.dtype.type(weigh(task.weighting, pick(task.model, derivatives, k), i))
        rate = factor * eta[k]
        iterate.travelled[k] += rate
        for j in range(d):
            move(task.penalty, rule, iterate, k, j, with_penalty(task.penalty, ck * x[i, j], w[k, j]), rate, now)
        if parameters(task.model, w) > d:
            move_free(rule, iterate, k, d, ck, rate, now)


@inlined
def move_lanes(task, rule, iterate, i, c, factor, eta, now):
    """The same for lanes side by side: c, their derivatives, are overwritten."""
    x, w = task.data.values, iterate.w
    d = x.shape[1]
    for k in range(w.shape[0]):
        iterate.travelled[k] += factor * eta[k]
        c[k] = weigh(task.weighting, c[k], i)
    for j in range(d):
        xij = x[i, j]
        for k in range(w.shape[0]):
            move(task.penalty, rule, iterate, k, j, with_penalty(task.penalty, c[k] * xij, w[k, j]), factor * eta[k], now)
    if parameters(task.model, w) > d:
        for k in range(w.shape[0]):
            move_free(rule, iterate, k, d, c[k], factor * eta[k], now)


@kernel
def descend_rows(task, rule, iterate, order, rates, eta, t):
    """Stochastic descent: one step a row, the weights updated in the same pass that reads the row.

    Parameters
    ----------
    task : Task
        Over dense data, with a linear model.
    rule : tag of gdbench.kernels.optimizers
    iterate : Iterate
        Changed in place.
    order : ndarray of shape (passes, rows), int32
        The rows to visit.
    rates : ndarray of shape (passes·rows,)
        The schedule's factor for each step.
    eta : ndarray of shape (K,)
        The learning rate of each output, by which the factor is multiplied.
    t : int
        Number of the first step, from 1.
    """
    model, w = task.model, iterate.w
    z = np.empty(w.shape[0], w.dtype)
    c = np.empty(w.shape[0], w.dtype)
    s = 0
    for p in range(order.shape[0]):
        visited = order[p]
        for r in range(visited.size):
            i = visited[r]
            derivatives = derive(model, task.loss, margins_and_prefetch(model, task, visited, r, w, z), task.target[i], c)
            now = w.dtype.type(t + s)
            if side_by_side(model):
                move_lanes(task, rule, iterate, i, c, rates[s], eta, now)
            else:
                move_outputs(task, rule, iterate, i, derivatives, rates[s], eta, now)
            s += 1


@kernel
def descend_plainly(task, iterate, order, rates, eta):
    """Plain stochastic descent on dense rows: a step on a row and the margins of the row after it are one pass.

    Parameters
    ----------
    task : Task
        Over dense data, with a linear model and no penalty or l2.
    iterate : Iterate
        Its weights are changed in place; plain descent has no state.
    order, rates, eta
        As for :func:`descend_rows`.
    """
    model, w = task.model, iterate.w
    rows = order.ravel()
    if rows.size == 0:
        return
    z, c, keep = np.empty(w.shape[0], w.dtype), np.zeros(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype)
    last, first = rows.size - 1, rows[0]
    # The first margins come from a step that goes nowhere, so that where a call begins changes no bit.
    found = stride(model, task, w, (first, first, first), gather(model, c), w.dtype.type(0), eta, z, keep)
    for s in range(rows.size):
        at = (rows[s], rows[min(s + 1, last)], prefetch_all_but_row(task.data, task.target, task.weighting, rows, s))
        derivatives = derive(model, task.loss, found, task.target[at[0]], c)
        found = stride(model, task, w, at, derivatives, rates[s], eta, z, keep)


class Rows(Loop):
    """Any rule on dense rows."""

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        return isinstance(task.data, Dense) and steps_on_rows(task, rule, setting)

    def _descend(self, state: State, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        rows = self._visited(order, place, rates)
        self.call(descend_rows, self.task, self.rule, state.iterate, rows, rates, state.eta, int(state.steps[0]) + 1)


class PlainRows(Loop):
    """Plain descent on dense rows."""

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        return Rows.accepts(task, rule, setting) and is_plain(task, rule)

    def _descend(self, state: State, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        self.call(descend_plainly, self.task, state.iterate, self._visited(order, place, rates), rates, state.eta)
