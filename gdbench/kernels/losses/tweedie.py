"""The Tweedie loss of amounts that are often 0, between Poisson's and gamma's, with the logarithm as its link."""

from typing import NamedTuple

from gdbench.kernels.elementary import exponential


class Tweedie(NamedTuple):
    """Half the deviance of y ≥ 0 whose mean is μ = eᶻ and whose variance is in proportion to μᵖ.

    It is μ²⁻ᵖ ⁄ (2 − p) + y·μ¹⁻ᵖ ⁄ (p − 1) − y²⁻ᵖ ⁄ ((p − 1)(2 − p)), its derivative μ²⁻ᵖ − y·μ¹⁻ᵖ.

    Attributes
    ----------
    power : float
        p, between Poisson's 1 and gamma's 2, which have losses of their own.

    References
    ----------
    B. Jørgensen, "Exponential Dispersion Models", J. R. Stat. Soc. B 49 (1987), 127-162.
    """

    power: float = 1.5

    name = "tweedie"
    domain = "count"
    link = "log"
    smoothness = None
    limits = {"power": "(1, 2)"}

    def value(self, z, y):
        p, q = self.power - 1.0, 2.0 - self.power
        known = y**q / (p * q) if y > 0 else 0.0
        return exponential(q * z) / q + y * exponential(-p * z) / p - known

    def derivative(self, z, y):
        return exponential((2.0 - self.power) * z) - y * exponential((1.0 - self.power) * z)

    def curvature(self, z, y):
        p, q = self.power - 1.0, 2.0 - self.power
        return q * exponential(q * z) + p * y * exponential(-p * z)
