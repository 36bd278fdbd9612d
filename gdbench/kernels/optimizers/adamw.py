"""AdamW: Adam with weight decay beside the gradient instead of inside it."""

from typing import NamedTuple

from gdbench.kernels.optimizers.adam import adam_quotient


class AdamW(NamedTuple):
    """w ← w − αλw, then Adam's step.

    Attributes
    ----------
    beta1, beta2, eps, eps_root, eps_before_correction
        As in Adam.
    weight_decay : float
        λ, decoupled: it acts on every weight the rule is given, an intercept included, and is not part of the objective.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01
    eps_root: float = 0.0
    eps_before_correction: bool = False

    slots = ("m", "v")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "eps_root": "[0, inf)", "weight_decay": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        mean, divisor, state = adam_quotient(self, g, state, t)
        kept = w - rate * self.weight_decay * w
        return kept - rate * mean / divisor, state
