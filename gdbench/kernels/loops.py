"""The descent loops: one row a step, or a batch of rows a step; and the objective with its gradient."""

from __future__ import annotations

import math

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.compile.tags import load, store
from gdbench.kernels.data import reach, touch_item
from gdbench.kernels.models import (
    accumulate,
    classes,
    curvatures,
    derive,
    gather,
    margins_and_ask,
    outputs,
    parameters,
    penalised,
    pick,
    scratch,
    side_by_side,
    stride,
)
from gdbench.kernels.optimizers import clip_factor, clips_norm, step
from gdbench.kernels.penalties import NoPenalty, after_step, penalty_value, with_penalty
from gdbench.kernels.task import Counted, Task, Uncounted, weigh

#: Rows whose gradients are summed before they join the batch's sum: a fixed split, so that the sum is the same to the bit
#: whoever computes the parts, and more accurate than one long sum.
CHUNK = 4096


@inlined
def zero(g):
    """Set every value of g, of shape (K, P), to 0."""
    for k in range(g.shape[0]):
        for j in range(g.shape[1]):
            g[k, j] = 0


@inlined
def move(penalty, rule, iterate, k, j, g, rate, now):
    """One step of the penalised weight j of output k on the whole gradient g."""
    w, state, memory = iterate.w, iterate.state, iterate.memory
    wj, sj = step(rule, w[k, j], g, load(state, k, j), rate, now)
    w[k, j], mj = after_step(penalty, wj, rate, iterate.travelled[k], load(memory, k, j))
    store(state, k, j, sj)
    store(memory, k, j, mj)


@inlined
def move_free(rule, iterate, k, j, g, rate, now):
    """One step of a weight that has no penalty."""
    w, state = iterate.w, iterate.state
    w[k, j], sj = step(rule, w[k, j], g, load(state, k, j), rate, now)
    store(state, k, j, sj)


@inlined
def unpenalised(task):
    """The same without its penalty: what works on rows alone is then compiled once for all penalties."""
    return Task(task.model, task.data, task.target, task.weighting, task.loss, NoPenalty())


@inlined
def batch_gradient(task, rows, later, w, g, part, z, c, losses):
    """Write Σ over `rows` of the losses' gradients to g, summed chunk by chunk; count the losses if asked.

    The rows `later` are asked for meanwhile: those that come so many after each of `rows`, in this batch or the next.
    """
    for first in range(0, rows.size, CHUNK):
        into = g if first == 0 else part
        zero(into)
        accumulate(task.model, task, rows[first : first + CHUNK], later[first : first + CHUNK], w, into, z, c, losses)
        if first > 0:
            for k in range(g.shape[0]):
                for j in range(g.shape[1]):
                    g[k, j] += part[k, j]


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
    model, data, w = task.model, task.data, iterate.w
    ahead = reach(data)
    z = np.empty(w.shape[0], w.dtype)
    c = np.empty(w.shape[0], w.dtype)
    s = 0
    for p in range(order.shape[0]):
        for r in range(order.shape[1]):
            i = order[p, r]
            far, later = order[p, min(r + ahead, order.shape[1] - 1)], order[p, min(r + 2 * ahead, order.shape[1] - 1)]
            touch_item(task.target, far)
            derivatives = derive(model, task.loss, margins_and_ask(model, data, i, w, z, far, later), task.target[i], c)
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
    model, data, w = task.model, task.data, iterate.w
    rows, ahead = order.ravel(), reach(data)
    if rows.size == 0:
        return
    z, c, keep = np.empty(w.shape[0], w.dtype), np.zeros(w.shape[0], w.dtype), np.empty(w.shape[0], w.dtype)
    last, first = rows.size - 1, rows[0]
    # The first margins come from a step that goes nowhere, so that where a call begins changes no bit.
    found = stride(model, task, w, (first, first, first, first), gather(model, c), w.dtype.type(0), eta, z, keep)
    for s in range(rows.size):
        at = (rows[s], rows[min(s + 1, last)], rows[min(s + ahead, last)], rows[min(s + 2 * ahead, last)])
        touch_item(task.target, at[2])
        derivatives = derive(model, task.loss, found, task.target[at[0]], c)
        found = stride(model, task, w, at, derivatives, rates[s], eta, z, keep)


@inlined
def whole(penalty, rule, w, g, k, j, share):
    """The gradient of a penalised weight, its penalty's included, from the sum g; clipping has left it whole."""
    return share * g[k, j] if clips_norm(rule) else with_penalty(penalty, share * g[k, j], w[k, j])


@inlined
def take_step(model, penalty, rule, iterate, g, share, factor, eta, t):
    """One step of every output on the gradient share·g plus the penalty's, at the rate factor·eta[k]; g is overwritten."""
    w = iterate.w
    free, every = penalised(model, w), parameters(model, w)
    now = w.dtype.type(t)
    if clips_norm(rule):
        clip(model, penalty, rule, w, g, share)
        share = w.dtype.type(1)
    for k in range(w.shape[0]):
        iterate.travelled[k] += factor * eta[k]
    if side_by_side(model):
        for j in range(free):
            for k in range(w.shape[0]):
                move(penalty, rule, iterate, k, j, whole(penalty, rule, w, g, k, j, share), factor * eta[k], now)
        for j in range(free, every):
            for k in range(w.shape[0]):
                move_free(rule, iterate, k, j, share * g[k, j], factor * eta[k], now)
    else:
        for k in range(w.shape[0]):
            rate = factor * eta[k]
            for j in range(free):
                move(penalty, rule, iterate, k, j, whole(penalty, rule, w, g, k, j, share), rate, now)
            for j in range(free, every):
                move_free(rule, iterate, k, j, share * g[k, j], rate, now)


@inlined
def clip(model, penalty, rule, w, g, share):
    """Make g the whole gradient, share·g plus the penalty's, and clip it model by model."""
    free, every, group = penalised(model, w), parameters(model, w), classes(model)
    for first in range(0, w.shape[0], group):
        total = 0.0
        for k in range(first, first + group):
            for j in range(every):
                g[k, j] = with_penalty(penalty, share * g[k, j], w[k, j]) if j < free else share * g[k, j]
                total += g[k, j] * g[k, j]
        factor = clip_factor(rule, math.sqrt(total))
        for k in range(first, first + group):
            for j in range(every):
                g[k, j] *= factor


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
    ahead = reach(task.data)
    s = 0
    for p in range(order.shape[0]):
        for first in range(0, order.shape[1], batch_size):
            rows = order[p, first : first + batch_size]
            later = order[p, first + ahead : first + ahead + batch_size]
            batch_gradient(unpenalised(task), rows, later, w, g, part, z, c, Uncounted())
            take_step(task.model, task.penalty, rule, iterate, g, w.dtype.type(1.0 / rows.size), rates[s], eta, t + s)
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
    accumulate(task.model, unpenalised(task), rows, rows[reach(task.data) :], w, g, z, c, Uncounted())


@kernel
def step_on_chunks(task, rule, iterate, parts, factor, eta, t):
    """Sum the chunks' gradients in order and take one step on their mean over all rows.

    Parameters
    ----------
    task, rule, iterate, eta
        As for :func:`descend_batches`.
    parts : ndarray of shape (chunks, K, P)
        The first is overwritten.
    factor : float
        The schedule's factor for this step.
    t : int
        Number of the step, from 1.
    """
    g = parts[0]
    for part in range(1, parts.shape[0]):
        for k in range(g.shape[0]):
            for j in range(g.shape[1]):
                g[k, j] += parts[part, k, j]
    take_step(task.model, task.penalty, rule, iterate, g, g.dtype.type(1.0 / task.target.size), factor, eta, t)


@kernel
def objective_and_gradient(task, w, totals, g):
    """Write each lane's objective to `totals` and the gradients to `g`.

    Parameters
    ----------
    task : Task
    w : ndarray of shape (K, P)
    totals : ndarray of shape (lanes,), float64
    g : ndarray of shape (K, P)
    """
    n = task.target.size
    z = np.empty(scratch(task.model, w, min(n, CHUNK)), w.dtype)
    c = np.empty(w.shape[0], w.dtype)
    part = np.empty_like(g)
    ahead = reach(task.data)
    rows = np.empty(n, np.int32)
    for i in range(n):
        rows[i] = i
    for lane in range(totals.size):
        totals[lane] = 0
    zero(g)
    for first in range(0, n, CHUNK):
        chunk = rows[first : first + CHUNK]
        batch_gradient(
            unpenalised(task), chunk, rows[first + ahead : first + ahead + CHUNK], w, part, part, z, c, Counted(totals)
        )
        for k in range(g.shape[0]):
            for j in range(g.shape[1]):
                g[k, j] += part[k, j]
    group = w.shape[0] // totals.size
    for lane in range(totals.size):
        totals[lane] /= n
    for k in range(w.shape[0]):
        for j in range(w.shape[1]):
            g[k, j] /= n
            if j < penalised(task.model, w):
                totals[k // group] += penalty_value(task.penalty, w[k, j])
                g[k, j] = with_penalty(task.penalty, g[k, j], w[k, j])
            elif j >= parameters(task.model, w):
                g[k, j] = 0


@kernel
def second_derivatives(task, w, out):
    """Write the losses' second derivatives with respect to the margins to `out`, row by row.

    Parameters
    ----------
    task : Task
        With a loss that has a curvature, or ``cross_entropy``.
    w : ndarray of shape (K, P)
    out : ndarray of shape (n, K)
        For ``cross_entropy`` the class probabilities p; the second derivative is then diag(p) − ppᵀ.
    """
    z = np.empty(w.shape[0], w.dtype)
    for i in range(task.target.size):
        curvatures(task.model, task, i, w, z, out)
