"""QHM: a mixture of the gradient and its momentum."""

from typing import NamedTuple


class QHM(NamedTuple):
    """m ← βm + (1 − β)g; w ← w − α(νm + (1 − ν)g).

    Attributes
    ----------
    beta : float
        β, the share of the momentum that is kept.
    nu : float
        ν, the share of the momentum in the step: 0 is plain descent, 1 a momentum that is a running mean.

    References
    ----------
    J. Ma and D. Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", ICLR 2019, section 3.
    """

    beta: float = 0.999
    nu: float = 0.7

    slots = ("m",)
    limits = {"beta": "[0, 1)", "nu": "[0, 1]"}

    def step(self, w, g, state, rate, t):
        (m,) = state
        m = self.beta * m + (1 - self.beta) * g
        return w - rate * (self.nu * m + (1 - self.nu) * g), (m,)

    def settle(self, w, state, rate, idle):
        (m,) = state
        left = self.beta**idle
        return w - rate * self.nu * m * self.beta * (1 - left) / (1 - self.beta), (m * left,)
