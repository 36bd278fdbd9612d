"""MoMo-Adam: MoMo in the norm that Adam's second moment makes."""

import math
from typing import NamedTuple

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.optimizers.moments import moments, running
from gdbench.kernels.optimizers.momo import length_of_step


@inlined
def direction_of(rule, g, state, t):
    """m ⁄ (√v̂ + ε), and the new state."""
    m, v = moments(rule, g, state)
    return m / (math.sqrt(v / (1 - rule.beta2**t)) + rule.eps), (m, v)


class MoMoAdam(NamedTuple):
    """w ← w ⁄ (1 + αλ) − τu with u = m ⁄ (√v̂ + ε) and τ = min(α ⁄ c, ((1 + αλ)(f̄ − cf* − γ) + ⟨m, w⟩)₊ ⁄ ⟨m, u⟩), c = 1 − β₁ᵗ.

    m, v, f̄ and γ are running means of g, g², the objective of the step's rows, and ⟨g, w⟩, that start at zero.

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam.
    lowest, weight_decay, adapted
        As in MoMo.

    Notes
    -----
    The learning rate is the largest step.

    References
    ----------
    F. Schaipp et al., "MoMo: Momentum Models for Adaptive Learning Rates", ICML 2024, algorithm 3.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    lowest: float = 0.0
    weight_decay: float = 0.0
    adapted: bool = False

    slots = ("m", "v")
    sums = ("mean times direction", "mean times weight", "gradient times weight")
    kept = ("objective", "product", "bound")
    by_loss = True
    limits = {
        "beta1": "[0, 1)",
        "beta2": "[0, 1)",
        "eps": "[0, inf)",
        "lowest": "(-inf, inf)",
        "weight_decay": "[0, inf)",
    }

    def start_kept(self):
        return (0.0, 0.0, self.lowest)

    def reduce(self, w, g, state, rate, t, kept):
        push, (m, _) = direction_of(self, g, state, t)
        return m * push, m * w, g * w

    def combine(self, sums, loss, kept, rate, t):
        kept[0], kept[1] = running(self.beta1, kept[0], loss), running(self.beta1, kept[1], sums[2])
        return (length_of_step(self, sums[0], sums[1], kept, rate, 1 - self.beta1**t),)

    def step(self, w, g, state, rate, t, shared):
        push, state = direction_of(self, g, state, t)
        return w - rate * self.weight_decay / (1 + rate * self.weight_decay) * w - shared[0] * push, state
