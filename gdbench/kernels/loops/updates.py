"""One step of one weight, or of all weights on a whole gradient."""

from __future__ import annotations

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.compile.tags import load, picked, store
from gdbench.kernels.loops.whole import step_models
from gdbench.kernels.models import parameters, penalised, side_by_side
from gdbench.kernels.optimizers import looks, step
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


def step_weights(rule, task, iterate, g, share, factor, eta, now, losses):
    """One step of every output by a rule that looks at each weight alone."""
    model, penalty, w = task.model, task.penalty, iterate.w
    free, every = penalised(model, w), parameters(model, w)
    if side_by_side(model):
        for j in range(free):
            for k in range(w.shape[0]):
                gj = with_penalty(penalty, share * g[k, j], w[k, j])
                move(penalty, rule, iterate, k, j, gj, factor * eta[k], now)
        for j in range(free, every):
            for k in range(w.shape[0]):
                move_free(rule, iterate, k, j, share * g[k, j], factor * eta[k], now)
    else:
        for k in range(w.shape[0]):
            rate = factor * eta[k]
            for j in range(free):
                move(penalty, rule, iterate, k, j, with_penalty(penalty, share * g[k, j], w[k, j]), rate, now)
            for j in range(free, every):
                move_free(rule, iterate, k, j, share * g[k, j], rate, now)


#: The way of a rule that looks at the whole model, or at each weight alone.
step_all = picked(lambda rule: step_models if looks(rule) else step_weights)


@inlined
def take_step(task, rule, iterate, g, share, factor, eta, t, losses):
    """One step of every output on the gradient share·g plus the penalty's, at the rate factor·eta[k]; g is overwritten."""
    w = iterate.w
    for k in range(w.shape[0]):
        iterate.travelled[k] += factor * eta[k]
    step_all(rule, task, iterate, g, share, factor, eta, w.dtype.type(t), losses)
