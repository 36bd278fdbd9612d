"""The Poisson loss of counts, with the logarithm as its link."""

import math
from typing import NamedTuple

from gdbench.kernels.elementary import exponential


class Poisson(NamedTuple):
    """Half the deviance of a count y ≥ 0 whose mean is eᶻ: eᶻ − yz + y·log y − y; derivative eᶻ − y.

    What does not depend on z makes the loss 0 where eᶻ = y; scikit-learn leaves it out.

    References
    ----------
    J. A. Nelder and R. W. M. Wedderburn, "Generalized Linear Models", J. R. Stat. Soc. A 135 (1972), 370-384.
    """

    name = "poisson"
    domain = "count"
    link = "log"
    smoothness = None

    def value(self, z, y):
        return exponential(z) - y * z + (y * math.log(y) - y if y > 0 else 0.0)

    def derivative(self, z, y):
        return exponential(z) - y

    def curvature(self, z, y):
        return exponential(z)
