"""Stochastic descent with a memory of gradients, whose noise falls to zero: SAG, SAGA and SVRG.

A linear model's gradient at row i is a derivative times the row, so the memory is one number a row and output.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.data import row_values
from gdbench.kernels.loops.base import Loop, Progress
from gdbench.kernels.loops.batch import CHUNK, batch_gradient, unpenalised
from gdbench.kernels.loops.updates import move_free, zero
from gdbench.kernels.models import derive, margins, outputs, parameters, pick
from gdbench.kernels.penalties import with_penalty
from gdbench.kernels.task import Iterate, Task, Uncounted, prefetch_rows, weigh


class Memory(NamedTuple):
    """What is remembered of the gradients.

    Attributes
    ----------
    table : ndarray of shape (n, K)
        The derivative of each row's loss when it was last visited (SVRG: at the snapshot).
    mean : ndarray of shape (K, P)
        The mean gradient that the table stands for.
    share : float
        By what a row's change enters the step: 1 (SAGA, SVRG) or 1 ⁄ n (SAG).
    learns : bool
        Whether visits update the memory (SAG, SAGA).
    """

    table: Any
    mean: Any
    share: float
    learns: bool


@kernel
def descend_with_memory(task, rule, iterate, memory, order, rates, eta, t):
    """One step a row on g = share·(c − c_remembered)·x + mean gradient.

    Parameters
    ----------
    task : Task
        With a linear model and a smooth penalty.
    rule : tag of gdbench.kernels.optimizers
    iterate : Iterate
        Changed in place.
    memory : Memory
        Changed in place where it learns.
    order : ndarray of shape (passes, rows), int32
    rates : ndarray of shape (passes·rows,)
    eta : ndarray of shape (K,)
    t : int
        Number of the first step, from 1.
    """
    model, data, penalty = task.model, task.data, task.penalty
    w, mean = iterate.w, memory.mean
    d = w.shape[1] - 1
    z, c, scratch = np.empty(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype), np.zeros(d, w.dtype)
    part = w.dtype.type(1.0 / task.target.size)
    share = w.dtype.type(memory.share)
    s = 0
    for p in range(order.shape[0]):
        visited = order[p]
        for r in range(visited.size):
            i = visited[r]
            prefetch_rows(task.data, task.target, task.weighting, visited, r)
            derivatives = derive(model, task.loss, margins(model, data, i, w, z), task.target[i], c)
            x = row_values(data, i, scratch)
            now = w.dtype.type(t + s)
            for k in range(outputs(model, w)):
                ck = w.dtype.type(weigh(task.weighting, pick(model, derivatives, k), i))
                change = ck - memory.table[i, k]
                rate = rates[s] * eta[k]
                learnt = part * change if memory.learns else w.dtype.type(0)
                for j in range(d):
                    g = with_penalty(penalty, share * change * x[j] + mean[k, j], w[k, j])
                    mean[k, j] += learnt * x[j]
                    move_free(rule, iterate, k, j, g, rate, now)
                if parameters(model, w) > d:
                    g = share * change + mean[k, d]
                    mean[k, d] += learnt
                    move_free(rule, iterate, k, d, g, rate, now)
                if memory.learns:
                    memory.table[i, k] = ck
            s += 1


@kernel
def remember_all(task, w, memory):
    """Fill the memory with the derivatives and the mean gradient at w: SVRG's snapshot.

    Parameters
    ----------
    task : Task
    w : ndarray of shape (K, P)
    memory : Memory
        Overwritten.
    """
    n = task.target.size
    z, c = np.empty(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype)
    part = np.empty(w.shape, w.dtype)
    rows = np.empty(n, np.int32)
    for i in range(n):
        rows[i] = i
    zero(memory.mean)
    for first in range(0, n, CHUNK):
        end = min(first + CHUNK, n)
        batch_gradient(unpenalised(task), rows, first, end, w, part, part, z, c, Uncounted())
        for k in range(w.shape[0]):
            for j in range(w.shape[1]):
                memory.mean[k, j] += part[k, j] / n
        for i in rows[first:end]:
            derivatives = derive(task.model, task.loss, margins(task.model, task.data, i, w, z), task.target[i], c)
            for k in range(outputs(task.model, w)):
                memory.table[i, k] = weigh(task.weighting, pick(task.model, derivatives, k), i)


class MemoryState(NamedTuple):
    """A state with a memory of gradients.

    Attributes
    ----------
    iterate, eta, steps
        As of :class:`gdbench.kernels.loops.base.State`.
    memory : Memory
    """

    iterate: Iterate
    eta: np.ndarray
    steps: np.ndarray
    memory: Memory


class RowsWithMemory(Loop):
    """SAG, SAGA and SVRG; the memory is of these rows, so it begins anew with other ones."""

    is_cheap_to_rehearse = False

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        return hasattr(rule, "estimator")

    def begin(self, progress: Progress, eta: np.ndarray) -> MemoryState:
        n, w, kind = self.task.target.size, progress.iterate.w, self.rule.estimator
        memory = Memory(np.zeros((n, len(w)), w.dtype), np.zeros_like(w), 1.0 / n if kind == "sag" else 1.0, kind != "svrg")
        return MemoryState(*self._begun(progress, eta), memory)

    def run(self, state: MemoryState, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        """Take as many steps as there are rates; SVRG's snapshot is taken where a pass begins."""
        done = 0
        for rows in order:
            part = rates[done : done + rows.size - place]
            if place == 0 and part.size and not state.memory.learns:
                self.call(remember_all, self.task, state.iterate.w, state.memory)
            super().run(state, rows[None], place, part)
            done, place = done + part.size, 0

    def _descend(self, state: MemoryState, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        given = state.iterate, state.memory, self._visited(order, place, rates), rates, state.eta, int(state.steps[0]) + 1
        self.call(descend_with_memory, self.task, self.rule, *given)

    def compile(self, state: MemoryState) -> None:
        if not state.memory.learns:
            self.call.bind(remember_all, self.task, state.iterate.w, state.memory)
        self._descend(state, np.empty((0, self.task.target.size), np.int32), 0, state.eta[:0])

    def extra_samples(self, steps: int) -> int:
        n = self.task.target.size
        return 0 if self.rule.estimator != "svrg" else -(-steps // n) * n
