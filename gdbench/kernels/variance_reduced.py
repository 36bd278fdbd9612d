"""Stochastic descent with a memory of gradients, whose noise falls to zero: SAG, SAGA and SVRG.

A linear model's gradient at row i is a derivative times the row, so the memory is one number a row and output.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.compile.tags import load, store
from gdbench.kernels.data import prefetch_row, reach, row_values, touch_item
from gdbench.kernels.loops import CHUNK, batch_gradient, unpenalised, zero
from gdbench.kernels.models import derive, margins, outputs, parameters, pick
from gdbench.kernels.optimizers import step
from gdbench.kernels.penalties import with_penalty
from gdbench.kernels.task import Uncounted, weigh


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
    w, state, mean = iterate.w, iterate.state, memory.mean
    d, ahead = w.shape[1] - 1, reach(data)
    z, c, scratch = np.empty(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype), np.zeros(d, w.dtype)
    part = w.dtype.type(1.0 / task.target.size)
    share = w.dtype.type(memory.share)
    s = 0
    for p in range(order.shape[0]):
        for r in range(order.shape[1]):
            i = order[p, r]
            if r + ahead < order.shape[1]:
                prefetch_row(data, order[p, r + ahead], order[p, min(r + 2 * ahead, order.shape[1] - 1)])
                touch_item(task.target, order[p, r + ahead])
            derivatives = derive(model, task.loss, margins(model, data, i, w, z), task.target[i], c)
            x = row_values(data, i, scratch)
            now = w.dtype.type(t + s)
            for k in range(outputs(model, w)):
                ck = w.dtype.type(weigh(task.weighting, pick(model, derivatives, k), i))
                change = ck - memory.table[i, k]
                rate = rates[s] * eta[k]
                learnt = part * change if memory.learns else w.dtype.type(0)
                for j in range(d):
                    wj = w[k, j]
                    g = with_penalty(penalty, share * change * x[j] + mean[k, j], wj)
                    mean[k, j] += learnt * x[j]
                    w[k, j], sj = step(rule, wj, g, load(state, k, j), rate, now)
                    store(state, k, j, sj)
                if parameters(model, w) > d:
                    g = share * change + mean[k, d]
                    mean[k, d] += learnt
                    w[k, d], sj = step(rule, w[k, d], g, load(state, k, d), rate, now)
                    store(state, k, d, sj)
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
    ahead = reach(task.data)
    rows = np.empty(n, np.int32)
    for i in range(n):
        rows[i] = i
    zero(memory.mean)
    for first in range(0, n, CHUNK):
        chunk = rows[first : first + CHUNK]
        batch_gradient(unpenalised(task), chunk, rows[first + ahead : first + ahead + CHUNK], w, part, part, z, c, Uncounted())
        for k in range(w.shape[0]):
            for j in range(w.shape[1]):
                memory.mean[k, j] += part[k, j] / n
        for i in chunk:
            derivatives = derive(task.model, task.loss, margins(task.model, task.data, i, w, z), task.target[i], c)
            for k in range(outputs(task.model, w)):
                memory.table[i, k] = weigh(task.weighting, pick(task.model, derivatives, k), i)
