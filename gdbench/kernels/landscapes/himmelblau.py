"""Himmelblau's function: four minima, all of them global."""

from typing import NamedTuple

import numpy as np


class Himmelblau(NamedTuple):
    """(x² + y − 11)² + (x + y² − 7)². The start decides which minimum is reached.

    References
    ----------
    D. M. Himmelblau, Applied Nonlinear Programming (1972).
    """

    dimension = 2
    box = ((-5.0, 5.0), (-5.0, 5.0))
    start = (0.0, 0.0)
    source = "Himmelblau (1972)"

    def value(self, x):
        p = x[0] * x[0] + x[1] - 11.0
        q = x[0] + x[1] * x[1] - 7.0
        return p * p + q * q

    def gradient(self, x, g):
        p = x[0] * x[0] + x[1] - 11.0
        q = x[0] + x[1] * x[1] - 7.0
        g[0] = 4.0 * x[0] * p + 2.0 * q
        g[1] = 2.0 * p + 4.0 * x[1] * q

    def minima(self, d):
        points = (
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.2831859912861696),
            (3.5844283403304917, -1.8481265269644036),
        )
        return [(np.array(point), 0.0) for point in points]

    def saddles(self, d):
        points = (
            (-3.0730257507643897, -0.08135304428796751),
            (-0.12796134673068008, -1.9537149802445763),
            (0.08667750455539636, 2.884254701174776),
            (3.385154183607021, 0.07385187983774928),
        )
        return [(np.array(point), self.value(point)) for point in points]
