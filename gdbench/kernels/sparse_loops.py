"""Stochastic descent on sparse rows that touches only the weights of the row: exact, lazy forms of the dense loop.

Plain descent under an l2 penalty shrinks every weight at every step, so all weights share one scale. A rule with memory
moves or fades between two visits of a weight; what it missed is caught up, in closed form, when the weight is next touched.
What is put off when a call ends, the next one takes up, so that where calls end changes no bit; :func:`fold_in` and
:func:`catch_up_all` make weights of it. Rules without such a form (Adam and its kin) take the dense update of
:func:`gdbench.kernels.loops.descend_batches`.
"""

from __future__ import annotations

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.compile.tags import load, store
from gdbench.kernels.data import AHEAD, places, prefetch_row, row_dot, touch_item
from gdbench.kernels.models import derive, gather, outputs, parameters, pick
from gdbench.kernels.optimizers import settle, step
from gdbench.kernels.penalties import shrinkage
from gdbench.kernels.task import weigh

#: The shared scale is folded into the weights before it falls under this.
SMALLEST_SCALE = 1e-9


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
    eta, scale : ndarrays of shape (K,)
        The scales are changed in place.
    """
    model, data, w = task.model, task.data, iterate.w
    d = w.shape[1] - 1
    z, c = np.empty(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype)
    s = 0
    for p in range(order.shape[0]):
        for r in range(order.shape[1]):
            i = order[p, r]
            if r + AHEAD < order.shape[1]:
                prefetch_row(data, order[p, r + AHEAD], order[p, min(r + 2 * AHEAD, order.shape[1] - 1)])
                touch_item(task.target, order[p, r + AHEAD])
            first, last = places(data, i)
            for k in range(outputs(model, w)):
                z[k] = scale[k] * row_dot(data, i, w, k) + w[k, d]
            derivatives = derive(model, task.loss, gather(model, z), task.target[i], c)
            for k in range(outputs(model, w)):
                rate = rates[s] * eta[k]
                change = -rate * weigh(task.weighting, pick(model, derivatives, k), i)
                scale[k] *= max(shrinkage(task.penalty, rate), 0)
                if scale[k] < SMALLEST_SCALE:
                    fold(w, scale, k, d)
                part = w.dtype.type(change / scale[k])
                for q in range(first, last):
                    w[k, data.indices[q]] += part * data.values[q]
                if parameters(model, w) > d:
                    w[k, d] += change
            s += 1


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
        All equal.
    eta : ndarray of shape (K,)
    seen : ndarray of shape (d,), int64
        How many steps each weight has taken; changed in place.
    t : int
        Number of the first step, from 1.
    """
    model, data = task.model, task.data
    w, state = iterate.w, iterate.state
    d = w.shape[1] - 1
    z, c = np.empty(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype)
    s = 0
    for p in range(order.shape[0]):
        for r in range(order.shape[1]):
            i = order[p, r]
            if r + AHEAD < order.shape[1]:
                prefetch_row(data, order[p, r + AHEAD], order[p, min(r + 2 * AHEAD, order.shape[1] - 1)])
                touch_item(task.target, order[p, r + AHEAD])
            now = w.dtype.type(t + s)
            first, last = places(data, i)
            for q in range(first, last):
                j = data.indices[q]
                catch_up(rule, w, state, eta, rates[s], j, t + s - 1 - seen[j])
                seen[j] = t + s
            for k in range(outputs(model, w)):
                z[k] = row_dot(data, i, w, k) + w[k, d]
            derivatives = derive(model, task.loss, gather(model, z), task.target[i], c)
            for k in range(outputs(model, w)):
                rate = rates[s] * eta[k]
                ck = w.dtype.type(weigh(task.weighting, pick(model, derivatives, k), i))
                for q in range(first, last):
                    j = data.indices[q]
                    wj, sj = step(rule, w[k, j], ck * data.values[q], load(state, k, j), rate, now)
                    w[k, j] = wj
                    store(state, k, j, sj)
                if parameters(model, w) > d:
                    wj, sj = step(rule, w[k, d], ck, load(state, k, d), rate, now)
                    w[k, d] = wj
                    store(state, k, d, sj)
            s += 1


@kernel
def catch_up_all(rule, iterate, eta, seen, done):
    """Give every weight the steps that it missed, of `done` in all, at the constant rates `eta`; the iterate changes in place."""
    unchanged = eta.dtype.type(1)
    for j in range(seen.size):
        catch_up(rule, iterate.w, iterate.state, eta, unchanged, j, done - seen[j])


@inlined
def catch_up(rule, w, state, eta, factor, j, idle):
    """Give weight j of every output the `idle` steps without a gradient that it missed."""
    if idle > 0:
        for k in range(w.shape[0]):
            wj, sj = settle(rule, w[k, j], load(state, k, j), factor * eta[k], idle)
            w[k, j] = wj
            store(state, k, j, sj)
