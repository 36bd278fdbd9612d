"""AdaMax: Adam with the largest recent gradient in place of the mean square."""

from typing import NamedTuple


class AdaMax(NamedTuple):
    """m ← β₁m + (1 − β₁)g; u ← max(β₂u, |g| + ε); w ← w − α·m̂ ⁄ u.

    Attributes
    ----------
    beta1, beta2 : float
        β₁, and β₂ by which the maximum fades.
    eps : float
        ε, added to |g| (PyTorch, optax).
    eps_beside_maximum : bool
        Add ε to u in the quotient instead, as Keras does.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 2 (without ε).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_beside_maximum: bool = False

    slots = ("m", "largest")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        m, largest = state
        inside = 0.0 if self.eps_beside_maximum else self.eps
        beside = self.eps if self.eps_beside_maximum else 0.0
        m = self.beta1 * m + (1 - self.beta1) * g
        largest = max(self.beta2 * largest, abs(g) + inside)
        return w - rate * (m / (1 - self.beta1**t)) / (largest + beside), (m, largest)
