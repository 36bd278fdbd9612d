"""The linear model: z = x·w + b, the intercept b in the weights' last column."""

from __future__ import annotations

from typing import NamedTuple

from gdbench.kernels.ahead import settled, step_and_dot
from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.data import (
    outputs_dot,
    prefetch_rest,
    prefetch_row,
    reach,
    row_axpy,
    row_dot,
    row_dot_and_ask,
    rows_axpy,
    rows_dot,
    touch_item,
)
from gdbench.kernels.losses import curvature, derivative, derive_group, value, value_group
from gdbench.kernels.models import ask_for, derive, margins
from gdbench.kernels.penalties import shrinkage
from gdbench.kernels.task import count, counts, weigh


@inlined
def next_rows(task, rows, later, r):
    """The four rows to ask for while rows[r], ..., rows[r + 3] are read, or these themselves at the end of a pass.

    What is not asked for in passing, their targets among it, is asked for here.
    """
    if r + 4 > later.size:
        return rows[r], rows[r + 1], rows[r + 2], rows[r + 3]
    for q in range(r, r + 4):
        prefetch_rest(task.data, later[q], later[min(q + reach(task.data), later.size - 1)])
        touch_item(task.target, later[q])
    return later[r], later[r + 1], later[r + 2], later[r + 3]


@inlined
def one_stride(model, task, w, k, at, c, rate):
    """A step of plain descent of output k with row at[0], and its margin of row at[1]."""
    last = w.shape[1] - 1
    push = w.dtype.type(weigh(task.weighting, c, at[0]) * settled(-rate))
    keep = w.dtype.type(shrinkage(task.penalty, rate))
    b = w[k, last]
    if model.fit_intercept:
        b += push
        w[k, last] = b
    return step_and_dot(w, k, task.data.values, at[:3], keep, push, b)[0]


class Linear(NamedTuple):
    """One linear model; weights (1, d + 1). Margins and derivatives are scalars, kept in registers.

    Attributes
    ----------
    fit_intercept : bool
        Whether b is learnt; otherwise it stays as it is, at 0.
    """

    fit_intercept: bool = True

    def group(self):
        return 1

    def outputs(self, w):
        return 1

    def penalised(self, w):
        return w.shape[1] - 1

    def parameters(self, w):
        return w.shape[1] if self.fit_intercept else w.shape[1] - 1

    def margins(self, data, i, w, z):
        return row_dot(data, i, w, 0) + w[0, w.shape[1] - 1]

    def margins_and_ask(self, data, i, w, z, far, later):
        return row_dot_and_ask(data, i, w, 0, far, later) + w[0, w.shape[1] - 1]

    def stride(self, task, w, at, c, factor, eta, z, keep):
        prefetch_rest(task.data, at[2], at[3])
        return one_stride(self, task, w, 0, at, c, factor * eta[0])

    def derive(self, loss, z, y, c):
        return derivative(loss, z, y)

    def gather(self, z):
        return z[0]

    def pick(self, c, k):
        return c

    def accumulate(self, task, rows, later, w, g, z, c, losses):
        """Four rows at a time: they share each load of a weight, and one store of the gradient."""
        data, target, loss = task.data, task.target, task.loss
        last = w.shape[1] - 1
        number = rows.size
        whole = number - number % 4
        for r in range(0, whole, 4):
            i0, i1, i2, i3 = rows[r], rows[r + 1], rows[r + 2], rows[r + 3]
            far = next_rows(task, rows, later, r)
            z0, z1, z2, z3 = rows_dot(data, i0, i1, i2, i3, w, far[:2])
            b = w[0, last]
            z0, z1, z2, z3 = z0 + b, z1 + b, z2 + b, z3 + b
            c0 = w.dtype.type(weigh(task.weighting, derivative(loss, z0, target[i0]), i0))
            c1 = w.dtype.type(weigh(task.weighting, derivative(loss, z1, target[i1]), i1))
            c2 = w.dtype.type(weigh(task.weighting, derivative(loss, z2, target[i2]), i2))
            c3 = w.dtype.type(weigh(task.weighting, derivative(loss, z3, target[i3]), i3))
            if counts(losses):
                count(losses, 0, weigh(task.weighting, value(loss, z0, target[i0]), i0))
                count(losses, 0, weigh(task.weighting, value(loss, z1, target[i1]), i1))
                count(losses, 0, weigh(task.weighting, value(loss, z2, target[i2]), i2))
                count(losses, 0, weigh(task.weighting, value(loss, z3, target[i3]), i3))
            rows_axpy(data, i0, i1, i2, i3, c0, c1, c2, c3, g, far[2:])
            g[0, last] += c0 + c1 + c2 + c3
        for r in range(whole, number):
            ask_for(task, later, r)
            i = rows[r]
            zi = row_dot(data, i, w, 0) + w[0, last]
            ci = w.dtype.type(weigh(task.weighting, derivative(loss, zi, target[i]), i))
            if counts(losses):
                count(losses, 0, weigh(task.weighting, value(loss, zi, target[i]), i))
            row_axpy(data, i, ci, g, 0)
            g[0, last] += ci

    def curvatures(self, task, i, w, z, out):
        """Write the second derivative of row i's loss to out[i, 0]."""
        zi = row_dot(task.data, i, w, 0) + w[0, w.shape[1] - 1]
        out[i, 0] = weigh(task.weighting, curvature(task.loss, zi, task.target[i]), i)


class Linears(NamedTuple):
    """Several linear models over the same rows, in groups of `classes`; weights (lanes·classes, d + 1).

    A row that is in the first-level cache serves them all.

    Attributes
    ----------
    fit_intercept : bool
        Whether the b are learnt.
    classes : int
        Margins that belong to one model: 1, or the classes of a softmax or of one against the rest.
    """

    fit_intercept: bool = True
    classes: int = 1

    def group(self):
        return self.classes

    def outputs(self, w):
        return w.shape[0]

    def penalised(self, w):
        return w.shape[1] - 1

    def parameters(self, w):
        return w.shape[1] if self.fit_intercept else w.shape[1] - 1

    def margins(self, data, i, w, z):
        """Four outputs at a time: they share each load of the row."""
        last = w.shape[1] - 1
        whole = w.shape[0] - w.shape[0] % 4
        for k in range(0, whole, 4):
            z0, z1, z2, z3 = outputs_dot(data, i, w, k)
            z[k] = z0 + w[k, last]
            z[k + 1] = z1 + w[k + 1, last]
            z[k + 2] = z2 + w[k + 2, last]
            z[k + 3] = z3 + w[k + 3, last]
        for k in range(whole, w.shape[0]):
            z[k] = row_dot(data, i, w, k) + w[k, last]
        return z

    def stride(self, task, w, at, c, factor, eta, z, keep):
        prefetch_row(task.data, at[2], at[3])
        for k in range(w.shape[0]):
            z[k] = one_stride(self, task, w, k, at, c[k], factor * eta[k])
        return z

    def derive(self, loss, z, y, c):
        for first in range(0, z.size, self.classes):
            derive_group(loss, z, y, c, first, self.classes)
        return c

    def gather(self, z):
        return z

    def pick(self, c, k):
        return c[k]

    def accumulate(self, task, rows, later, w, g, z, c, losses):
        data = task.data
        last = w.shape[1] - 1
        for r in range(rows.size):
            i = rows[r]
            ask_for(task, later, r)
            margins(self, data, i, w, z)
            derive(self, task.loss, z, task.target[i], c)
            if counts(losses):
                for lane in range(w.shape[0] // self.classes):
                    loss = value_group(task.loss, z, task.target[i], lane * self.classes, self.classes)
                    count(losses, lane, weigh(task.weighting, loss, i))
            for k in range(w.shape[0]):
                ck = w.dtype.type(weigh(task.weighting, c[k], i))
                row_axpy(data, i, ck, g, k)
                g[k, last] += ck

    def curvatures(self, task, i, w, z, out):
        """Write row i's class probabilities to out[i]."""
        margins(self, task.data, i, w, z)
        derive(self, task.loss, z, task.target[i], out[i])
        out[i, int(task.target[i])] += 1
