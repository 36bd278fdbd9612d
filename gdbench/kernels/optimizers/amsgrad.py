"""AMSGrad: Adam with a second moment that never falls."""

import math
from typing import NamedTuple


class AMSGrad(NamedTuple):
    """Adam's m and v; u ← max(u, v); w ← w − α·m̂ ⁄ (√û + ε), with û = u ⁄ (1 − β₂ᵗ).

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam.
    eps_before_correction : bool
        Add ε to √u before the correction, as in Keras.
    corrected_maximum : bool
        Take the maximum of the corrected v̂, as in optax, instead of correcting the maximum of v (PyTorch, Keras).
    weight_decay : float
        λ, decoupled as in AdamW: what PyTorch and Keras call AdamW with ``amsgrad=True``.

    Notes
    -----
    The paper's algorithm 2 corrects no bias; all three libraries correct it.

    References
    ----------
    S. J. Reddi, S. Kale and S. Kumar, "On the Convergence of Adam and Beyond", ICLR 2018, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_before_correction: bool = False
    corrected_maximum: bool = False
    weight_decay: float = 0.0

    slots = ("m", "v", "largest_v")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "weight_decay": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        m, v, largest = state
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        c1 = 1 - self.beta1**t
        c2 = 1 - self.beta2**t
        before = 1 / c2 if self.corrected_maximum else 1.0
        after = 1.0 if self.corrected_maximum else 1 / c2
        largest = max(largest, v * before)
        eps = self.eps / math.sqrt(c2) if self.eps_before_correction else self.eps
        kept = w - rate * self.weight_decay * w
        return kept - rate * (m / c1) / (math.sqrt(largest * after) + eps), (m, v, largest)
