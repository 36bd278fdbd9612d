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

from gdbench.kernels.ahead import settled, step_and_dot, step_and_look
from gdbench.kernels.data import AHEAD, CSR, Dense, entry, places, prefetch_row, touch, touch_item
from gdbench.kernels.gather import gathered_dot
from gdbench.kernels.jit import inlined, kernel
from gdbench.kernels.losses import derivative, derive_group, value, value_group
from gdbench.kernels.order import arrange
from gdbench.kernels.tags import operation
from gdbench.kernels.task import ask_for_weight, weigh
from gdbench.kernels.vectors import dots

#: Derivatives are cut off here, as scikit-learn does, so that a wild row cannot end a fit by itself.
STEEPEST = 1e12

#: The places of the scalars that pass from one call to the next.
INTERCEPT, MEAN_INTERCEPT, SCALE, LAG, LEAD, SQUARES, ABSOLUTES, DUE, STEPS, ETA, BEST, STALE, STATUS = range(13)
SCALARS = 13

#: Values of the scalar STATUS after a call.
RUNNING, CONVERGED, OVERFLOW = 0.0, 1.0, 2.0

along = operation("along")
move = operation("move")
foresee = operation("foresee")
move_on = operation("move_on")
stay = operation("stay")
follow = operation("follow")
truncate = operation("truncate")
square = operation("square")


class DenseRows(Dense):
    """Dense rows."""

    def along(self, i, v):
        """v·x over row i."""
        x = self.values
        total = 0.0
        for j in range(x.shape[1]):
            total += np.float64(v[j]) * np.float64(x[i, j])
        return total

    def move(self, i, c, v):
        """Add c·x to v; Σv² and Σ|v| over the row's columns afterwards."""
        x = self.values
        squares = absolutes = 0.0
        for j in range(x.shape[1]):
            vj = v[j] + c * x[i, j]
            v[j] = vj
            squares += np.float64(vj * vj)
            absolutes += np.float64(abs(vj))
        return squares, absolutes

    def foresee(self, i, v, after):
        """What is known of the row after i before the first step."""
        return 0.0, 0.0

    def move_on(self, c, v, at, known):
        """Add c·x to v; Σv², v·x′ over the row after that, in the one pass that has v in registers, and what is known then.

        `at` holds the numbers of this row, the one after, the one beyond that and one far ahead.
        """
        i, after, _, _ = at
        x = self.values
        squares = ahead = 0.0
        for j in range(x.shape[1]):
            vj = v[j] + c * x[i, j]
            v[j] = vj
            squares += np.float64(vj * vj)
            ahead += np.float64(vj) * np.float64(x[after, j])
        return squares, ahead, known

    def stay(self, v, at, known):
        """The same where v does not move."""
        return along(self, at[1], v), known

    def follow(self, i, c, mean):
        """Add c·x to the mean, in float64."""
        x = self.values
        for j in range(x.shape[1]):
            mean[j] += c * x[i, j]

    def truncate(self, i, v, paid, due, scale):
        """Let each weight of the row's columns pay what it owes of the l1 penalty."""
        for j in range(v.size):
            pay(v, paid, j, due, scale)

    def square(self, i):
        """‖x‖²."""
        x = self.values
        total = 0.0
        for j in range(x.shape[1]):
            total += np.float64(x[i, j]) * np.float64(x[i, j])
        return total


class PairedRows(DenseRows):
    """Dense rows in float64, most of which cause no step: then the next margin waits for nothing, and v is only read."""

    def along(self, i, v):
        return dots(self.values, (i,), v, 0, self.values.shape[1], ())[0]

    def move_on(self, c, v, at, known):
        margin, squares = step_and_dot(v, 0, self.values, (at[0], at[1], at[3]), 1.0, c, 0.0)
        return squares, margin, known

    def stay(self, v, at, known):
        return dots(self.values, (at[1],), v, 0, self.values.shape[1], (at[3],))[0], known

    def prefetch_row(self, i, later):
        """The end of the row; the passes ask for the rest."""
        touch(self.values, i, self.values.shape[1] - 1)


class ChainedRows(DenseRows):
    """Dense rows in float64, of which two products are known before a step: v·x′ and x·x′ of the row x′ after it."""

    def foresee(self, i, v, after):
        ahead, overlap, _ = step_and_look(v, self.values, (i, i, after, after), 0.0)
        return ahead, overlap

    def move_on(self, c, v, at, known):
        ahead, overlap, squares = step_and_look(v, self.values, at, c)
        return squares, known[0] + c * known[1], (ahead, overlap)

    def stay(self, v, at, known):
        _, margin, known = move_on(self, 0.0, v, at, known)
        return margin, known

    def prefetch_row(self, i, later):
        """The end of the row; the pass asks for the rest."""
        touch(self.values, i, self.values.shape[1] - 1)


class SparseRows(CSR):
    """Sparse rows; `indices` unsigned, so that no index is checked for a count from the end."""

    def along(self, i, v):
        first, last = places(self, i)
        return gathered_dot(self.values, self.indices, first, last, v, 0.0)

    def move(self, i, c, v):
        squares = absolutes = 0.0
        first, last = places(self, i)
        for p in range(first, last):
            j = self.indices[p]
            vj = v[j] + c * self.values[p]
            v[j] = vj
            squares += np.float64(vj * vj)
            absolutes += np.float64(abs(vj))
        return squares, absolutes

    def foresee(self, i, v, after):
        return 0.0, 0.0

    def move_on(self, c, v, at, known):
        squares, _ = move(self, at[0], c, v)
        return squares, along(self, at[1], v), known

    def stay(self, v, at, known):
        return along(self, at[1], v), known

    def follow(self, i, c, mean):
        first, last = places(self, i)
        for p in range(first, last):
            mean[self.indices[p]] += c * self.values[p]

    def truncate(self, i, v, paid, due, scale):
        first, last = places(self, i)
        for p in range(first, last):
            pay(v, paid, self.indices[p], due, scale)

    def square(self, i):
        total = 0.0
        first, last = places(self, i)
        for p in range(first, last):
            total += np.float64(self.values[p]) * np.float64(self.values[p])
        return total


@inlined
def pay(v, paid, j, due, scale):
    """Move weight j toward 0 by what is due and not yet paid, and note what it paid (Tsuruoka, Tsujii, Ananiadou 2009)."""
    before = np.float64(v[j])
    if before > 0.0:
        v[j] = max(0.0, before - (due + paid[j]) / scale)
    elif before < 0.0:
        v[j] = min(0.0, before + (due - paid[j]) / scale)
    paid[j] += scale * (np.float64(v[j]) - before)


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
        return rate

    def push(self, loss, p, y, square):
        """By what multiple of its share the row is added to the weights."""
        return max(-STEEPEST, min(-derivative(loss, p, y), STEEPEST))

    def passes_over(self, square):
        """Whether a row with that ‖x‖² is no step at all."""
        return False

    def counts_penalty(self):
        """Whether the objective watched includes the penalty."""
        return True


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

    def counts_penalty(self):
        return False


class Lesson(NamedTuple):
    """What is descended on.

    Attributes
    ----------
    rows : ChainedRows, PairedRows, DenseRows or SparseRows
        Neither chained nor paired for a penalty that truncates: that moves the weights once more.
    target : ndarray of shape (n,), the rows' type
    weighting : Unweighted or Weighted
        Of each row's step; its loss counts once all the same.
    held_out : ndarray of shape (n,), bool, or None
        Rows to leave for validation.
    loss : tag of gdbench.kernels.losses
    penalty, aim : tags of this module
    """

    rows: Any
    target: Any
    weighting: Any
    held_out: Any
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
    tol : float
        An epoch whose mean objective is not below the best by this is stale; −inf never.
    patience : int
        Stale epochs in a row that end the fit,
    adaptive : bool
        or divide the rate by 5 first, down to 1e-6.
    watches : bool
        Whether the objective of each epoch decides on the end; otherwise the caller does.
    """

    fit_intercept: bool
    decay: float
    average_from: int
    tol: float
    patience: int
    adaptive: bool
    watches: bool


@inlined
def next_row(index, held_out, r):
    """The first place from r on whose row is not held out."""
    if held_out is not None:
        while r < index.size and entry(held_out, entry(index, r)):
            r += 1
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


@inlined
def gather_in(v, mean, scalars):
    """Multiply the scale into v and bring the mean up to date."""
    lag, lead, scale = scalars[LAG], scalars[LEAD], scalars[SCALE]
    if mean is not None:
        for j in range(mean.size):
            mean[j] = (mean[j] + lag * v[j]) * (1.0 / lead)
    for j in range(v.size):
        v[j] = scale * v[j]
    scalars[LAG] = 0.0
    scalars[LEAD] = scalars[SCALE] = 1.0


@inlined
def all_finite(v, intercept):
    """Whether a descent is still in the range of its type."""
    total = 0.0 * intercept
    for j in range(v.size):
        total += 0.0 * v[j]
    return total == 0.0


@kernel
def descend_epochs(lesson, habits, v, mean, paid, scalars, order, index, first, rates, curve):
    """Descend row by row for the epochs of `rates`, or until the objective has settled.

    Parameters
    ----------
    lesson : Lesson
    habits : Habits
    v : ndarray of shape (d,), the rows' type
        The weights, changed in place.
    mean : ndarray of shape (d,), or None
        Their mean over the steps from ``habits.average_from`` on, if one is asked for.
    paid : ndarray of shape (d,) or (0,)
        The l1 penalty that each weight has paid, for a penalty that truncates.
    scalars : ndarray of shape (SCALARS,), float64
        The scalars that go with them; changed in place.
    order : tag of gdbench.kernels.order
    index : ndarray of shape (n,), int32
        The rows as the epoch before left them.
    first : int
        Number of the first epoch, from 0.
    rates : ndarray of shape (epochs, steps an epoch), float64
        The learning rates, to be multiplied by the scalar ETA.
    curve : ndarray of shape (2, epochs)
        Receives each epoch's mean loss and objective.

    Returns
    -------
    int
        The epochs run; the scalar STATUS says whether and how the descent has ended. After the last call :func:`finish`
        makes weights of v.
    """
    rows, target, weighting, held_out, loss, penalty, aim = lesson
    n = index.size
    real = v.dtype.type
    smallest = 1e-9 if v.itemsize == 8 else 1e-6
    intercept, scale, steps = scalars[INTERCEPT], scalars[SCALE] if shrinks(penalty) else 1.0, scalars[STEPS]
    squares, absolutes, due = scalars[SQUARES], scalars[ABSOLUTES], scalars[DUE]
    done = 0
    for e in range(rates.shape[0]):
        arrange(order, index, first + e)
        eta = scalars[ETA]
        losses = costs = 0.0
        s = 0
        r = next_row(index, held_out, 0)
        following = next_row(index, held_out, r + 1)
        i, after = entry(index, r), entry(index, following if following < n else r)
        margin = along(rows, i, v)
        known = foresee(rows, i, v, after)
        while r < n:
            r, following = following, next_row(index, held_out, following + 1)
            at = (i, after, entry(index, following) if following < n else after, entry(index, min(r + AHEAD, n - 1)))
            prefetch_row(rows, at[3], index[min(r + 2 * AHEAD, n - 1)])
            touch_item(target, at[3])
            ask_for_weight(weighting, at[3])
            # What does not depend on the margin comes first: the margins make a chain that all else waits for.
            norm = square(rows, i)
            rate = eta * rates[e, s]
            part = weigh(weighting, share(aim, rate), i)
            p = np.float64(real(scale * margin)) + intercept
            y = np.float64(entry(target, i))
            losses += value(loss, p, y)
            if counts_penalty(aim):
                costs += cost(penalty, squares, absolutes)
            if passes_over(aim, norm):
                margin, known = stay(rows, v, at, known)
                i, after = at[1], at[2]
                continue
            kept = np.float64(real(keep(penalty, rate)))
            scale *= kept
            squares *= kept * kept
            absolutes *= kept
            if scale < smallest:
                scalars[SCALE] = scale
                gather_in(v, mean, scalars)
                known = (known[0] * scale, known[1])
                scale = 1.0
            towards = push(aim, loss, p, y, norm)
            c = part * towards
            step = real(settled(part / scale) * towards)
            if habits.fit_intercept:
                # Rounded like scikit-learn's before it is added, or a perceptron's margin of 0 would be 1e-18 here.
                intercept += part * habits.decay * towards
            if truncates(penalty):
                if c != 0.0:
                    squares, absolutes = move(rows, i, step, v)
                    squares *= scale * scale
                    absolutes *= scale
            elif c != 0.0:
                squares, margin, known = move_on(rows, step, v, at, known)
                squares *= scale * scale
            else:
                margin, known = stay(rows, v, at, known)
            if mean is not None and steps >= habits.average_from:
                count = steps - habits.average_from + 1.0
                follow(rows, i, -scalars[LAG] * c / scale, mean)
                if count > 1.0:
                    scalars[LEAD] /= 1.0 - 1.0 / count
                scalars[LAG] += scalars[LEAD] * scale / count
                scalars[MEAN_INTERCEPT] += (intercept - scalars[MEAN_INTERCEPT]) / count
            if truncates(penalty):
                due += charge(penalty, rate)
                truncate(rows, i, v, paid, due, scale)
                margin = along(rows, after, v)
            i, after = at[1], at[2]
            s += 1
            steps += 1.0
        curve[0, e] = losses / rates.shape[1]
        curve[1, e] = (losses + costs) / rates.shape[1]
        done = e + 1
        if not all_finite(v, intercept):
            scalars[STATUS] = OVERFLOW
            break
        if habits.watches and has_settled(scalars, curve[1, e], habits):
            scalars[STATUS] = CONVERGED
            break
    scalars[INTERCEPT], scalars[SCALE], scalars[STEPS] = intercept, scale, steps
    if shrinks(penalty):
        scalars[SQUARES], scalars[ABSOLUTES], scalars[DUE] = squares, absolutes, due
    return done


@kernel
def finish(v, mean, scalars):
    """Turn v and `mean`, as :func:`descend_epochs` leaves them, into the weights and their mean."""
    gather_in(v, mean, scalars)


@kernel
def inverse_powers(first, power, out):
    """Write (first + i)^(−power) to out[i]: a power for each 16 numbers, and the binomial series around it.

    Parameters
    ----------
    first : float
    power : float
    out : ndarray of shape (n,), float64
    """
    p = -power
    c1 = p
    c2 = c1 * (p - 1.0) / 2.0
    c3 = c2 * (p - 2.0) / 3.0
    c4 = c3 * (p - 3.0) / 4.0
    c5 = c4 * (p - 4.0) / 5.0
    c6 = c5 * (p - 5.0) / 6.0
    c7 = c6 * (p - 6.0) / 7.0
    c8 = c7 * (p - 7.0) / 8.0
    i = 0
    # The series needs a step that is small beside the number: 7.5⁄512 leaves an error under 1e-16.
    while i < out.size and (first + i < 512.0 or out.size - i < 16):
        out[i] = (first + i) ** p
        i += 1
    while i + 16 <= out.size:
        centre = first + i + 7.5
        anchor = centre**p
        inverse = 1.0 / centre
        for k in range(16):
            u = (k - 7.5) * inverse
            tail = u * (c5 + u * (c6 + u * (c7 + u * c8)))
            out[i + k] = anchor * (1.0 + u * (c1 + u * (c2 + u * (c3 + u * (c4 + tail)))))
        i += 16
    while i < out.size:
        out[i] = (first + i) ** p
        i += 1


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
