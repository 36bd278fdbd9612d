"""One step by a rule that looks at the whole model: the sums over its weights first, then the steps."""

from __future__ import annotations

import numpy as np

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.compile.tags import added, load, picked, store
from gdbench.kernels.models import array_end, classes, parameters, penalised
from gdbench.kernels.optimizers import combine, looks, reduce, step, zero_sums
from gdbench.kernels.penalties import after_step, penalty_value, with_penalty
from gdbench.kernels.task import Counted, Uncounted, take


def _counted(rule, lanes):
    return Counted(np.zeros(lanes))


def _uncounted(rule, lanes):
    return Uncounted()


#: Where the losses of a step are summed, lane by lane, for a rule that asks for them.
losses_for = picked(lambda rule: _counted if looks(rule, "by_loss") else _uncounted)


def _objective(rule, task, w, first, share, losses):
    group = classes(task.model)
    total = share * take(losses, first // group)
    for k in range(first, first + group):
        for j in range(penalised(task.model, w)):
            total += penalty_value(task.penalty, w[k, j])
    return total


def _not_asked(rule, task, w, first, share, losses):
    return 0.0


#: The mean loss of a step's rows plus the penalty, of the model whose first output is given; 0 for a rule that does not ask.
objective = picked(lambda rule: _objective if looks(rule, "by_loss") else _not_asked)


def _end_of_array(rule, model, w, begin):
    return array_end(model, w, begin)


def _end_of_all(rule, model, w, begin):
    return parameters(model, w)


#: Where the weights that share sums end, of those that begin at a parameter.
group_end = picked(lambda rule: _end_of_array if looks(rule, "by_layer") else _end_of_all)


@inlined
def sums_over(rule, iterate, g, outputs, places, rate, now):
    """The sums over the weights of some outputs and parameters, each a pair of the first and the end."""
    w, state, kept = iterate.w, iterate.state, iterate.kept[outputs[0]]
    sums = zero_sums(rule)
    for k in range(outputs[0], outputs[1]):
        for j in range(places[0], places[1]):
            sums = added(sums, reduce(rule, w[k, j], g[k, j], load(state, k, j), rate, now, kept))
    return sums


@inlined
def move_all(rule, task, iterate, g, outputs, places, rate, now, shared):
    """The steps of these weights on the whole gradient g, given what :func:`combine` made of their sums."""
    w, state, memory, free = iterate.w, iterate.state, iterate.memory, penalised(task.model, iterate.w)
    for k in range(outputs[0], outputs[1]):
        for j in range(places[0], places[1]):
            w[k, j], sj = step(rule, w[k, j], g[k, j], load(state, k, j), rate, now, shared)
            store(state, k, j, sj)
            if j < free:
                w[k, j], mj = after_step(task.penalty, w[k, j], rate, iterate.travelled[k], load(memory, k, j))
                store(memory, k, j, mj)


def step_models(rule, task, iterate, g, share, factor, eta, now, losses):
    """One step of every model on the gradient share·g plus the penalty's, at the rate factor·eta[k]; g is overwritten."""
    model, w, group = task.model, iterate.w, classes(task.model)
    free, every = penalised(model, w), parameters(model, w)
    for first in range(0, w.shape[0], group):
        outputs, rate = (first, first + group), factor * eta[first]
        loss = objective(rule, task, w, first, share, losses)
        for k in range(first, first + group):
            for j in range(every):
                g[k, j] = with_penalty(task.penalty, share * g[k, j], w[k, j]) if j < free else share * g[k, j]
        begin = 0
        while begin < every:
            places = (begin, group_end(rule, model, w, begin))
            sums = sums_over(rule, iterate, g, outputs, places, rate, now)
            shared = combine(rule, sums, loss, iterate.kept[first], rate, now)
            move_all(rule, task, iterate, g, outputs, places, rate, now, shared)
            begin = places[1]


def step_point(rule, iterate, g, rate, now, value):
    """One step of a single point on the gradient g, of shape (1, d), where the function has this value."""
    w, state = iterate.w, iterate.state
    sums = sums_over(rule, iterate, g, (0, 1), (0, w.shape[1]), rate, now)
    shared = combine(rule, sums, value, iterate.kept[0], rate, now)
    for j in range(w.shape[1]):
        w[0, j], sj = step(rule, w[0, j], g[0, j], load(state, 0, j), rate, now, shared)
        store(state, 0, j, sj)
