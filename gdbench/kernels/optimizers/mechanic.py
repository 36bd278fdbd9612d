"""Mechanic: any rule, whose whole way from the start is scaled by a number that is learnt."""

import math
from typing import Any, NamedTuple

from gdbench.kernels.members import start_of
from gdbench.kernels.optimizers import step
from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.optimizers.wrapped import wrapper


@wrapper
class Mechanic(NamedTuple):
    """w ← w₀ + S·Δ with Δ ← Δ + u, the sum of the steps u of `rule`, and S a sum of six bets s on h = ⟨g, −Δ⟩.

    Of each of the decays β = 0.9, 0.99, …, 1 − 10⁻⁶: r ← βr + s·clip(h, ±m), m ← max(βm, |h| + ε), v ← β²v + h² and
    s ← (m·s₀ ⁄ 6 + r₊) ⁄ (√v + ε); in h the gradient has λS‖g‖ ⁄ (‖w‖ + ε)·w added.

    Attributes
    ----------
    rule : tag
        The optimizer whose rate is learnt, at a learning rate of 1, or a schedule from 1 down.
    initial : float
        s₀, each s before the first step.
    weight_decay : float
        λ.
    eps : float
        ε.

    Notes
    -----
    Δ is (w − w₀) ⁄ (S + ε), as in optax; the bound on h is the authors', of later than the paper.

    References
    ----------
    A. Cutkosky, A. Defazio and H. Mehta, "Mechanic: A Learning Rate Tuner", NeurIPS 2023, algorithm 1.
    """

    rule: Any = GD()
    initial: float = 1e-6
    weight_decay: float = 0.01
    eps: float = 1e-8

    role = "learn the scale of the steps"
    scales_steps = True
    sums = ("gradient times way", "weight times way", "gradient squared", "weight squared")
    kept = tuple(f"{name} {number}" for name in ("s", "m", "v", "r") for number in range(6))
    limits = {"initial": "(0, inf)", "weight_decay": "[0, inf)", "eps": "(0, inf)"}

    @property
    def slots(self):
        return (*self.rule.slots, "origin")

    def start(self):
        return (*start_of(self.rule), None)

    def start_kept(self):
        return (self.initial,) * 6 + (0.0,) * 18

    def reduce(self, w, g, state, rate, t, kept):
        way = state[-1] - w
        return g * way, w * way, g * g, w * w

    def combine(self, sums, loss, kept, rate, t):
        before = 0.0
        for i in range(6):
            before += kept[i]
        decay = self.weight_decay * before * math.sqrt(sums[2]) / (math.sqrt(sums[3]) + self.eps)
        h = (sums[0] + decay * sums[1]) / (before + self.eps)
        scale = 0.0
        for i in range(6):
            beta, s, m = 1 - 0.1 ** (i + 1), kept[i], kept[6 + i]
            kept[18 + i] = beta * kept[18 + i] + min(max(h, -m), m) * s
            kept[6 + i] = max(beta * m, abs(h) + self.eps)
            kept[12 + i] = beta * beta * kept[12 + i] + h * h
            wealth = self.initial / 6 * kept[6 + i] + max(kept[18 + i], 0.0)
            kept[i] = wealth / (math.sqrt(kept[12 + i]) + self.eps)
            scale += kept[i]
        return before, scale

    def step(self, w, g, state, rate, t, shared):
        moved, inner = step(self.rule, w, g, state[:-1], rate, t)
        before, scale = shared
        origin = state[-1]
        return origin - scale * ((origin - w) / (before + self.eps) + (w - moved)), inner + (origin,)
