"""Prodigy: D-Adaptation that weighs late gradients more, and so adapts sooner."""

import math
from typing import NamedTuple

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.optimizers.dadaptadam import adam_correction


@inlined
def share_of_sum(rule):
    """β₃."""
    return rule.beta3 if rule.beta3 > 0 else math.sqrt(rule.beta2)


class Prodigy(NamedTuple):
    """Adam's step on dg at the rate γ = dα, with ε times the new d; d ← max(d, c·r ⁄ ‖s‖₁).

    r ← β₃r + d ⁄ d₀·γ⟨g, w₀ − w⟩ and s ← β₃s + d ⁄ d₀·γg; w ← w − γm ⁄ (√v + dε) − γλw.

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam.
    beta3 : float
        β₃, or 0 for √β₂.
    weight_decay : float
        λ, decoupled.
    initial : float
        d₀, d before the first step.
    factor : float
        c, which multiplies the estimates.
    growth : float
        By what d grows at most in a step; the step after the first is free of it, as in the authors' code.
    corrected : bool
        Multiply γ by √(1 − β₂ᵗ) ⁄ (1 − β₁ᵗ), as in optax; the authors' code does not by default.
    safeguarded : bool
        Leave α out of s, the authors' ``safeguard_warmup``.

    Notes
    -----
    The learning rate α is meant to be 1.

    References
    ----------
    K. Mishchenko and A. Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", ICML 2024, algorithm 4.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    beta3: float = 0.0
    weight_decay: float = 0.0
    initial: float = 1e-6
    factor: float = 1.0
    growth: float = math.inf
    corrected: bool = True
    safeguarded: bool = False

    slots = ("m", "v", "s", "origin")
    sums = ("gradient times way", "size of s")
    kept = ("d", "largest estimate", "numerator")
    limits = {
        "beta1": "[0, 1)",
        "beta2": "[0, 1)",
        "eps": "[0, inf)",
        "beta3": "[0, 1)",
        "weight_decay": "[0, inf)",
        "initial": "(0, inf)",
        "factor": "(0, inf)",
        "growth": "[1, inf]",
    }

    def start(self):
        return (0.0, 0.0, 0.0, None)

    def start_kept(self):
        return (self.initial, self.initial, 0.0)

    def reduce(self, w, g, state, rate, t, kept):
        d, (_, _, s, origin) = kept[0], state
        lift = d / self.initial * (d if self.safeguarded else d * rate * adam_correction(self, t))
        return g * (origin - w), abs(share_of_sum(self) * s + lift * g)

    def combine(self, sums, loss, kept, rate, t):
        d = kept[0]
        scaled = d * rate * adam_correction(self, t)
        lift = d / self.initial * (d if self.safeguarded else scaled)
        kept[2] = share_of_sum(self) * kept[2] + d / self.initial * scaled * sums[0]
        if sums[1] > 0:
            estimate = self.factor * kept[2] / sums[1]
            kept[1] = max(kept[1], estimate)
            kept[0] = min(kept[1], (max(d, estimate) if d == self.initial else d) * self.growth)
        return d, scaled, lift, kept[0]

    def step(self, w, g, state, rate, t, shared):
        m, v, s, origin = state
        d, scaled, lift, new = shared
        m = self.beta1 * m + (1 - self.beta1) * d * g
        v = self.beta2 * v + (1 - self.beta2) * (d * g) * (d * g)
        s = share_of_sum(self) * s + lift * g
        return w - self.weight_decay * scaled * w - scaled * m / (math.sqrt(v) + new * self.eps), (m, v, s, origin)
