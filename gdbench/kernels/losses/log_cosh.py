"""The logarithm of the hyperbolic cosine: squared error near zero, absolute error far from it, smooth everywhere."""

import math
from typing import NamedTuple

from gdbench.kernels.elementary import exp_below, hyperbolic_tangent, log_one_plus


class LogCosh(NamedTuple):
    """log cosh r with r = z − y; derivative tanh r.

    References
    ----------
    P. J. Green, "Bayesian reconstructions from emission tomography data using a modified EM algorithm", IEEE Trans. Med. Imaging
    9 (1990), 84-93.
    """

    name = "log_cosh"
    domain = "real"
    link = "identity"
    smoothness = 1.0

    def value(self, z, y):
        r = abs(z - y)
        return r + log_one_plus(exp_below(-2.0 * r)) - math.log(2.0)

    def derivative(self, z, y):
        return hyperbolic_tangent(z - y)

    def curvature(self, z, y):
        slope = hyperbolic_tangent(z - y)
        return 1.0 - slope * slope
