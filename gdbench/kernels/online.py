"""Online descent as scikit-learn's SGD estimators define it: lazily scaled weights, losses measured before each update.

The weights are ``scale·v``: an l2 penalty multiplies one number instead of d, so a sparse row touches only its own
columns. The mean of the weights over the steps is likewise ``(mean + lag·v) ⁄ lead`` (Bottou's form), brought up to date
only where a row has a value. Dense rows go the same way, in one read and one write of v.

Sums are in float64 whatever the rows' type; v, its mean and what is paid are in the rows' type.

References
----------
L. Bottou, "Stochastic Gradient Descent Tricks", in Neural Networks: Tricks of the Trade (2012), sections 5.1 and 5.3.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.ahead import rarely, settled
from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.compile.tags import operation
from gdbench.kernels.data import entry
from gdbench.kernels.losses import derivative, derive_group, value, value_group
from gdbench.kernels.online_rows import (
    always_moves,
    first_margin,
    follow,
    foresee,
    move,
    move_on,
    predicted,
    put_down,
    rescaled,
    square,
    stay,
    take_up,
    truncate,
)
from gdbench.kernels.order import arrange
from gdbench.kernels.rate_factors import fill
from gdbench.kernels.task import prefetch_all_but_row, weigh

#: Derivatives are cut off here, as scikit-learn does, so that a wild row cannot end a fit by itself.
STEEPEST = 1e12

#: The places of the scalars that pass from one call to the next.
INTERCEPT, MEAN_INTERCEPT, SCALE, LAG, LEAD, SQUARES, ABSOLUTES, DUE, STEPS, ETA, BEST, STALE, STATUS = range(13)
SCALARS = 13

#: How far beyond the last row a step looks.
BEYOND = 3

#: Values of the scalar STATUS after a call.
RUNNING, CONVERGED, OVERFLOW = 0.0, 1.0, 2.0

keep = operation("keep")
charge = operation("charge")
cost = operation("cost")
shrinks = operation("shrinks")
truncates = operation("truncates")


class Free(NamedTuple):
    """No penalty."""

    def keep(self, rate):
        """By what a step multiplies the weights: never below 0."""
        return 1.0

    def charge(self, rate):
        """By how much a step raises the l1 penalty that is due."""
        return 0.0

    def cost(self, squares, absolutes):
        """The penalty, from ‖w‖² and Σ|w|."""
        return 0.0

    def shrinks(self):
        """Whether weights are multiplied at all, and their norm is asked for."""
        return False

    def truncates(self):
        """Whether there is an l1 part."""
        return False


class Smooth(NamedTuple):
    """α⁄2·‖w‖²."""

    alpha: float

    def keep(self, rate):
        return max(0.0, 1.0 - rate * self.alpha)

    def charge(self, rate):
        return 0.0

    def cost(self, squares, absolutes):
        return self.alpha * 0.5 * squares

    def shrinks(self):
        return True

    def truncates(self):
        return False


class Net(NamedTuple):
    """α(ρ·Σ|w| + (1 − ρ)⁄2·‖w‖²); the lasso with ρ = 1."""

    alpha: float
    l1_ratio: float

    def keep(self, rate):
        return max(0.0, 1.0 - (1.0 - self.l1_ratio) * rate * self.alpha)

    def charge(self, rate):
        return self.l1_ratio * rate * self.alpha

    def cost(self, squares, absolutes):
        return self.alpha * ((1.0 - self.l1_ratio) * 0.5 * squares + self.l1_ratio * absolutes)

    def shrinks(self):
        return True

    def truncates(self):
        return True


share = operation("share")
push = operation("push")
passes_over = operation("passes_over")
counts_penalty = operation("counts_penalty")


class Gradient(NamedTuple):
    """A step against the loss's gradient."""

    def share(self, rate):
        """What a step is a multiple of, whatever the row."""
        return -rate

    def push(self, loss, p, y, square):
        """By what multiple of its share the row is added to the weights."""
        slope = derivative(loss, p, y)
        # Squared as it is, the square is at hand where the loss is one.
        if rarely(slope * slope > STEEPEST * STEEPEST):
            slope = STEEPEST if slope > 0.0 else -STEEPEST
        return slope

    def passes_over(self, square):
        """Whether a row with that ‖x‖² is no step at all."""
        return False


class PassiveAggressive(NamedTuple):
    """The smallest step that makes the row's loss 0, but none above `most`.

    Attributes
    ----------
    most : float
        The aggressiveness C.
    soft : bool
        Divide by ‖x‖² + 1⁄(2C) (PA-II) instead of stopping at C (PA-I).

    References
    ----------
    K. Crammer et al., "Online Passive-Aggressive Algorithms", JMLR 7 (2006), 551-585, figure 1.
    """

    most: float
    soft: bool

    def share(self, rate):
        return 1.0

    def push(self, loss, p, y, square):
        size = value(loss, p, y) / (square + 0.5 / self.most) if self.soft else min(self.most, value(loss, p, y) / square)
        # The losses that this serves rise with slope 1, so the derivative is the direction.
        return -size * derivative(loss, p, y)

    def passes_over(self, square):
        return not self.soft and square == 0.0


class WithPenalty(NamedTuple):
    """The objective is the mean loss and the penalty."""

    def counts_penalty(self):
        """Whether the penalty before each step is summed up, for which each step works out ‖w‖²."""
        return True


class LossAlone(NamedTuple):
    """The objective is the mean loss, or nobody asks for one."""

    def counts_penalty(self):
        return False


class Lesson(NamedTuple):
    """What is descended on.

    Attributes
    ----------
    rows : a kind of gdbench.kernels.online_rows
        Plain or sparse ones for a penalty that truncates: that moves the weights once more.
    target : ndarray of shape (n,), the rows' type
    weighting : Unweighted or Weighted
        Of each row's step; its loss counts once all the same.
    held_out : ndarray of shape (n,), bool, or None
        Rows to leave for validation.
    number : int
        How many rows that leaves for an epoch.
    loss : tag of gdbench.kernels.losses
    penalty, aim : tags of this module
    """

    rows: Any
    target: Any
    weighting: Any
    held_out: Any
    number: int
    loss: Any
    penalty: Any
    aim: Any


class Habits(NamedTuple):
    """How the steps are taken, and when they end.

    Attributes
    ----------
    fit_intercept : bool
    decay : float
        What the intercept's step is multiplied by; below 1 on sparse rows, whose columns move more rarely.
    average_from : int
        The first step that the mean includes.
    objective : WithPenalty or LossAlone
    tol : float
        An epoch whose mean objective is not below the best by this is stale; −inf never.
    patience : int
        Stale epochs in a row that end the fit,
    adaptive : bool
        or divide the rate by 5 first, down to 1e-6.
    watches : bool
        Whether the objective decides on the end; otherwise the caller does.
    """

    fit_intercept: bool
    decay: float
    average_from: int
    objective: Any
    tol: float
    patience: int
    adaptive: bool
    watches: bool


@inlined
def next_row(index, held_out, r):
    """The first place from r on whose row is not held out."""
    if held_out is not None:
        while r < held_out.size and entry(held_out, entry(index, r)):
            r += 1
    return r


@inlined
def row_before(index, held_out, r):
    """The last place before r whose row is not held out."""
    r -= 1
    if held_out is not None:
        while entry(held_out, entry(index, r)):
            r -= 1
    return r


@inlined
def has_settled(scalars, objective, habits):
    """Take in an epoch's objective; whether the fit ends with it."""
    stale = habits.tol > -math.inf and objective > scalars[BEST] - habits.tol
    scalars[STALE] = scalars[STALE] + 1.0 if stale else 0.0
    scalars[BEST] = min(scalars[BEST], objective)
    if scalars[STALE] < habits.patience:
        return False
    if habits.adaptive and scalars[ETA] > 1e-6:
        scalars[ETA] = scalars[ETA] / 5.0
        scalars[STALE] = 0.0
        return False
    return True


averages = operation("averages")
bring_up = operation("bring_up")
take_in = operation("take_in")


class Unaveraged(NamedTuple):
    """No mean of the weights is asked for."""

    def averages(self):
        """Whether there is one."""
        return False

    def bring_up(self, v, scalars):
        """Bring the mean up to date with v."""

    def take_in(self, rows, i, c, count, scalars):
        """Take in the weights after a step by c·x, the `count`-th in the mean; c comes without the scale of v."""


class Averaged(NamedTuple):
    """The mean of the weights over the steps.

    Attributes
    ----------
    values : ndarray of shape (d,), the rows' type
    """

    values: Any

    def averages(self):
        return True

    def bring_up(self, v, scalars):
        lag, lead = scalars[LAG], scalars[LEAD]
        for j in range(v.size):
            self.values[j] = (self.values[j] + lag * v[j]) * (1.0 / lead)

    def take_in(self, rows, i, c, count, scalars):
        if count < 1.0:
            return
        scale = scalars[SCALE]
        follow(rows, i, -scalars[LAG] * c / scale, self.values)
        if count > 1.0:
            scalars[LEAD] /= 1.0 - 1.0 / count
        scalars[LAG] += scalars[LEAD] * scale / count
        scalars[MEAN_INTERCEPT] += (scalars[INTERCEPT] - scalars[MEAN_INTERCEPT]) / count


class Weights(NamedTuple):
    """What a descent changes, in place.

    Attributes
    ----------
    v : ndarray of shape (d,), the rows' type
        The weights without their scale.
    mean : Unaveraged or Averaged
    paid : ndarray of shape (d,) or (0,)
        The l1 penalty that each weight has paid, for a penalty that truncates.
    scalars : ndarray of shape (SCALARS,), float64
        The scalars that go with them.
    """

    v: Any
    mean: Any
    paid: Any
    scalars: Any


@inlined
def gather_in(weights):
    """Multiply the scale into v and bring the mean up to date."""
    v, scalars = weights.v, weights.scalars
    bring_up(weights.mean, v, scalars)
    for j in range(v.size):
        v[j] = scalars[SCALE] * v[j]
    scalars[LAG] = 0.0
    scalars[LEAD] = scalars[SCALE] = 1.0


@inlined
def all_finite(v, intercept):
    """Whether a descent is still in the range of its type."""
    total = 0.0 * intercept
    for j in range(v.size):
        total += 0.0 * v[j]
    return total == 0.0


@inlined
def descend_block(lesson, habits, weights, index, place, steps, rates):
    """Descend over so many rows in `index` from a place on; the sums of their losses and of the penalty before each step.

    `rates` holds the steps' factors. Also returns the place after the last row.
    """
    rows, target, weighting, held_out, _, loss, penalty, aim = lesson
    v, mean, paid, scalars = weights
    decay = habits.decay if habits.fit_intercept else 0.0
    real = v.dtype.type
    smallest = 1e-9 if v.itemsize == 8 else 1e-6
    intercept, scale = scalars[INTERCEPT], scalars[SCALE] if shrinks(penalty) else 1.0
    squares, absolutes, due, eta = scalars[SQUARES], scalars[ABSOLUTES], scalars[DUE], scalars[ETA]
    losses = costs = moved = 0.0
    s = 0
    place = next_row(index, held_out, place)
    i = entry(index, place)
    place = next_row(index, held_out, place + 1)
    after = entry(index, place)
    held = take_up(rows, v)
    margin = first_margin(rows, i, v)
    known = foresee(rows, v, held, i, after)
    for r in range(steps):
        place = next_row(index, held_out, place + 1)
        beyond = entry(index, place)
        at = (i, after, beyond, prefetch_all_but_row(rows, target, weighting, index, place))
        # What does not depend on the margin comes first: the margins make a chain that all else waits for.
        norm = square(rows, i)
        rate = eta * entry(rates, r)
        part = weigh(weighting, share(aim, rate), i)
        p = predicted(rows, margin, scale, intercept, moved)
        y = np.float64(entry(target, i))
        losses += value(loss, p, y)
        if counts_penalty(habits.objective):
            costs += cost(penalty, squares, absolutes)
        if passes_over(aim, norm):
            margin, known = stay(rows, v, held, at, known)
            moved = 0.0
            i, after = at[1:3]
            continue
        kept = np.float64(real(keep(penalty, rate)))
        scale *= kept
        if counts_penalty(habits.objective):
            squares *= kept * kept
            absolutes *= kept
        if rarely(scale < smallest):
            scalars[SCALE] = scale
            put_down(rows, held, v)
            gather_in(weights)
            held = take_up(rows, v)
            known = rescaled(rows, known, scale)
            scale = 1.0
        towards = push(aim, loss, p, y, norm)
        step = real(settled(part / scale) * towards)
        # Rounded like scikit-learn's before it is added, or a perceptron's margin of 0 would be 1e-18 here.
        intercept += part * decay * towards
        moved = part * towards
        if truncates(penalty):
            if step != 0.0:
                squares, absolutes = move(rows, i, step, v)
                squares *= scale * scale
                absolutes *= scale
        elif always_moves(rows) or step != 0.0:
            held, squares, margin, known = move_on(rows, step, v, held, at, known)
            squares *= scale * scale
        else:
            margin, known = stay(rows, v, held, at, known)
        if averages(mean):
            scalars[INTERCEPT], scalars[SCALE] = intercept, scale
            take_in(mean, rows, i, moved, scalars[STEPS] + (s - habits.average_from + 1), scalars)
        if truncates(penalty):
            due += charge(penalty, rate)
            truncate(rows, i, v, paid, due, scale)
            margin = first_margin(rows, after, v)
        i, after = at[1:3]
        s += 1
    put_down(rows, held, v)
    scalars[INTERCEPT], scalars[SCALE] = intercept, scale
    scalars[STEPS] += s
    if counts_penalty(habits.objective):
        scalars[SQUARES], scalars[ABSOLUTES] = squares, absolutes
    if truncates(penalty):
        scalars[DUE] = due
    return losses, costs, row_before(index, held_out, place)


@inlined
def descend_epoch(lesson, habits, weights, index, rates):
    """Descend over the rows in `index` once; the sums of their losses and of the penalty before each step."""
    losses = costs = 0.0
    place = 0
    for done in range(0, lesson.number, rates.block.size):
        steps = min(rates.block.size, lesson.number - done)
        fill(rates, weights.scalars[STEPS], steps)
        more, dearer, place = descend_block(lesson, habits, weights, index, place, steps, rates.block)
        losses += more
        costs += dearer
    return losses, costs


@kernel
def descend_epochs(lesson, habits, weights, order, index, first, rates, curve):
    """Descend row by row for the epochs of `curve`, or until the objective has settled.

    Parameters
    ----------
    lesson : Lesson
    habits : Habits
    weights : Weights
        Changed in place.
    order : tag of gdbench.kernels.order
    index : ndarray of shape (n + BEYOND,), uint32
        The rows as the epoch before left them, then any of them: steps look ahead. Unsigned, so that no number is extended.
    first : int
        Number of the first epoch, from 0.
    rates : Rates
        The learning rates, to be multiplied by the scalar ETA; its block is changed in place.
    curve : ndarray of shape (2, epochs)
        Receives each epoch's mean loss and objective.

    Returns
    -------
    int
        The epochs run; the scalar STATUS says whether and how the descent has ended. After the last call :func:`finish`
        makes weights of v.
    """
    scalars = weights.scalars
    for e in range(curve.shape[1]):
        arrange(order, index[: lesson.target.size], first + e)
        losses, costs = descend_epoch(lesson, habits, weights, index, rates)
        curve[0, e] = losses / lesson.number
        curve[1, e] = (losses + costs) / lesson.number
        if not all_finite(weights.v, scalars[INTERCEPT]):
            scalars[STATUS] = OVERFLOW
            return e + 1
        if habits.watches and has_settled(scalars, curve[1, e], habits):
            scalars[STATUS] = CONVERGED
            return e + 1
    return curve.shape[1]


@kernel
def finish(weights):
    """Turn v and its mean, as :func:`descend_epochs` leaves them, into the weights and their mean."""
    gather_in(weights)


class Watched(NamedTuple):
    """A loss that keeps account of itself: the descent loops ask each row's derivative once, before its step.

    Attributes
    ----------
    loss : tag of gdbench.kernels.losses
    account : ndarray of shape (2,), float64
        The sum of the losses of the rows visited, and their number.
    """

    loss: Any
    account: Any

    def value(self, z, y):
        return value(self.loss, z, y)

    def derivative(self, z, y):
        self.account[0] += value(self.loss, z, y)
        self.account[1] += 1.0
        return derivative(self.loss, z, y)

    def value_group(self, z, y, first, classes):
        return value_group(self.loss, z, y, first, classes)

    def derive_group(self, z, y, c, first, classes):
        self.account[0] += value_group(self.loss, z, y, first, classes)
        self.account[1] += 1.0
        derive_group(self.loss, z, y, c, first, classes)


class ClassWeighted(NamedTuple):
    """One against the rest, with a weight for the rows of each model's own class.

    Attributes
    ----------
    rest : OneVsRest
    weights : ndarray of shape (classes,)
    """

    rest: Any
    weights: Any

    def value_group(self, z, y, first, classes):
        return value_group(self.rest, z, y, first, classes)

    def derive_group(self, z, y, c, first, classes):
        derive_group(self.rest, z, y, c, first, classes)
        c[first + int(y)] *= self.weights[int(y)]
