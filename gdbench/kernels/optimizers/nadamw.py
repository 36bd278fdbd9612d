"""NAdamW: Nadam with weight decay beside the gradient instead of inside it."""

from typing import NamedTuple

from gdbench.kernels.optimizers.nadam import nadam_quotient


class NAdamW(NamedTuple):
    """w ← w − αλw, then Nadam's step.

    Attributes
    ----------
    beta1, beta2, eps, momentum_decay
        As in Nadam; optax's ``nadamw`` has a momentum of β₁ from the start, a ``momentum_decay`` of inf.
    weight_decay : float
        λ, decoupled as in AdamW (PyTorch's ``decoupled_weight_decay``).

    References
    ----------
    T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop; I. Loshchilov and F. Hutter, "Decoupled Weight
    Decay Regularization", ICLR 2019.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    momentum_decay: float = 0.004
    weight_decay: float = 0.01

    slots = ("m", "v", "product")
    limits = {
        "beta1": "[0, 1)",
        "beta2": "[0, 1)",
        "eps": "[0, inf)",
        "momentum_decay": "[0, inf]",
        "weight_decay": "[0, inf)",
    }

    def start(self):
        return (0.0, 0.0, 1.0)

    def step(self, w, g, state, rate, t):
        ahead, divisor, state = nadam_quotient(self, g, state, t)
        kept = w - rate * self.weight_decay * w
        return kept - rate * ahead / divisor, state
