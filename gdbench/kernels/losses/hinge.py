"""Margin losses of support vector machines and the perceptron, for y = ±1."""

from typing import NamedTuple


class Hinge(NamedTuple):
    """max(0, 1 − yz): the linear support vector machine. At the kink the derivative is that of the left."""

    name = "hinge"
    domain = "sign"
    flat = True
    link = "sign"
    smoothness = None

    def value(self, z, y):
        return max(1.0 - y * z, 0.0)

    def derivative(self, z, y):
        return -y * (1.0 if y * z <= 1.0 else 0.0)


class SquaredHinge(NamedTuple):
    """max(0, 1 − yz)², without a ½ (as in scikit-learn)."""

    name = "squared_hinge"
    domain = "sign"
    flat = True
    link = "sign"
    smoothness = 2.0

    def value(self, z, y):
        short = max(1.0 - y * z, 0.0)
        return short * short

    def derivative(self, z, y):
        return -2.0 * y * max(1.0 - y * z, 0.0)

    def curvature(self, z, y):
        return 2.0 if y * z < 1.0 else 0.0


class Perceptron(NamedTuple):
    """max(0, −yz): Rosenblatt's perceptron, a hinge without a margin."""

    name = "perceptron"
    domain = "sign"
    flat = True
    link = "sign"
    smoothness = None

    def value(self, z, y):
        return max(-y * z, 0.0)

    def derivative(self, z, y):
        return -y * (1.0 if y * z <= 0.0 else 0.0)


class ModifiedHuber(NamedTuple):
    """max(0, 1 − yz)² for yz ≥ −1, else −4yz: a squared hinge that tolerates outliers.

    References
    ----------
    T. Zhang, "Solving large scale linear prediction problems using stochastic gradient descent algorithms",
    ICML 2004, equation (6).
    """

    name = "modified_huber"
    domain = "sign"
    flat = True
    link = "modified_huber"
    smoothness = 2.0

    def value(self, z, y):
        m = y * z
        if m >= 1.0:
            return 0.0
        return (1.0 - m) * (1.0 - m) if m >= -1.0 else -4.0 * m

    def derivative(self, z, y):
        m = y * z
        if m >= 1.0:
            return 0.0
        return -2.0 * y * (1.0 - m) if m >= -1.0 else -4.0 * y

    def curvature(self, z, y):
        return 2.0 if -1.0 < y * z < 1.0 else 0.0
