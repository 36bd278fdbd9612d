"""Nesterov's accelerated gradient."""

from typing import NamedTuple


class Nesterov(NamedTuple):
    """v ← βv + g; w ← w − α(g + βv).

    Attributes
    ----------
    beta : float
        β, the share of the velocity that is kept.

    Notes
    -----
    The gradient is taken at the point that the rule itself reports, as in PyTorch, Keras and optax (Bengio et al.'s change
    of variables); Nesterov's own form takes it at the look-ahead point, which is this rule's w.

    References
    ----------
    Y. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", Soviet Math. Dokl. 27
    (1983); I. Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
    """

    beta: float = 0.9

    slots = ("velocity",)
    limits = {"beta": "[0, 1)"}

    def step(self, w, g, state, rate, t):
        (v,) = state
        v = self.beta * v + g
        return w - rate * (g + self.beta * v), (v,)

    def settle(self, w, state, rate, idle):
        (v,) = state
        left = self.beta**idle
        return w - rate * v * self.beta * self.beta * (1 - left) / (1 - self.beta), (v * left,)
