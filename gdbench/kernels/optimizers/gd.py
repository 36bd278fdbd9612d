"""Plain gradient descent."""

from typing import NamedTuple


class GD(NamedTuple):
    """w ← w − αg.

    References
    ----------
    A. Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées", C. R. Acad. Sci. 25 (1847).
    """

    slots = ()

    def step(self, w, g, state, rate, t):
        return w - rate * g, state

    def settle(self, w, state, rate, idle):
        return w, state
