"""Adam: momentum over a running mean square, both corrected for their start at zero."""

import math
from typing import NamedTuple

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.optimizers.moments import moments


@inlined
def adam_quotient(rule, g, state, t):
    """The corrected mean, what it is divided by, and the new state."""
    m, v = moments(rule, g, state)
    c1 = 1 - rule.beta1**t
    c2 = 1 - rule.beta2**t
    eps = rule.eps / math.sqrt(c2) if rule.eps_before_correction else rule.eps
    return m / c1, math.sqrt(v / c2 + rule.eps_root) + eps, (m, v)


class Adam(NamedTuple):
    """m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − α·m̂ ⁄ (√(v̂ + ε_root) + ε).

    m̂ = m ⁄ (1 − β₁ᵗ) and v̂ = v ⁄ (1 − β₂ᵗ) undo the bias of a mean that starts at zero.

    Attributes
    ----------
    beta1, beta2 : float
        β₁ and β₂, the shares of the two means that are kept.
    eps : float
        ε beside the root, after the correction (algorithm 1 of the paper, PyTorch, optax).
    eps_root : float
        ε under the root (optax's ``eps_root``).
    eps_before_correction : bool
        Add ε to √v before the correction, as in Keras and in the paper's section 2: the step is then
        α·√(1 − β₂ᵗ)⁄(1 − β₁ᵗ)·m ⁄ (√v + ε).

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_root: float = 0.0
    eps_before_correction: bool = False

    slots = ("m", "v")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "eps_root": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        mean, divisor, state = adam_quotient(self, g, state, t)
        return w - rate * mean / divisor, state
