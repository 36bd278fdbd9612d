"""The gamma loss of positive amounts, with the logarithm as its link."""

import math
from typing import NamedTuple

from gdbench.kernels.elementary import exponential


class Gamma(NamedTuple):
    """Half the deviance of an amount y > 0 whose mean is eᶻ: z + y·e⁻ᶻ − log y − 1; derivative 1 − y·e⁻ᶻ.

    What does not depend on z makes the loss 0 where eᶻ = y; scikit-learn leaves it out.

    References
    ----------
    J. A. Nelder and R. W. M. Wedderburn, "Generalized Linear Models", J. R. Stat. Soc. A 135 (1972), 370-384.
    """

    name = "gamma"
    domain = "positive"
    link = "log"
    smoothness = None

    def value(self, z, y):
        return z + y * exponential(-z) - math.log(y) - 1.0

    def derivative(self, z, y):
        return 1.0 - y * exponential(-z)

    def curvature(self, z, y):
        return y * exponential(-z)
