"""Linear models side by side: the lanes of a sweep over dense rows."""

from __future__ import annotations

from gdbench.kernels.lanes import lanes_dot
from gdbench.kernels.losses import derivative, value
from gdbench.kernels.models import derive, margins
from gdbench.kernels.models.linear import Linears
from gdbench.kernels.task import count, counts, prefetch_rows, weigh


class Lanes(Linears):
    """Linear models of one output each, over the same dense rows; weights (K, d + 1) in Fortran order.

    Neighbouring lanes share a register, and the loops go through them innermost.
    """

    def side_by_side(self):
        return True

    def margins(self, data, i, w, z):
        lanes_dot(w, data.values, i, z)
        return z

    def derive(self, loss, z, y, c):
        for k in range(z.size):
            c[k] = derivative(loss, z[k], y)
        return c

    def accumulate(self, task, visited, first, end, w, g, z, c, losses):
        data, last = task.data, w.shape[1] - 1
        x = data.values
        for r in range(first, end):
            i = visited[r]
            prefetch_rows(task.data, task.target, task.weighting, visited, r)
            margins(self, data, i, w, z)
            derive(self, task.loss, z, task.target[i], c)
            if counts(losses):
                for k in range(w.shape[0]):
                    count(losses, k, weigh(task.weighting, value(task.loss, z[k], task.target[i]), i))
            for k in range(w.shape[0]):
                c[k] = weigh(task.weighting, c[k], i)
            for j in range(last):
                xij = x[i, j]
                for k in range(w.shape[0]):
                    g[k, j] += c[k] * xij
            for k in range(w.shape[0]):
                g[k, last] += c[k]
