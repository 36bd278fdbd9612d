"""Rules that look at the whole model: what is one model, what is one layer, and what they are told of the objective.

The loops' own functions run as plain Python, on arrays of a few numbers: nothing compiles.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest

from gdbench.kernels import losses, optimizers, penalties
from gdbench.kernels.data import Dense
from gdbench.kernels.loops.base import start_at
from gdbench.kernels.loops.batch import Batches
from gdbench.kernels.loops.whole import losses_for, step_models
from gdbench.kernels.models import array_end
from gdbench.kernels.models.linear import Linear, Linears
from gdbench.kernels.models.mlp import Perceptron, Tanh
from gdbench.kernels.optimizers import looker, looks
from gdbench.kernels.task import Counted, Task, Uncounted, Unweighted
from gdbench.solve.threads import ThreadedBatches
from gdbench.tasks.setting import settle

RNG = np.random.default_rng(5)
NETWORK = Perceptron(hidden=3, margins_out=2, activation=Tanh())
PARAMETERS = 3 * 4 + 2 * 3 + 3 + 2  # W₁ of four inputs, W₂, b₁ and b₂


def task_of(model, penalty=None):
    return Task(
        model, Dense(np.zeros((8, 4))), np.zeros(8), Unweighted(), losses.SquaredError(), penalty or penalties.NoPenalty()
    )


def stepped(model, rule, w, gradients, rate=0.1, penalty=None, totals=None, share=0.25):
    """The weights after a step on each of the gradients, sums over 1 ⁄ share rows."""
    iterate = start_at(w.copy(), rule, penalty)
    for t, g in enumerate(gradients, start=1):
        counted = Uncounted() if totals is None else Counted(np.array(totals))
        step_models(rule, task_of(model, penalty), iterate, g / share, share, 1.0, np.full(len(w), rate), float(t), counted)
    return iterate.w


def test_the_arrays_of_a_network_end_where_they_are_cut():
    w, ends = np.zeros((1, PARAMETERS)), [0]
    while ends[-1] < PARAMETERS:
        ends.append(array_end(NETWORK, w, ends[-1]))
    assert ends == [0, 12, 18, 21, 23]
    assert array_end(Linear(True), np.zeros((1, 5)), 0) == 5


@pytest.mark.parametrize("rule", [optimizers.LARS(trust=0.1), optimizers.LAMB(), optimizers.Cautious()], ids=str)
def test_each_array_of_a_network_is_a_layer(rule):
    w, gradients = RNG.normal(size=(1, PARAMETERS)), RNG.normal(size=(3, 1, PARAMETERS))
    found = stepped(NETWORK, rule, w, gradients)
    cuts = [12, 18, 21]
    alone = [
        stepped(Linear(True), rule, part, gradient)
        for part, gradient in zip(np.split(w, cuts, axis=1), np.split(gradients, cuts, axis=2), strict=True)
    ]
    np.testing.assert_allclose(found, np.hstack(alone), rtol=1e-14)


@pytest.mark.parametrize("rule", [optimizers.Clipped(norm=0.5), optimizers.DoG(), optimizers.Prodigy(initial=0.1)], ids=str)
def test_a_network_is_one_model_and_so_are_the_outputs_of_a_group(rule):
    w, gradients = RNG.normal(size=(2, 6)), RNG.normal(size=(4, 2, 6))
    together = stepped(Linears(True, 2), rule, w, gradients)
    np.testing.assert_allclose(together.ravel(), stepped(Linear(True), rule, w.reshape(1, 12), gradients.reshape(4, 1, 12))[0])
    wide = RNG.normal(size=(1, PARAMETERS)), RNG.normal(size=(2, 1, PARAMETERS))
    np.testing.assert_allclose(stepped(NETWORK, rule, *wide), stepped(Linear(True), rule, *wide))


@pytest.mark.parametrize("rule", [optimizers.DoG(), optimizers.Prodigy(initial=0.1), optimizers.Mechanic()], ids=str)
def test_each_lane_of_a_sweep_is_a_model(rule):
    w, gradients = RNG.normal(size=(3, 6)), RNG.normal(size=(4, 3, 6))
    lanes = stepped(Linears(True, 1), rule, w, gradients)
    alone = [stepped(Linear(True), rule, w[k : k + 1], gradients[:, k : k + 1])[0] for k in range(3)]
    np.testing.assert_allclose(lanes, alone, rtol=1e-14)


def test_an_intercept_that_is_not_learnt_is_no_part_of_a_model():
    w, g = np.array([[3.0, 4.0, 0.0]]), np.array([[[1.0, 0.0, 7.0]]])
    rule = optimizers.LARS(trust=1.0, beta=0.0)
    np.testing.assert_allclose(stepped(Linear(False), rule, w, g), [[3.0 - 0.1 * 5.0, 4.0, 0.0]])


def test_a_rule_is_told_the_mean_loss_of_its_rows_and_the_penalty():
    """Polyak's step, by hand: (f − f*) ⁄ ‖g‖², lane by lane, with f and g of the penalised objective."""
    w, g, alpha = np.array([[1.0, -2.0, 0.5], [0.3, 0.1, -0.2]]), RNG.normal(size=(1, 2, 3)), 0.3
    found = stepped(Linears(True, 1), optimizers.SPS(lowest=0.05), w, g, 10.0, penalties.L2(alpha), totals=[3.0, 5.0])
    whole = g[0] + alpha * w * [1.0, 1.0, 0.0]
    value = 0.25 * np.array([3.0, 5.0]) + alpha / 2 * (w[:, :2] ** 2).sum(axis=1)
    np.testing.assert_allclose(found, w - ((value - 0.05) / (whole**2).sum(axis=1))[:, None] * whole, rtol=1e-14)


def test_losses_are_summed_for_the_rules_that_ask():
    assert isinstance(losses_for(optimizers.MoMo(), 2), Counted) and isinstance(losses_for(optimizers.DoG(), 2), Uncounted)
    counted = losses_for(optimizers.Averaged(optimizers.SPS()), 2)
    counted.count(1, 2.5)
    assert (counted.take(1), counted.take(1), counted.take(0)) == (2.5, 0.0, 0.0)


def test_which_rule_looks():
    assert not looks(optimizers.Averaged(optimizers.Adam())) and looker(optimizers.GD()) is None
    assert isinstance(looker(optimizers.ScheduleFree(optimizers.Clipped(norm=1.0))), optimizers.Clipped)
    assert not looks(settle(optimizer=optimizers.Averaged(optimizers.Clipped(value=1.0))).rule(np.dtype(float)))


def test_the_loss_of_a_batch_in_parts_is_not_known():
    task, rule = task_of(Linear(True)), optimizers.SPS()
    setting = settle(optimizer=rule, variant="batch", threads=2)
    assert not ThreadedBatches.accepts(task, rule, setting) and ThreadedBatches.accepts(task, optimizers.DoG(), setting)
    with pytest.raises(Exception, match="optimizer sps looks at a batch's loss, and this batch is read in parts"):
        Batches(task, rule, setting).bind_parts(None)


class Normalised(NamedTuple):
    """A contributor's rule: steps of length rate."""

    slots = ()
    sums = ("gradient squared",)

    def reduce(self, w, g, state, rate, t, kept):
        return (g * g,)

    def combine(self, sums, loss, kept, rate, t):
        return (rate / math.sqrt(sums[0]),)

    def step(self, w, g, state, rate, t, shared):
        return w - shared[0] * g, state


def test_a_rule_of_a_few_lines_looks_at_the_whole_model():
    found = stepped(Linear(True), Normalised(), np.zeros((1, 2)), [np.array([[3.0, 4.0]])], rate=0.5)
    np.testing.assert_allclose(found, [[-0.3, -0.4]])
