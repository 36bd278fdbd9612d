"""Signum: the sign of a momentum."""

from typing import NamedTuple


class Signum(NamedTuple):
    """m ← βm + (1 − β)g; w ← w − α(sign(m) + λw).

    Attributes
    ----------
    beta : float
        β, the share of the momentum that is kept; 0 for signSGD.
    weight_decay : float
        λ, decoupled as in AdamW.

    Notes
    -----
    Lion with β₁ = β₂ takes the same steps.

    References
    ----------
    J. Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", ICML 2018, algorithm 2.
    """

    beta: float = 0.9
    weight_decay: float = 0.0

    slots = ("m",)
    limits = {"beta": "[0, 1)", "weight_decay": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        (m,) = state
        m = self.beta * m + (1 - self.beta) * g
        sign = 1.0 if m > 0 else -1.0 if m < 0 else m  # 0, or NaN, which must show
        return w - rate * (sign + self.weight_decay * w), (m,)

    def settle(self, w, state, rate, idle):
        (m,) = state
        sign = 1.0 if m > 0 else -1.0 if m < 0 else m
        steps = idle * 1.0 if self.beta > 0 else 0.0  # without a memory the sign is gone at once
        decay = rate * self.weight_decay
        left = (1 - decay) ** idle
        after = (1 - decay) ** steps
        # Σ (1 − αλ)ᵏ over the steps that have a sign; then those without
        pushed = (1 - after) / self.weight_decay if decay > 0 else rate * steps
        moved = left * w - sign * pushed
        kept = m * self.beta**idle
        # a momentum that fades below the smallest number keeps its sign, as it does step by step
        return moved, (sign * 1e-38 if kept == 0 and self.beta > 0 else kept,)
