"""FTRL-proximal: AdaGrad's steps as one problem that is solved anew each time, with an l1 part that gives exact zeros."""

import math
from typing import NamedTuple


class FTRL(NamedTuple):
    """σ = (√(n + g²) − √n) ⁄ α; z ← z + g − σw; n ← n + g²; w ← −shrink(z, λ₁) ⁄ ((β + √n) ⁄ α + λ₂).

    shrink(z, λ₁) = sign(z)·max(|z| − λ₁, 0).

    Attributes
    ----------
    beta : float
        β, beside the root.
    l1, l2 : float
        λ₁ and λ₂, which are of the rule and not of the objective.

    Notes
    -----
    The rule expects to start at w = 0. From elsewhere a weight without a gradient is set to 0 by the first step. At a rate
    of 0 there is no step.
    A penalty's own step (l1) is undone by the next step of the rule, which is taken from z: use λ₁.

    References
    ----------
    H. B. McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
    """

    beta: float = 1.0
    l1: float = 0.0
    l2: float = 0.0

    slots = ("z", "n")
    limits = {"beta": "[0, inf)", "l1": "[0, inf)", "l2": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        z, n = state
        pace = rate if rate > 0 else 1.0
        z1 = z + g - (math.sqrt(n + g * g) - math.sqrt(n)) / pace * w
        n1 = n + g * g
        beyond = z1 - self.l1 if z1 > self.l1 else z1 + self.l1 if z1 < -self.l1 else 0.0 * z1  # NaN must show
        divisor = (self.beta + math.sqrt(n1)) / pace + self.l2
        found = -beyond / divisor if divisor > 0 else 0.0 * beyond
        return (found, (z1, n1)) if rate > 0 else (w + 0.0 * found, (z, n))

    def settle(self, w, state, rate, idle):
        z, n = state
        beyond = z - self.l1 if z > self.l1 else z + self.l1 if z < -self.l1 else 0.0 * z
        divisor = (self.beta + math.sqrt(n)) / (rate if rate > 0 else 1.0) + self.l2
        found = -beyond / divisor if divisor > 0 else 0.0 * beyond
        return (found if idle > 0 and rate > 0 else w), (z, n)
