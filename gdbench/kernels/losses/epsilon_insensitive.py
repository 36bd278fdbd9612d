"""The ε-insensitive losses of support vector regression."""

from typing import NamedTuple


class EpsilonInsensitive(NamedTuple):
    """max(0, |z − y| − ε): errors up to ε cost nothing.

    Attributes
    ----------
    epsilon : float
        Half the width of the tube, in units of the target.

    References
    ----------
    V. Vapnik, The Nature of Statistical Learning Theory (1995), section 6.1.
    """

    epsilon: float = 0.1

    name = "epsilon_insensitive"
    domain = "real"
    link = "identity"
    smoothness = None
    limits = {"epsilon": "[0, inf)"}

    def value(self, z, y):
        return max(abs(y - z) - self.epsilon, 0.0)

    def derivative(self, z, y):
        if y - z > self.epsilon:
            return -1.0
        if z - y > self.epsilon:
            return 1.0
        return 0.0


class SquaredEpsilonInsensitive(NamedTuple):
    """max(0, |z − y| − ε)², without a ½ (as in scikit-learn).

    Attributes
    ----------
    epsilon : float
        Half the width of the tube, in units of the target.
    """

    epsilon: float = 0.1

    name = "squared_epsilon_insensitive"
    domain = "real"
    link = "identity"
    smoothness = 2.0
    limits = {"epsilon": "[0, inf)"}

    def value(self, z, y):
        excess = max(abs(y - z) - self.epsilon, 0.0)
        return excess * excess

    def derivative(self, z, y):
        r = y - z
        if r > self.epsilon:
            return -2.0 * (r - self.epsilon)
        if r < -self.epsilon:
            return 2.0 * (-r - self.epsilon)
        return 0.0

    def curvature(self, z, y):
        return 2.0 if abs(y - z) > self.epsilon else 0.0
