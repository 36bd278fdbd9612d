"""The pinball loss of quantile regression."""

from typing import NamedTuple


class Pinball(NamedTuple):
    """q·(y − z) where z lies under the target, (1 − q)·(z − y) where it lies over it; minimised by the q-quantile.

    Attributes
    ----------
    quantile : float
        q, in (0, 1); at ½ the loss is half the absolute error.

    References
    ----------
    R. Koenker and G. Bassett, "Regression Quantiles", Econometrica 46 (1978), 33-50.
    """

    quantile: float = 0.5

    name = "pinball"
    domain = "real"
    link = "identity"
    smoothness = None
    limits = {"quantile": "(0, 1)"}

    def value(self, z, y):
        return self.quantile * (y - z) if y >= z else (1.0 - self.quantile) * (z - y)

    def derivative(self, z, y):
        if y > z:
            return -self.quantile
        if y < z:
            return 1.0 - self.quantile
        return self.quantile * 0.0
