"""The linear model: z = x·w + b, the intercept b in the weights' last column."""

from __future__ import annotations

from typing import NamedTuple

from gdbench.kernels.ahead import settled, step_and_dot
from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.data import (
    dot_and_prefetch,
    dot_like_four_and_prefetch,
    outputs_dot,
    prefetch_row,
    row_axpy,
    row_dot,
    rows_axpy,
    rows_dot,
)
from gdbench.kernels.losses import curvature, derivative, derive_group, value, value_group
from gdbench.kernels.models import derive, margins
from gdbench.kernels.penalties import shrinkage
from gdbench.kernels.task import count, counts, prefetch_all_but_row, prefetch_rows, weigh


@inlined
def row_derivative(task, z, i, losses):
    """The weighted derivative of row i's loss at its margin z; the loss is counted if asked."""
    if counts(losses):
        count(losses, 0, weigh(task.weighting, value(task.loss, z, task.target[i]), i))
    return task.target.dtype.type(weigh(task.weighting, derivative(task.loss, z, task.target[i]), i))


@inlined
def accumulate_four(task, visited, r, w, g, losses):
    """Add the gradients of the rows visited[r], …, visited[r + 3], which share each load of a weight and one store of g."""
    data, last = task.data, w.shape[1] - 1
    i0, i1, i2, i3 = visited[r], visited[r + 1], visited[r + 2], visited[r + 3]
    n0, n1 = (
        prefetch_all_but_row(task.data, task.target, task.weighting, visited, r),
        prefetch_all_but_row(task.data, task.target, task.weighting, visited, r + 1),
    )
    n2, n3 = (
        prefetch_all_but_row(task.data, task.target, task.weighting, visited, r + 2),
        prefetch_all_but_row(task.data, task.target, task.weighting, visited, r + 3),
    )
    b = w[0, last]
    z0, z1, z2, z3 = rows_dot(data, i0, i1, i2, i3, w, (n0, n1))
    c0, c1 = row_derivative(task, z0 + b, i0, losses), row_derivative(task, z1 + b, i1, losses)
    c2, c3 = row_derivative(task, z2 + b, i2, losses), row_derivative(task, z3 + b, i3, losses)
    rows_axpy(data, i0, i1, i2, i3, c0, c1, c2, c3, g, (n2, n3))
    g[0, last] = settled(settled(settled(g[0, last] + c0) + c1) + c2) + c3


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

    def margins_and_prefetch(self, task, visited, r, w, z):
        near = prefetch_all_but_row(task.data, task.target, task.weighting, visited, r)
        return dot_and_prefetch(task.data, visited[r], w, 0, near) + w[0, w.shape[1] - 1]

    def stride(self, task, w, at, c, factor, eta, z, keep):
        return one_stride(self, task, w, 0, at, c, factor * eta[0])

    def derive(self, loss, z, y, c):
        return derivative(loss, z, y)

    def gather(self, z):
        return z[0]

    def pick(self, c, k):
        return c

    def accumulate(self, task, visited, first, end, w, g, z, c, losses):
        """Four rows at a time, or one: of either, the bits are the same."""
        data, last = task.data, w.shape[1] - 1
        whole = end - (end - first) % 4 if data.plan.rows_per_pass == 4 else first
        for r in range(first, whole, 4):
            accumulate_four(task, visited, r, w, g, losses)
        for r in range(whole, end):
            i, near = visited[r], prefetch_all_but_row(task.data, task.target, task.weighting, visited, r)
            ci = row_derivative(task, dot_like_four_and_prefetch(data, i, w, near) + w[0, last], i, losses)
            row_axpy(data, i, ci, g, 0)
            g[0, last] = settled(g[0, last] + ci)

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
        prefetch_row(task.data, at[2], at[2])
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

    def accumulate(self, task, visited, first, end, w, g, z, c, losses):
        data = task.data
        last = w.shape[1] - 1
        for r in range(first, end):
            i = visited[r]
            prefetch_rows(task.data, task.target, task.weighting, visited, r)
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
