"""The objective of all rows with its gradient, and the losses' second derivatives."""

from __future__ import annotations

import numpy as np

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.loops.batch import CHUNK, batch_gradient, unpenalised
from gdbench.kernels.loops.updates import add, zero
from gdbench.kernels.models import curvatures, parameters, penalised, scratch
from gdbench.kernels.penalties import penalty_value, with_penalty
from gdbench.kernels.task import Counted


@kernel
def objective_and_gradient(task, w, totals, g):
    """Write each lane's objective to `totals` and the gradients to `g`.

    Parameters
    ----------
    task : Task
    w : ndarray of shape (K, P)
    totals : ndarray of shape (lanes,), float64
    g : ndarray of shape (K, P)
    """
    n = task.target.size
    z = np.empty(scratch(task.model, w, min(n, CHUNK)), w.dtype)
    c = np.empty(w.shape[0], w.dtype)
    part = np.empty_like(g)
    rows = np.empty(n, np.int32)
    for i in range(n):
        rows[i] = i
    for lane in range(totals.size):
        totals[lane] = 0
    zero(g)
    for first in range(0, n, CHUNK):
        end = min(first + CHUNK, n)
        batch_gradient(unpenalised(task), rows, first, end, w, part, part, z, c, Counted(totals))
        add(g, part)
    group = w.shape[0] // totals.size
    for lane in range(totals.size):
        totals[lane] /= n
    for k in range(w.shape[0]):
        for j in range(w.shape[1]):
            g[k, j] /= n
            if j < penalised(task.model, w):
                totals[k // group] += penalty_value(task.penalty, w[k, j])
                g[k, j] = with_penalty(task.penalty, g[k, j], w[k, j])
            elif j >= parameters(task.model, w):
                g[k, j] = 0


@kernel
def second_derivatives(task, w, out):
    """Write the losses' second derivatives with respect to the margins to `out`, row by row.

    Parameters
    ----------
    task : Task
        With a loss that has a curvature, or ``cross_entropy``.
    w : ndarray of shape (K, P)
    out : ndarray of shape (n, K)
        For ``cross_entropy`` the class probabilities p; the second derivative is then diag(p) − ppᵀ.
    """
    z = np.empty(w.shape[0], w.dtype)
    for i in range(task.target.size):
        curvatures(task.model, task, i, w, z, out)
