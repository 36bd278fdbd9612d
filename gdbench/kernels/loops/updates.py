"""One step of one weight, or of all weights on a whole gradient."""

from __future__ import annotations

import math

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.compile.tags import load, store
from gdbench.kernels.models import classes, parameters, penalised, side_by_side
from gdbench.kernels.optimizers import clip_factor, clips_norm, step
from gdbench.kernels.penalties import after_step, with_penalty


@inlined
def zero(g):
    """Set every value of g, of shape (K, P), to 0."""
    for k in range(g.shape[0]):
        for j in range(g.shape[1]):
            g[k, j] = 0


@inlined
def add(g, part):
    """Add `part` to g, both of shape (K, P)."""
    for k in range(g.shape[0]):
        for j in range(g.shape[1]):
            g[k, j] += part[k, j]


@inlined
def move(penalty, rule, iterate, k, j, g, rate, now):
    """One step of the penalised weight j of output k on the whole gradient g."""
    w, state, memory = iterate.w, iterate.state, iterate.memory
    wj, sj = step(rule, w[k, j], g, load(state, k, j), rate, now)
    w[k, j], mj = after_step(penalty, w.dtype.type(wj), rate, iterate.travelled[k], load(memory, k, j))
    store(state, k, j, sj)
    store(memory, k, j, mj)


@inlined
def move_free(rule, iterate, k, j, g, rate, now):
    """One step of a weight that has no penalty."""
    w, state = iterate.w, iterate.state
    w[k, j], sj = step(rule, w[k, j], g, load(state, k, j), rate, now)
    store(state, k, j, sj)


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
