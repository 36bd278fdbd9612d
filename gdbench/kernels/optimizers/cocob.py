"""COCOB: a bet on the sign of each gradient, without a learning rate."""

from typing import NamedTuple


class COCOB(NamedTuple):
    """w ← w₀ + θ ⁄ (L·max(G + L, aL))·(L + R), where θ = −Σg, G = Σ|g|, L the largest |g| and R the money won.

    R ← max(R − g(w − w₀), 0), with the weights before the step.

    Attributes
    ----------
    fraction : float
        a, by which the first bets are a small share of the money (the paper's α).
    eps : float
        L before the first step.

    Notes
    -----
    The rule has no learning rate. As in optax, that of the schedule multiplies the gradient; since all else is in its units, a
    constant one changes next to nothing.
    The step of an l1 penalty acts on w alone, which the next step leaves for w₀: prefer l2, which is in the gradient.

    References
    ----------
    F. Orabona and T. Tommasi, "Training Deep Networks without Learning Rates Through Coin Betting", NIPS 2017, algorithm 2.
    """

    fraction: float = 100.0
    eps: float = 1e-8

    slots = ("origin", "scale", "sum", "sizes", "reward")
    limits = {"fraction": "(0, inf)", "eps": "(0, inf)"}

    def start(self):
        return (None, self.eps, 0.0, 0.0, 0.0)

    def step(self, w, g, state, rate, t):
        origin, scale, total, sizes, reward = state
        g = rate * g
        scale = max(scale, abs(g))
        sizes = sizes + abs(g)
        reward = max(reward - g * (w - origin), 0.0)
        total = total - g
        bet = total / (scale * max(sizes + scale, self.fraction * scale))
        return origin + bet * (scale + reward), (origin, scale, total, sizes, reward)
