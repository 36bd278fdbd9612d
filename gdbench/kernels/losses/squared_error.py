"""Squared error, with the ½ that makes its derivative the residual."""

from typing import NamedTuple


class SquaredError(NamedTuple):
    """½(z − y)² for a real target; derivative z − y. The mean over rows is half the mean squared error."""

    name = "squared_error"
    domain = "real"
    link = "identity"
    smoothness = 1.0

    def value(self, z, y):
        return 0.5 * (z - y) * (z - y)

    def derivative(self, z, y):
        return z - y

    def curvature(self, z, y):
        return 1.0
