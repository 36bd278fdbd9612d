"""Cautious steps: any rule, without those parts of its step that point against the gradient."""

from typing import Any, NamedTuple

from gdbench.kernels.optimizers import step
from gdbench.kernels.optimizers.momentum import Momentum
from gdbench.kernels.optimizers.wrapped import wrapper


@wrapper
class Cautious(NamedTuple):
    """w ← w − u·[ug > 0]·n ⁄ max(k + ξ, κn) for the step u of `rule`, where k of its n parts agree with the gradient's signs.

    n and k are of a model, or of each array of a network's weights.

    Attributes
    ----------
    rule : tag
        A rule with momentum: others always agree. A weight decay of its own counts as part of its step.
    offset : float
        ξ: 1 in the paper and in pytorch-optimizer.
    least : float
        κ: the authors' code has no ξ, and 1e-3 here.

    References
    ----------
    K. Liang et al., "Cautious Optimizers: Improving Training with One Line of Code", arXiv:2411.16085 (2024), algorithm 1.
    """

    rule: Any = Momentum()
    offset: float = 1.0
    least: float = 0.0

    role = "mask the step"
    scales_steps = True
    sums = ("agreeing", "weights")
    by_layer = True
    limits = {"offset": "[0, inf)", "least": "[0, 1]"}

    def reduce(self, w, g, state, rate, t, kept):
        moved, _ = step(self.rule, w, g, state, rate, t)
        return 1.0 if (w - moved) * g > 0 else 0.0, 1.0

    def combine(self, sums, loss, kept, rate, t):
        divisor = max(sums[0] + self.offset, self.least * sums[1])
        return (sums[1] / divisor if divisor > 0 else 1.0,)

    def step(self, w, g, state, rate, t, shared):
        moved, state = step(self.rule, w, g, state, rate, t)
        push = w - moved
        return w - push * (shared[0] if push * g > 0 else 0.0), state
