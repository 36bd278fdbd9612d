"""The Styblinski-Tang function: a tilted double well in each coordinate."""

from itertools import product
from typing import NamedTuple

import numpy as np

#: The two minima and the maximum between them of ½(x⁴ − 16x² + 5x), and its values there.
DEEP, SHALLOW = -2.903534027771177, 2.746802770990837
LOWEST, LOW = -39.16616570377141, -25.02944665528394

#: The number of local minima doubles with each dimension; from here on they are not listed.
MANY = 8


class StyblinskiTang(NamedTuple):
    """½ Σ xⱼ⁴ − 16xⱼ² + 5xⱼ: 2ᵈ minima, of which one is global.

    References
    ----------
    M. A. Styblinski and T.-S. Tang, "Experiments in nonconvex optimization: Stochastic approximation with
    function smoothing and simulated annealing", Neural Networks 3 (1990).
    """

    name = "styblinski-tang"
    dimension = None
    box = ((-5.0, 5.0),)
    start = (0.5, -1.0)
    source = "Styblinski and Tang (1990)"

    def value(self, x):
        total = 0.0
        for xj in x:
            s = xj * xj
            total += 0.5 * (s * s - 16.0 * s + 5.0 * xj)
        return total

    def gradient(self, x, g):
        for j in range(x.size):
            g[j] = 2.0 * x[j] * x[j] * x[j] - 16.0 * x[j] + 2.5

    def minima(self, d):
        return [(np.full(d, DEEP), d * LOWEST)]

    def local_minima(self, d):
        if d > MANY:
            return []
        points = [np.array(point) for point in product((DEEP, SHALLOW), repeat=d)][1:]
        return [(point, float(np.where(point < 0, LOWEST, LOW).sum())) for point in points]
