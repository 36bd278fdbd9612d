"""The pinball loss with its kink rounded off, so that a quantile regression has a smooth objective."""

from typing import NamedTuple


class SmoothedPinball(NamedTuple):
    """The pinball loss where |r| ≥ h, else r² ⁄ 4h + (½ − q)r + h ⁄ 4, with r = z − y: its mean over targets within h of y.

    Attributes
    ----------
    quantile : float
        q, in (0, 1).
    width : float
        h, in units of the target.

    References
    ----------
    M. Fernandes, E. Guerre and E. Horta, "Smoothing Quantile Regressions", J. Bus. Econ. Stat. 39 (2021), 338-357, with a uniform
    kernel.
    """

    quantile: float = 0.5
    width: float = 0.1

    name = "smoothed_pinball"
    domain = "real"
    link = "identity"
    limits = {"quantile": "(0, 1)", "width": "(0, inf)"}

    @property
    def smoothness(self):
        return 0.5 / self.width

    def value(self, z, y):
        r = z - y
        if abs(r) < self.width:
            return r * r / (4.0 * self.width) + (0.5 - self.quantile) * r + 0.25 * self.width
        return -self.quantile * r if r < 0 else (1.0 - self.quantile) * r

    def derivative(self, z, y):
        return min(max(0.5 + (z - y) / (2.0 * self.width), 0.0), 1.0) - self.quantile

    def curvature(self, z, y):
        return 0.5 / self.width if abs(z - y) < self.width else 0.0
