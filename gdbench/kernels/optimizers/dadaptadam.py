"""D-Adaptation in Adam's form: the rate grows with a lower bound of the distance to the solution."""

import math
from typing import NamedTuple

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.optimizers.moments import running


@inlined
def adam_correction(rule, t):
    """Adam's correction of both means in one factor, where the rule asks for it."""
    return math.sqrt(1 - rule.beta2**t) / (1 - rule.beta1**t) if rule.corrected else 1.0


class DAdaptAdam(NamedTuple):
    """m ← β₁m + (1 − β₁)γg and w ← w − m ⁄ (√v + ε) − γλw at the rate γ = dα; d ← max(d, r ⁄ ((1 − √β₂)‖s‖₁)).

    s ← √β₂·s + (1 − √β₂)γg, r ← √β₂·r + (1 − √β₂)γ⟨g, s ⁄ (√v + ε)⟩ with the s and v of the step before, v as in Adam.

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam; ε beside the root, not corrected.
    weight_decay : float
        λ, decoupled.
    initial : float
        d before the first step.
    growth : float
        By what d grows at most in a step.
    corrected : bool
        Multiply γ by √(1 − β₂ᵗ) ⁄ (1 − β₁ᵗ), as in optax; the authors' code does not by default.

    Notes
    -----
    The learning rate α is meant to be 1.

    References
    ----------
    A. Defazio and K. Mishchenko, "Learning-Rate-Free Learning by D-Adaptation", ICML 2023, algorithm 5.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    initial: float = 1e-6
    growth: float = math.inf
    corrected: bool = True

    slots = ("m", "v", "s")
    sums = ("gradient times s", "size of s")
    kept = ("d", "numerator")
    limits = {
        "beta1": "[0, 1)",
        "beta2": "[0, 1)",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "initial": "(0, inf)",
        "growth": "[1, inf]",
    }

    def start_kept(self):
        return (self.initial, 0.0)

    def reduce(self, w, g, state, rate, t, kept):
        _, v, s = state
        scaled = kept[0] * rate * adam_correction(self, t)
        return g * s / (math.sqrt(v) + self.eps), abs(running(math.sqrt(self.beta2), s, scaled * g))

    def combine(self, sums, loss, kept, rate, t):
        d, root = kept[0], math.sqrt(self.beta2)
        scaled = d * rate * adam_correction(self, t)
        kept[1] = running(root, kept[1], scaled * sums[0])
        if sums[1] > 0:
            kept[0] = max(d, min(kept[1] / ((1 - root) * sums[1]), d * self.growth))
        return (scaled,)

    def step(self, w, g, state, rate, t, shared):
        m, v, s = state
        scaled = shared[0]
        m = running(self.beta1, m, scaled * g)
        v = self.beta2 * v + (1 - self.beta2) * g * g
        s = running(math.sqrt(self.beta2), s, scaled * g)
        return w - self.weight_decay * scaled * w - m / (math.sqrt(v) + self.eps), (m, v, s)
