"""Update rules off the data: replaying given gradients, and descending on a closed-form landscape."""

from __future__ import annotations

import math

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.compile.tags import load, store
from gdbench.kernels.landscapes import gradient, value
from gdbench.kernels.optimizers import clip_factor, clips_norm, step


@inlined
def clip(rule, g):
    """The factor that a rule which clips by norm applies to the gradient g; 1 for every other rule."""
    if not clips_norm(rule):
        return 1.0
    total = 0.0
    for gj in g:
        total += gj * gj
    return clip_factor(rule, math.sqrt(total))


@kernel
def replay(rule, iterate, gradients, rates, t, path):
    """Apply one update for each given gradient.

    Parameters
    ----------
    rule : tag of gdbench.kernels.optimizers
    iterate : Iterate
        Weights and state of shape (1, d), changed in place.
    gradients : ndarray of shape (steps, d)
    rates : ndarray of shape (steps,)
        The learning rate of each step.
    t : int
        Number of the first step, from 1.
    path : ndarray of shape (steps, d)
        Receives the weights after each step.
    """
    w, state = iterate.w, iterate.state
    for s in range(gradients.shape[0]):
        now = w.dtype.type(t + s)
        short = clip(rule, gradients[s])
        for j in range(w.shape[1]):
            wj, sj = step(rule, w[0, j], short * gradients[s, j], load(state, 0, j), rates[s], now)
            w[0, j] = wj
            store(state, 0, j, sj)
            path[s, j] = wj


@kernel
def minimize(landscape, rule, iterate, rates, noise, path, values, gradients):
    """Descend on a landscape, writing every point, value and gradient on the way.

    Parameters
    ----------
    landscape : tag of gdbench.kernels.landscapes
    rule : tag of gdbench.kernels.optimizers
    iterate : Iterate
        Start and state of shape (1, d), changed in place.
    rates : ndarray of shape (steps,)
    noise : ndarray of shape (steps, d)
        Added to the gradient that the rule is given, not to the one written; of shape (0, 0) for none.
    path : ndarray of shape (steps + 1, d)
    values : ndarray of shape (steps + 1,)
    gradients : ndarray of shape (steps + 1, d)
    """
    w, state = iterate.w, iterate.state
    steps = rates.size
    given = np.empty(w.shape[1])
    for s in range(steps + 1):
        x = path[s]
        for j in range(w.shape[1]):
            x[j] = w[0, j]
        values[s] = value(landscape, x)
        gradient(landscape, x, gradients[s])
        if s < steps:
            for j in range(w.shape[1]):
                given[j] = gradients[s, j] + noise[s, j] if noise.size > 0 else gradients[s, j]
            short = clip(rule, given)
            for j in range(w.shape[1]):
                wj, sj = step(rule, w[0, j], short * given[j], load(state, 0, j), rates[s], np.float64(s + 1))
                w[0, j] = wj
                store(state, 0, j, sj)
