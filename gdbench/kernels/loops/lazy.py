"""Stochastic descent on sparse rows by a rule with memory that touches only the weights of the row.

Such a rule moves a weight, or lets its memory fade, between two visits; what it missed is caught up in closed form when the
weight is next touched. Rules without such a form (Adam and its kin) take the dense update of
:func:`gdbench.kernels.loops.batch.descend_batches`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.compile.tags import load, store
from gdbench.kernels.data import CSR, places, row_dot
from gdbench.kernels.loops.base import Loop, Progress, copy_of, steps_on_rows
from gdbench.kernels.loops.updates import move_free
from gdbench.kernels.models import derive, gather, outputs, parameters, pick
from gdbench.kernels.optimizers import settle
from gdbench.kernels.penalties import NoPenalty
from gdbench.kernels.schedules import Constant
from gdbench.kernels.task import Iterate, Task, prefetch_rows, weigh


@kernel
def descend_lazily(task, rule, iterate, order, rates, eta, seen, t):
    """Stochastic descent on CSR rows at a constant rate, with a rule that can ``settle`` what it missed.

    Parameters
    ----------
    task : Task
        Over CSR data, with a linear model and no penalty.
    rule : tag of gdbench.kernels.optimizers with a method ``settle``
    iterate : Iterate
        Changed in place.
    order : ndarray of shape (passes, rows), int32
    rates : ndarray of shape (passes·rows,)
        All 1: the rates are constant.
    eta : ndarray of shape (K,)
    seen : ndarray of shape (d,), int64
        How many steps each weight has taken; changed in place.
    t : int
        Number of the first step, from 1.
    """
    model, data = task.model, task.data
    w = iterate.w
    d = w.shape[1] - 1
    z, c = np.empty(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype)
    s = 0
    for p in range(order.shape[0]):
        visited = order[p]
        for r in range(visited.size):
            i = visited[r]
            prefetch_rows(task.data, task.target, task.weighting, visited, r)
            now = w.dtype.type(t + s)
            first, last = places(data, i)
            for q in range(first, last):
                j = data.indices[q]
                catch_up(rule, iterate, eta, j, t + s - 1 - seen[j])
                seen[j] = t + s
            for k in range(outputs(model, w)):
                z[k] = row_dot(data, i, w, k) + w[k, d]
            derivatives = derive(model, task.loss, gather(model, z), task.target[i], c)
            for k in range(outputs(model, w)):
                rate = rates[s] * eta[k]
                ck = w.dtype.type(weigh(task.weighting, pick(model, derivatives, k), i))
                for q in range(first, last):
                    j = data.indices[q]
                    move_free(rule, iterate, k, j, ck * data.values[q], rate, now)
                if parameters(model, w) > d:
                    move_free(rule, iterate, k, d, ck, rate, now)
            s += 1


@kernel
def catch_up_all(rule, iterate, eta, seen, done):
    """Give every weight the steps that it missed of `done` in all, at the rates `eta`; changes the iterate and `seen`."""
    for j in range(seen.size):
        catch_up(rule, iterate, eta, j, done - seen[j])
        seen[j] = done


@inlined
def catch_up(rule, iterate, eta, j, idle):
    """Give weight j of every output the `idle` steps without a gradient that it missed."""
    w, state = iterate.w, iterate.state
    if idle > 0:
        for k in range(w.shape[0]):
            wj, sj = settle(rule, w[k, j], load(state, k, j), eta[k], idle)
            w[k, j] = wj
            store(state, k, j, sj)


class LazyState(NamedTuple):
    """A state some of whose weights lag behind.

    Attributes
    ----------
    iterate, eta, steps
        As of :class:`gdbench.kernels.loops.base.State`.
    seen : ndarray of shape (d,), int64
        How many of the steps each weight has taken.
    """

    iterate: Iterate
    eta: np.ndarray
    steps: np.ndarray
    seen: np.ndarray


class LazyRows(Loop):
    """A rule that can ``settle`` what it missed, on sparse rows, at a constant rate and without a penalty."""

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        served = isinstance(task.data, CSR) and isinstance(task.penalty, NoPenalty) and hasattr(rule, "settle")
        return served and isinstance(setting.schedule, Constant) and steps_on_rows(task, rule, setting)

    def begin(self, progress: Progress, eta: np.ndarray) -> LazyState:
        return LazyState(*self._begun(progress, eta), np.full(self.task.data.columns, progress.steps, np.int64))

    def _descend(self, state: LazyState, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        rows, first = self._visited(order, place, rates), int(state.steps[0]) + 1
        self.call(descend_lazily, self.task, self.rule, state.iterate, rows, rates, state.eta, state.seen, first)

    def iterate(self, state: LazyState) -> Iterate:
        found, seen = copy_of((state.iterate, state.seen))
        self.call(catch_up_all, self.rule, found, state.eta, seen, int(state.steps[0]))
        return found

    def change_rates(self, state: LazyState, eta: np.ndarray) -> None:
        if (state.eta != eta).any():
            self.call(catch_up_all, self.rule, state.iterate, state.eta, state.seen, int(state.steps[0]))
        super().change_rates(state, eta)
