"""MADGRAD: dual averaging under the cube root of the summed squares, with momentum."""

import math
from typing import NamedTuple


class MADGRAD(NamedTuple):
    """λ = (α + ε)√t; s ← s + λg; ν ← ν + λg²; w ← βw + (1 − β)(w₀ − s ⁄ (∛ν + ε)).

    Attributes
    ----------
    beta : float
        β, the share of the weights that is kept at each step; the paper's 1 − c.
    eps : float
        ε, beside the root and in the rate, as in the authors' code and optax.

    Notes
    -----
    Every step is taken from the start w₀.
    The step of an l1 penalty acts on w alone, which the next step leaves for w₀: prefer l2, which is in the gradient.

    References
    ----------
    A. Defazio and S. Jelassi, "Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method for
    Stochastic Optimization", JMLR 23 (2022), algorithm 1.
    """

    beta: float = 0.9
    eps: float = 1e-6

    slots = ("sum", "sum_of_squares", "origin")
    limits = {"beta": "[0, 1)", "eps": "(0, inf)"}

    def start(self):
        return (0.0, 0.0, None)

    def step(self, w, g, state, rate, t):
        total, squares, origin = state
        weight = (rate + self.eps) * math.sqrt(t)
        total = total + weight * g
        squares = squares + weight * g * g
        target = origin - total / (squares ** (1 / 3) + self.eps)
        return self.beta * w + (1 - self.beta) * target, (total, squares, origin)
