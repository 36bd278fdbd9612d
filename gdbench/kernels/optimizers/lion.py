"""Lion: the sign of an interpolated momentum."""

from typing import NamedTuple


class Lion(NamedTuple):
    """w ← w − α(sign(β₁m + (1 − β₁)g) + λw); m ← β₂m + (1 − β₂)g.

    Attributes
    ----------
    beta1, beta2 : float
        β₁ for the step, β₂ for the momentum that is kept.
    weight_decay : float
        λ, decoupled as in AdamW.

    References
    ----------
    X. Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    slots = ("m",)
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "weight_decay": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        (m,) = state
        mixed = self.beta1 * m + (1 - self.beta1) * g
        sign = 1.0 if mixed > 0 else -1.0 if mixed < 0 else mixed  # 0, or NaN, which must show
        m = self.beta2 * m + (1 - self.beta2) * g
        return w - rate * (sign + self.weight_decay * w), (m,)
