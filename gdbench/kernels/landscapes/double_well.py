"""The tilted double well: one global and one local minimum on a line."""

import math
from typing import NamedTuple

import numpy as np


class DoubleWell(NamedTuple):
    """x⁴ − 2x² + τx. The well on the left holds the global minimum, that on the right a local one.

    The three flat points solve 4x³ − 4x + τ = 0: x_k = 2⁄√3·cos(⅓ arccos(−3√3τ⁄8) − 2πk⁄3), k = 0 (right), 1
    (the ridge between), 2 (left).

    Attributes
    ----------
    tilt : float
        τ. At 0 both minima are global; at 8⁄(3√3) ≈ 1.54 the one on the right would vanish.

    References
    ----------
    S. H. Strogatz, Nonlinear Dynamics and Chaos (1994), sections 2.7 and 3.6: the double-well potential,
    tilted.
    """

    tilt: float = 0.3

    name = "double-well"
    limits = {"tilt": "[0, 1.5]"}
    dimension = 1
    box = ((-2.0, 2.0),)
    start = (1.5,)
    source = "Strogatz (1994), sections 2.7 and 3.6"

    def value(self, x):
        s = x[0] * x[0]
        return s * s - 2.0 * s + self.tilt * x[0]

    def gradient(self, x, g):
        g[0] = 4.0 * x[0] * x[0] * x[0] - 4.0 * x[0] + self.tilt

    def flat(self, k):
        angle = math.acos(-3.0 * math.sqrt(3.0) * self.tilt / 8.0) / 3.0
        x = 2.0 / math.sqrt(3.0) * math.cos(angle - 2.0 * math.pi * k / 3.0)
        return np.array([x]), float(self.value((x,)))

    def minima(self, d):
        return [self.flat(2)] if self.tilt > 0.0 else [self.flat(2), self.flat(0)]

    def local_minima(self, d):
        return [self.flat(0)] if self.tilt > 0.0 else []
