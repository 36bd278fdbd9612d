"""LAMB: Adam whose step for each layer is as long as its weights' norm says."""

import math
from typing import NamedTuple

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.optimizers.moments import moments


@inlined
def push_of(rule, w, g, state, t):
    """Adam's quotient plus the decay, and the new state."""
    m, v = moments(rule, g, state)
    c1 = 1 - rule.beta1**t if rule.corrected else 1.0
    c2 = 1 - rule.beta2**t if rule.corrected else 1.0
    return m / c1 / (math.sqrt(v / c2 + rule.eps_root) + rule.eps) + rule.weight_decay * w, (m, v)


class LAMB(NamedTuple):
    """w ← w − α·‖w‖ ⁄ ‖u‖·u, with u = m̂ ⁄ (√v̂ + ε) + λw from Adam's m and v.

    Where either norm is 0 the quotient is 1. The norms are of a model, or of each array of a network's weights.

    Attributes
    ----------
    beta1, beta2, eps, eps_root : float
        As in Adam.
    weight_decay : float
        λ.
    corrected : bool
        Correct m and v for their start at zero, as in the paper's algorithm 2 and in optax; its third version does not.
    largest_norm : float
        ‖w‖ counts as at most this: inf in optax, 10 in pytorch-optimizer.
    eps_ratio : float
        Added to ‖u‖: 0 in optax, ε in pytorch-optimizer.

    References
    ----------
    Y. You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", ICLR 2020, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-6
    weight_decay: float = 0.0
    eps_root: float = 0.0
    corrected: bool = True
    largest_norm: float = math.inf
    eps_ratio: float = 0.0

    slots = ("m", "v")
    sums = ("weight squared", "push squared")
    by_layer = True
    limits = {
        "beta1": "[0, 1)",
        "beta2": "[0, 1)",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "eps_root": "[0, inf)",
        "largest_norm": "(0, inf]",
        "eps_ratio": "[0, inf)",
    }

    def reduce(self, w, g, state, rate, t, kept):
        push, _ = push_of(self, w, g, state, t)
        return w * w, push * push

    def combine(self, sums, loss, kept, rate, t):
        weights, size = min(math.sqrt(sums[0]), self.largest_norm), math.sqrt(sums[1])
        return (weights / (size + self.eps_ratio) if weights > 0 and size > 0 else 1.0,)

    def step(self, w, g, state, rate, t, shared):
        push, state = push_of(self, w, g, state, t)
        return w - rate * shared[0] * push, state
