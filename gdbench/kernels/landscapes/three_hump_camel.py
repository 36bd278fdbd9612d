"""The three-hump camel: a global minimum between two local ones."""

import math
from typing import NamedTuple

import numpy as np


class ThreeHumpCamel(NamedTuple):
    """2x² − 1.05x⁴ + x⁶⁄6 + xy + y².

    Where the gradient vanishes off the origin, y = −x⁄2 and x⁴ − 4.2x² + 3.5 = 0: minima at x² = 2.1 + √0.91,
    saddle points at x² = 2.1 − √0.91.

    References
    ----------
    F. H. Branin, "Widely convergent method for finding multiple solutions of simultaneous nonlinear
    equations", IBM J. Res. Dev. 16 (1972).
    """

    name = "three-hump-camel"
    dimension = 2
    box = ((-2.5, 2.5), (-2.5, 2.5))
    start = (2.0, 1.0)
    source = "Branin (1972)"

    def value(self, x):
        s = x[0] * x[0]
        return 2.0 * s - 1.05 * s * s + s * s * s / 6.0 + x[0] * x[1] + x[1] * x[1]

    def gradient(self, x, g):
        s = x[0] * x[0]
        g[0] = x[0] * (4.0 - 4.2 * s + s * s) + x[1]
        g[1] = x[0] + 2.0 * x[1]

    def minima(self, d):
        return [(np.zeros(2), 0.0)]

    def local_minima(self, d):
        x = math.sqrt(2.1 + math.sqrt(0.91))
        return [(np.array(point), self.value(point)) for point in ((x, -x / 2), (-x, x / 2))]

    def saddles(self, d):
        x = math.sqrt(2.1 - math.sqrt(0.91))
        return [(np.array(point), self.value(point)) for point in ((x, -x / 2), (-x, x / 2))]
