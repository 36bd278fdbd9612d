"""The multilayer perceptron: one hidden layer, trained by the same loops as the linear model.

Its weights are one row of P = H·d + C·H + H + C numbers: W₁ (H, d), W₂ (C, H), b₁ (H), b₂ (C), one after the other, the
penalised ones first. A batch goes through it as matrix products.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.compile.jit import called
from gdbench.kernels.compile.tags import operation
from gdbench.kernels.elementary import exp_below, hyperbolic_tangent
from gdbench.kernels.losses import derive_group, value_group
from gdbench.kernels.registry import Registry
from gdbench.kernels.task import count, counts, prefetch_far_row, weigh

activate = operation("activate")
slope = operation("slope")

activations = Registry("activation", "activate", "slope")


@activations.register
class Tanh(NamedTuple):
    """h = tanh(a); dh ⁄ da = 1 − h²."""

    def activate(self, a):
        return hyperbolic_tangent(a)

    def slope(self, h):
        return 1 - h * h


@activations.register
class ReLU(NamedTuple):
    """h = max(0, a); its derivative at 0 is taken as 0, as in PyTorch."""

    def activate(self, a):
        return max(a, a * 0)

    def slope(self, h):
        return 1 if h > 0 else 0


@activations.register
class Sigmoid(NamedTuple):
    """h = 1 ⁄ (1 + e⁻ᵃ); dh ⁄ da = h(1 − h)."""

    def activate(self, a):
        e = exp_below(-abs(a))
        return (1 if a >= 0 else e) / (1 + e)

    def slope(self, h):
        return h * (1 - h)


class Perceptron(NamedTuple):
    """The network as the loops see it; weights (lanes, P).

    Attributes
    ----------
    hidden : int
        H.
    margins_out : int
        C: 1, or the number of classes.
    activation : tag
    """

    hidden: int
    margins_out: int
    activation: Any

    def group(self):
        return 1

    def outputs(self, w):
        return w.shape[0]

    def penalised(self, w):
        return w.shape[1] - self.hidden - self.margins_out

    def parameters(self, w):
        return w.shape[1]

    def array_end(self, w, begin):
        """W₁, W₂, b₁ and b₂ lie one after the other."""
        biases = w.shape[1] - self.hidden - self.margins_out
        first = biases - self.margins_out * self.hidden
        if begin < first:
            return first
        if begin < biases:
            return biases
        return biases + self.hidden if begin < biases + self.hidden else w.shape[1]

    def scratch(self, w, rows):
        inputs = w.shape[1] // self.hidden + 1
        return rows * (inputs + 2 * self.hidden + 2 * self.margins_out)

    def accumulate(self, task, visited, first, end, w, g, z, c, losses):
        rows = visited[first:end]
        for r in range(first, end):
            prefetch_far_row(task.data, task.target, task.weighting, visited, r)
        for k in range(w.shape[0]):
            x, h, out, back, error = forward(self, task.data.values, rows, w[k], z)
            _, w2, _, _ = split(self, w[k])
            g1, g2, h1, h2 = split(self, g[k])
            derive_rows(self, task, rows, out, error)
            if counts(losses):
                flat = out.reshape(out.size)
                for r in range(rows.size):
                    loss = value_group(task.loss, flat, task.target[rows[r]], r * self.margins_out, self.margins_out)
                    count(losses, k, weigh(task.weighting, loss, rows[r]))
            m = rows.size
            multiply(error.T, h, g2)
            multiply(error, w2, back)
            for r in range(m):
                for u in range(self.hidden):
                    back[r, u] *= slope(self.activation, h[r, u])
                    h1[u] += back[r, u]
                for q in range(self.margins_out):
                    h2[q] += error[r, q]
            multiply(back.T, x, g1)


@called
def multiply(a, b, out):
    """Write the matrix product a·b to `out`: one compiled form for each mix of layouts."""
    np.dot(a, b, out)


@called
def split(model, flat):
    """Views of W₁, W₂, b₁ and b₂ in a row of parameters."""
    hidden, out = model.hidden, model.margins_out
    first = flat.size - hidden - out - out * hidden
    second = first + out * hidden
    w1 = flat[:first].reshape(hidden, first // hidden)
    w2 = flat[first:second].reshape(out, hidden)
    return w1, w2, flat[second : second + hidden], flat[second + hidden :]


@called
def forward(model, values, rows, flat, z):
    """The rows' inputs, hidden values and margins, and room for the way back, as views of the scratch z."""
    m, d, hidden, out = rows.size, values.shape[1], model.hidden, model.margins_out
    w1, w2, b1, b2 = split(model, flat)
    x = z[: m * d].reshape(m, d)
    at = m * d
    h = z[at : at + m * hidden].reshape(m, hidden)
    at += m * hidden
    back = z[at : at + m * hidden].reshape(m, hidden)
    at += m * hidden
    margins = z[at : at + m * out].reshape(m, out)
    at += m * out
    error = z[at : at + m * out].reshape(m, out)
    for r in range(m):
        for j in range(d):
            x[r, j] = values[rows[r], j]
    multiply(x, w1.T, h)
    for r in range(m):
        for u in range(hidden):
            h[r, u] = activate(model.activation, h[r, u] + b1[u])
    multiply(h, w2.T, margins)
    for r in range(m):
        for q in range(out):
            margins[r, q] += b2[q]
    return x, h, margins, back, error


@called
def derive_rows(model, task, rows, margins, error):
    """Write the derivatives of the rows' losses with respect to their margins to `error`."""
    z, c = margins.reshape(margins.size), error.reshape(error.size)
    for r in range(rows.size):
        first = r * model.margins_out
        derive_group(task.loss, z, task.target[rows[r]], c, first, model.margins_out)
        for q in range(first, first + model.margins_out):
            c[q] = weigh(task.weighting, c[q], rows[r])
