"""The saddle: flat at one point, and no minimum anywhere."""

from typing import NamedTuple

import numpy as np


class Saddle(NamedTuple):
    """x² − y²: from y = 0 exactly, descent ends at the saddle point; from elsewhere it leaves for −∞, if slowly."""

    dimension = 2
    box = ((-2.0, 2.0), (-2.0, 2.0))
    start = (1.0, 1e-6)
    source = "the simplest nondegenerate saddle (M. Morse, Trans. Amer. Math. Soc. 27, 1925)"

    def value(self, x):
        return x[0] * x[0] - x[1] * x[1]

    def gradient(self, x, g):
        g[0] = 2.0 * x[0]
        g[1] = -2.0 * x[1]

    def minima(self, d):
        return []

    def saddles(self, d):
        return [(np.zeros(2), 0.0)]
