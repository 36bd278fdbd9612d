"""Penalties on the weights: α·R(w), added to the mean loss. The intercept is never penalised.

A penalty has ``penalty_value(w)`` of one weight, and ``with_penalty(g, w)``: a gradient g with the penalty's added.
"""

from typing import NamedTuple

from gdbench.kernels.registry import Registry
from gdbench.kernels.tags import operation

penalty_value = operation("penalty_value")
with_penalty = operation("with_penalty")

registry = Registry("penalty", "penalty_value", "with_penalty")
register = registry.register


@register
class NoPenalty(NamedTuple):
    """R = 0."""

    name = "none"

    def penalty_value(self, w):
        return w * 0

    def with_penalty(self, g, w):
        return g


@register
class L2(NamedTuple):
    """α·½w², whose gradient αw is the weight decay of plain gradient descent.

    Attributes
    ----------
    alpha : float
        α; the objective gains α⁄2·‖w‖².
    """

    alpha: float = 0.0001

    name = "l2"
    limits = {"alpha": "[0, inf)"}

    def penalty_value(self, w):
        return self.alpha * w * w / 2

    def with_penalty(self, g, w):
        return g + self.alpha * w
