"""Gradient clipping: any rule, on a gradient that is kept short."""

import math
from typing import Any, NamedTuple

from gdbench.kernels.optimizers import step
from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.optimizers.wrapped import wrapper


@wrapper
class Clipped(NamedTuple):
    """g ← g·min(1, norm ⁄ (‖g‖ + ε)), then each component into [−value, value], then a step of `rule`.

    The norm is that of the whole gradient of a model, its penalty and all its classes included.

    Attributes
    ----------
    rule : tag
        The optimizer that receives the clipped gradient.
    norm, value : float
        The limits; inf for none.
    eps : float
        ε. optax 0, PyTorch 1e-6.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
    """

    rule: Any = GD()
    norm: float = math.inf
    value: float = math.inf
    eps: float = 0.0

    role = "clip the gradient"
    limits = {"norm": "(0, inf]", "value": "(0, inf]", "eps": "[0, inf)"}

    def clips_norm(self):
        return True

    def clip_factor(self, norm):
        return min(1.0, self.norm / (norm + self.eps)) if norm > 0.0 else 1.0

    def step(self, w, g, state, rate, t):
        return step(self.rule, w, min(max(g, -self.value), self.value), state, rate, t)
