"""The ill-conditioned quadratic: what the condition number costs."""

from typing import NamedTuple

import numpy as np


class Quadratic(NamedTuple):
    """½ Σ λⱼuⱼ², with λⱼ geometric from 1 to `condition` (λ = 1 in one dimension); u is x, or x reflected.

    Attributes
    ----------
    condition : float
        κ. Gradient descent converges below α = 2⁄κ, and at its best rate, 2⁄(κ + 1), keeps (κ − 1)⁄(κ + 1) of
        the error a step.
    rotated : bool
        Whether u = (I − 2vvᵀ⁄vᵀv)x with v = (1, 2, ..., d), so that the valley lies across the axes: rules
        with a rate for each coordinate then gain nothing from it.

    References
    ----------
    Yu. Nesterov, Introductory Lectures on Convex Optimization (2004), section 2.1.
    """

    condition: float = 100.0
    rotated: bool = False

    limits = {"condition": "[1, inf)"}
    dimension = None
    box = ((-2.0, 2.0),)
    start = (1.0, 1.0)
    source = "Nesterov (2004), section 2.1"

    def value(self, x):
        d = x.size
        along, norm = 0.0, 0.0
        for j in range(d):
            along += (j + 1.0) * x[j]
            norm += (j + 1.0) * (j + 1.0)
        mirror = 2.0 * along / norm if self.rotated else 0.0
        total = 0.0
        for j in range(d):
            u = x[j] - mirror * (j + 1.0)
            total += 0.5 * self.condition ** (j / max(d - 1, 1)) * u * u
        return total

    def gradient(self, x, g):
        d = x.size
        along, norm = 0.0, 0.0
        for j in range(d):
            along += (j + 1.0) * x[j]
            norm += (j + 1.0) * (j + 1.0)
        mirror = 2.0 * along / norm if self.rotated else 0.0
        back = 0.0
        for j in range(d):
            g[j] = self.condition ** (j / max(d - 1, 1)) * (x[j] - mirror * (j + 1.0))
            back += (j + 1.0) * g[j]
        if self.rotated:
            for j in range(d):
                g[j] -= 2.0 * back / norm * (j + 1.0)

    def minima(self, d):
        return [(np.zeros(d), 0.0)]
