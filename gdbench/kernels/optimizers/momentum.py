"""Heavy-ball momentum."""

from typing import NamedTuple


class Momentum(NamedTuple):
    """v ← βv + (1 − τ)g; w ← w − αv.

    Attributes
    ----------
    beta : float
        β, the share of the velocity that is kept.
    dampening : float
        τ, by which the gradient is damped from the second step on (as in PyTorch: the first velocity is g itself).

    Notes
    -----
    Polyak writes w ← w − αg + β(w − w_before), the same path while α is constant; here, as in PyTorch, a rate that falls
    acts on the whole velocity at once. With τ = β the velocity is a running mean of gradients.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Comput. Math. Math. Phys. 4
    (1964), 1-17.
    """

    beta: float = 0.9
    dampening: float = 0.0

    slots = ("velocity",)
    limits = {"beta": "[0, 1)", "dampening": "[0, 1]"}

    def step(self, w, g, state, rate, t):
        (v,) = state
        damped = 1.0 - self.dampening if t > 1 else 1.0
        v = self.beta * v + damped * g
        return w - rate * v, (v,)

    def settle(self, w, state, rate, idle):
        (v,) = state
        left = self.beta**idle
        return w - rate * v * self.beta * (1 - left) / (1 - self.beta), (v * left,)
