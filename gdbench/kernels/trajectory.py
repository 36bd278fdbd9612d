"""Update rules off the data: replaying given gradients, and descending on a closed-form landscape."""

from __future__ import annotations

import numpy as np

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.compile.tags import load, picked, store
from gdbench.kernels.landscapes import gradient, value
from gdbench.kernels.loops.whole import step_point
from gdbench.kernels.optimizers import looks, step


def _step_weights(rule, iterate, g, rate, now, value):
    w, state = iterate.w, iterate.state
    for j in range(w.shape[1]):
        w[0, j], sj = step(rule, w[0, j], g[0, j], load(state, 0, j), rate, now)
        store(state, 0, j, sj)


#: One step of a point on the gradient g, of shape (1, d), where the function has this value.
step_all = picked(lambda rule: step_point if looks(rule) else _step_weights)


@kernel
def replay(rule, iterate, gradients, values, rates, t, path):
    """Apply one update for each given gradient.

    Parameters
    ----------
    rule : tag of gdbench.kernels.optimizers
    iterate : Iterate
        Weights and state of shape (1, d), changed in place.
    gradients : ndarray of shape (steps, d)
    values : ndarray of shape (steps,)
        The function's value before each step, for a rule that looks at it; of shape (0,) for none.
    rates : ndarray of shape (steps,)
        The learning rate of each step.
    t : int
        Number of the first step, from 1.
    path : ndarray of shape (steps, d)
        Receives the weights after each step.
    """
    w = iterate.w
    for s in range(gradients.shape[0]):
        known = values[s] if values.size > 0 else 0.0
        step_all(rule, iterate, gradients[s : s + 1], rates[s], w.dtype.type(t + s), known)
        for j in range(w.shape[1]):
            path[s, j] = w[0, j]


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
    w = iterate.w
    steps = rates.size
    given = np.empty((1, w.shape[1]))
    for s in range(steps + 1):
        x = path[s]
        for j in range(w.shape[1]):
            x[j] = w[0, j]
        values[s] = value(landscape, x)
        gradient(landscape, x, gradients[s])
        if s < steps:
            for j in range(w.shape[1]):
                given[0, j] = gradients[s, j] + noise[s, j] if noise.size > 0 else gradients[s, j]
            step_all(rule, iterate, given, rates[s], np.float64(s + 1), values[s])
