"""Plain stochastic descent on sparse rows that touches only the weights of the row: w = scale·v.

An l2 penalty shrinks every weight at every step, so all weights of an output share one scale, which is put off.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.data import CSR, places, row_dot
from gdbench.kernels.loops.base import Loop, Progress, copy_of, is_plain, steps_on_rows
from gdbench.kernels.models import derive, gather, outputs, parameters, pick
from gdbench.kernels.penalties import shrinkage
from gdbench.kernels.task import Iterate, Task, prefetch_rows, weigh

#: The shared scale is folded into the weights before its size leaves this range; a step at rate·α > 1 makes it negative.
SMALLEST_SCALE, LARGEST_SCALE = 1e-9, 1e9


@inlined
def fold(w, scale, k, d):
    """Multiply the scale of output k into its weights."""
    for j in range(d):
        w[k, j] *= scale[k]
    scale[k] = 1


@kernel
def fold_in(w, scale):
    """Multiply the scales, of shape (K,), into the weights, in place, and set them to 1."""
    for k in range(w.shape[0]):
        fold(w, scale, k, w.shape[1] - 1)


@kernel
def descend_scaled(task, iterate, order, rates, eta, scale):
    """Plain stochastic descent on CSR rows: w = scale·v, and a step changes the scale and the row's part of v.

    Parameters
    ----------
    task : Task
        Over CSR data, with a linear model and no penalty or l2.
    iterate : Iterate
        Changed in place; `GD` has no state.
    order : ndarray of shape (passes, rows), int32
    rates : ndarray of shape (passes·rows,)
    eta : ndarray of shape (K,)
    scale : ndarray of shape (K,), float64
        Changed in place.
    """
    model, data, w = task.model, task.data, iterate.w
    d = w.shape[1] - 1
    z, c = np.empty(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype)
    s = 0
    for p in range(order.shape[0]):
        visited = order[p]
        for r in range(visited.size):
            i = visited[r]
            prefetch_rows(task.data, task.target, task.weighting, visited, r)
            first, last = places(data, i)
            for k in range(outputs(model, w)):
                z[k] = scale[k] * row_dot(data, i, w, k) + w[k, d]
            derivatives = derive(model, task.loss, gather(model, z), task.target[i], c)
            for k in range(outputs(model, w)):
                rate = rates[s] * eta[k]
                change = -rate * weigh(task.weighting, pick(model, derivatives, k), i)
                scale[k] *= shrinkage(task.penalty, np.float64(rate))
                if abs(scale[k]) < SMALLEST_SCALE or abs(scale[k]) > LARGEST_SCALE:
                    fold(w, scale, k, d)
                part = w.dtype.type(change / scale[k])
                for q in range(first, last):
                    w[k, data.indices[q]] += part * data.values[q]
                if parameters(model, w) > d:
                    w[k, d] += change
            s += 1


class ScaledState(NamedTuple):
    """A state whose weights are multiplied by a scale that is put off.

    Attributes
    ----------
    iterate, eta, steps
        As of :class:`gdbench.kernels.loops.base.State`; the iterate's w is v.
    scale : ndarray of shape (K,), float64
        In float32 a small rate·α would be lost in 1 − rate·α.
    """

    iterate: Iterate
    eta: np.ndarray
    steps: np.ndarray
    scale: np.ndarray


class ScaledRows(Loop):
    """Plain descent on sparse rows."""

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        return isinstance(task.data, CSR) and steps_on_rows(task, rule, setting) and is_plain(task, rule)

    def begin(self, progress: Progress, eta: np.ndarray) -> ScaledState:
        return ScaledState(*self._begun(progress, eta), np.ones(eta.size))

    def _descend(self, state: ScaledState, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        rows = self._visited(order, place, rates)
        self.call(descend_scaled, self.task, state.iterate, rows, rates, state.eta, state.scale)

    def iterate(self, state: ScaledState) -> Iterate:
        found = state.iterate._replace(w=copy_of(state.iterate.w))
        self.call(fold_in, found.w, state.scale.copy())
        return found
