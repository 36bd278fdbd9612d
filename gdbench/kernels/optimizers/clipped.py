"""Gradient clipping: any rule, on a gradient that is kept short."""

import math
from typing import Any, NamedTuple

from gdbench.kernels.optimizers import loop_form, reduce, step
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

    sums = ("gradient squared",)

    def form(self):
        """Without a limit of the norm the rule need not look at the whole gradient."""
        inner = loop_form(self.rule)
        return _ByValue(inner, self.value) if math.isinf(self.norm) else self._replace(rule=inner)

    def reduce(self, w, g, state, rate, t, kept):
        return (g * g,)

    def combine(self, sums, loss, kept, rate, t):
        norm = math.sqrt(sums[0])
        return (min(1.0, self.norm / (norm + self.eps)) if norm > 0.0 else 1.0,)

    def step(self, w, g, state, rate, t, shared):
        g = shared[0] * g
        return step(self.rule, w, min(max(g, -self.value), self.value), state, rate, t)


@wrapper
class _ByValue(NamedTuple):
    """Clipping of each component alone."""

    rule: Any
    value: float

    name = "clipped"
    role = "clip the gradient"

    def reduce(self, w, g, state, rate, t, kept):
        return reduce(self.rule, w, min(max(g, -self.value), self.value), state, rate, t, kept)

    def step(self, w, g, state, rate, t, *shared):
        return step(self.rule, w, min(max(g, -self.value), self.value), state, rate, t, *shared)
