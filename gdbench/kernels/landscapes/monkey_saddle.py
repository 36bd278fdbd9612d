"""The monkey saddle: three ways up, three ways down, and no curvature where they meet."""

from typing import NamedTuple

import numpy as np


class MonkeySaddle(NamedTuple):
    """x³ − 3xy².

    At the origin even the second derivatives vanish, so descent toward it is slow: xₜ ~ 1⁄(3αt) along y = 0.

    References
    ----------
    D. Hilbert and S. Cohn-Vossen, Geometry and the Imagination (1932), section 29.
    """

    name = "monkey-saddle"
    dimension = 2
    box = ((-2.0, 2.0), (-2.0, 2.0))
    start = (1.0, 0.0)
    source = "Hilbert and Cohn-Vossen (1932)"

    def value(self, x):
        return x[0] * x[0] * x[0] - 3.0 * x[0] * x[1] * x[1]

    def gradient(self, x, g):
        g[0] = 3.0 * (x[0] * x[0] - x[1] * x[1])
        g[1] = -6.0 * x[0] * x[1]

    def minima(self, d):
        return []

    def saddles(self, d):
        return [(np.zeros(2), 0.0)]
