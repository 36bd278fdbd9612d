"""Huber's loss: quadratic near zero, linear beyond."""

from typing import NamedTuple


class Huber(NamedTuple):
    """½r² for |r| ≤ ε, else ε|r| − ½ε², with r = z − y.

    Attributes
    ----------
    epsilon : float
        Where the loss turns linear, in units of the target.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Ann. Math. Statist. 35 (1964), 73-101.
    """

    epsilon: float = 0.1

    name = "huber"
    domain = "real"
    link = "identity"
    smoothness = 1.0
    limits = {"epsilon": "[0, inf)"}

    def value(self, z, y):
        r = abs(z - y)
        return 0.5 * r * r if r <= self.epsilon else self.epsilon * r - 0.5 * self.epsilon * self.epsilon

    def derivative(self, z, y):
        return min(max(z - y, -self.epsilon), self.epsilon)

    def curvature(self, z, y):
        return 1.0 if abs(z - y) < self.epsilon else 0.0
