"""Mini-batch and batch descent: one step on the mean gradient of a batch of rows, summed in a fixed order."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.loops.base import Loop, State
from gdbench.kernels.loops.updates import add, take_step, zero
from gdbench.kernels.loops.whole import losses_for
from gdbench.kernels.models import accumulate, classes, scratch
from gdbench.kernels.optimizers import looks
from gdbench.kernels.penalties import NoPenalty
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Task, Uncounted

#: Rows whose gradients are summed before they join the batch's sum: a fixed split, so that the sum is the same to the bit
#: whoever computes the parts, and more accurate than one long sum.
CHUNK = 4096


@inlined
def unpenalised(task):
    """The same without its penalty: what works on rows alone is then compiled once for all penalties."""
    return Task(task.model, task.data, task.target, task.weighting, task.loss, NoPenalty())


@inlined
def batch_gradient(task, visited, first, end, w, g, part, z, c, losses):
    """Write Σ over the rows visited[first:end] of the losses' gradients to g, chunk by chunk; count the losses if asked."""
    for begin in range(first, end, CHUNK):
        into = g if begin == first else part
        zero(into)
        accumulate(task.model, task, visited, begin, min(begin + CHUNK, end), w, into, z, c, losses)
        if begin > first:
            add(g, part)


@kernel
def descend_batches(task, rule, iterate, order, batch_size, rates, eta, t):
    """Mini-batch and batch descent: one step for every `batch_size` rows, on their mean gradient.

    Parameters
    ----------
    task : Task
    rule : tag of gdbench.kernels.optimizers
    iterate : Iterate
        Changed in place.
    order : ndarray of shape (passes, rows), int32
        The rows to visit; a batch does not reach over the end of a pass, so the last one of a pass may be smaller.
    batch_size : int
    rates : ndarray of shape (passes·⌈rows ⁄ batch_size⌉,)
        The schedule's factor for each step.
    eta : ndarray of shape (K,)
        The learning rate of each output, by which the factor is multiplied.
    t : int
        Number of the first step, from 1.
    """
    w = iterate.w
    z = np.empty(scratch(task.model, w, min(batch_size, CHUNK)), w.dtype)
    c = np.empty(w.shape[0], w.dtype)
    g, part = np.empty_like(w), np.empty_like(w)
    losses = losses_for(rule, w.shape[0] // classes(task.model))
    s = 0
    for p in range(order.shape[0]):
        for first in range(0, order.shape[1], batch_size):
            end = min(first + batch_size, order.shape[1])
            batch_gradient(unpenalised(task), order[p], first, end, w, g, part, z, c, losses)
            take_step(task, rule, iterate, g, w.dtype.type(1.0 / (end - first)), rates[s], eta, t + s, losses)
            s += 1


@kernel
def chunk_gradient(task, rows, w, g):
    """Write Σ over the rows of one chunk of the losses' gradients to g: a thread's part of a batch.

    Parameters
    ----------
    task : Task
    rows : ndarray of at most `CHUNK` row numbers, int32
    w, g : ndarrays of shape (K, P)
    """
    zero(g)
    z, c = np.empty(scratch(task.model, w, rows.size), w.dtype), np.empty(w.shape[0], w.dtype)
    accumulate(task.model, unpenalised(task), rows, 0, rows.size, w, g, z, c, Uncounted())


@kernel
def step_on_parts(task, rule, iterate, parts, factor, eta, t, rows):
    """Sum the gradients of the parts of a batch in order and take one step on their mean over so many rows.

    Parameters
    ----------
    task, rule, iterate, eta
        As for :func:`descend_batches`.
    parts : ndarray of shape (parts, K, P)
        The first is overwritten.
    factor : float
        The schedule's factor for this step.
    t : int
        Number of the step, from 1.
    rows : int
    """
    g = parts[0]
    for part in range(1, parts.shape[0]):
        add(g, parts[part])
    take_step(task, rule, iterate, g, g.dtype.type(1.0 / rows), factor, eta, t, Uncounted())


class Batches(Loop):
    """A step on the mean gradient of a batch: it serves every descent."""

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        return True

    def _descend(self, state: State, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        rows = self._visited(order, place, rates)
        given = state.iterate, rows, self.batch_size, rates, state.eta, int(state.steps[0]) + 1
        self.call(descend_batches, self.task, self.rule, *given)

    def bind_parts(self, state: State) -> None:
        """Compile, or load, what steps on the parts of a batch need.

        Raises
        ------
        GdbenchError
            The rule asks for the loss of a batch, which its parts do not tell.
        """
        if looks(self.rule, "by_loss"):
            name = name_of(self.rule)
            raise GdbenchError(
                f"optimizer {name} looks at a batch's loss, and this batch is read in parts: give a smaller batch_size"
            )
        w = state.iterate.w
        self.call.bind(chunk_gradient, self.task, np.empty(0, np.int32), w, w)
        self.call.bind(step_on_parts, self.task, self.rule, state.iterate, w[None], w.dtype.type(0), state.eta, 1, 1)

    def step_on_parts(self, state: State, parts: np.ndarray, factor: Any, rows: int) -> None:
        """Take a step on the sum of the gradients `parts`, of shape (parts, K, P), over so many rows."""
        t = int(state.steps[0]) + 1
        self.call(step_on_parts, self.task, self.rule, state.iterate, parts, factor, state.eta, t, rows)
        state.steps[0] = t
