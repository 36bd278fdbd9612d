"""The exponential loss, AdaBoost's."""

from typing import NamedTuple

from gdbench.kernels.elementary import exponential


class Exponential(NamedTuple):
    """e⁻ʸᶻ for y = ±1; derivative −y·e⁻ʸᶻ. Its minimiser is half the log-odds.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, "Additive logistic regression: a statistical view of boosting", Ann. Statist. 28
    (2000), 337-407.
    """

    name = "exponential"
    domain = "sign"
    smoothness = None

    def value(self, z, y):
        return exponential(-y * z)

    def derivative(self, z, y):
        return -y * exponential(-y * z)

    def curvature(self, z, y):
        return exponential(-y * z)
