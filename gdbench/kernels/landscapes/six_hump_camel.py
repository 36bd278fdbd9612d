"""The six-hump camel: two global minima and four local ones."""

from typing import NamedTuple

import numpy as np


class SixHumpCamel(NamedTuple):
    """(4 − 2.1x² + x⁴⁄3)x² + xy + (−4 + 4y²)y².

    References
    ----------
    F. H. Branin, "Widely convergent method for finding multiple solutions of simultaneous nonlinear
    equations", IBM J. Res. Dev. 16 (1972).
    """

    name = "six-hump-camel"
    dimension = 2
    box = ((-2.0, 2.0), (-1.0, 1.0))
    start = (1.5, 0.9)
    source = "Branin (1972)"

    def value(self, x):
        s, t = x[0] * x[0], x[1] * x[1]
        return (4.0 - 2.1 * s + s * s / 3.0) * s + x[0] * x[1] + (4.0 * t - 4.0) * t

    def gradient(self, x, g):
        s, t = x[0] * x[0], x[1] * x[1]
        g[0] = x[0] * (8.0 - 8.4 * s + 2.0 * s * s) + x[1]
        g[1] = x[0] + x[1] * (16.0 * t - 8.0)

    def minima(self, d):
        points = ((0.08984201310031806, -0.7126564030207396), (-0.08984201310031806, 0.7126564030207396))
        return [(np.array(point), -1.0316284534898774) for point in points]

    def local_minima(self, d):
        lower, upper = (1.703606714969981, -0.7960835686726251), (1.6071047529201974, 0.5686514548841314)
        points = (lower, (-lower[0], -lower[1]), upper, (-upper[0], -upper[1]))
        return [(np.array(point), self.value(point)) for point in points]

    def saddles(self, d):
        return [(np.zeros(2), 0.0)]
