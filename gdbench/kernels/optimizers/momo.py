"""MoMo: momentum whose rate comes from a model of the loss that knows a lower bound."""

from typing import NamedTuple

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.optimizers.moments import running
from gdbench.kernels.optimizers.sps import NO_STEP


@inlined
def length_of_step(rule, square, inner, kept, rate, share):
    """How far to go: to where the linear model of the objective meets its lower bound, and no further than the rate.

    kept holds the running means of the objective and of ⟨g, w⟩, and the bound, which is moved where the rule adapts it. `square`
    is the squared length of the step's direction, `inner` the mean gradient times the weights, `share` what the means hold.
    """
    objective, product, bound = kept[0], kept[1], kept[2]
    wide = 1 + rate * rule.weight_decay
    top = wide * (objective - product) + inner
    if rule.adapted and top < wide * share * bound:
        bound = max(top / (2 * wide * share), rule.lowest)
    length = max(top - wide * share * bound, 0.0) / square if square > NO_STEP else 0.0
    length = min(rate / share, length)
    if rule.adapted:
        kept[2] = max((objective + inner - product - 0.5 * length * square) / share, rule.lowest)
    return length


class MoMo(NamedTuple):
    """w ← w ⁄ (1 + αλ) − τm with τ = min(α, ((1 + αλ)(f̄ − f* − γ) + ⟨m, w⟩)₊ ⁄ ‖m‖²).

    m, f̄ and γ are running means of the gradient, of the objective of the step's rows and of ⟨g, w⟩, from their first values on.

    Attributes
    ----------
    beta : float
        β, the share of the means that is kept.
    lowest : float
        f*, a lower bound of the objective.
    weight_decay : float
        λ, in the proximal form.
    adapted : bool
        Estimate f* along the way, never below `lowest`.

    Notes
    -----
    The learning rate is the largest step.

    References
    ----------
    F. Schaipp et al., "MoMo: Momentum Models for Adaptive Learning Rates", ICML 2024, algorithm 1.
    """

    beta: float = 0.9
    lowest: float = 0.0
    weight_decay: float = 0.0
    adapted: bool = False

    slots = ("m",)
    sums = ("mean squared", "mean times weight", "gradient times weight")
    kept = ("objective", "product", "bound")
    by_loss = True
    limits = {"beta": "[0, 1)", "lowest": "(-inf, inf)", "weight_decay": "[0, inf)"}

    def start_kept(self):
        return (0.0, 0.0, self.lowest)

    def reduce(self, w, g, state, rate, t, kept):
        m = running(self.beta if t > 1 else 0.0, state[0], g)
        return m * m, m * w, g * w

    def combine(self, sums, loss, kept, rate, t):
        share = self.beta if t > 1 else 0.0
        kept[0], kept[1] = running(share, kept[0], loss), running(share, kept[1], sums[2])
        return (length_of_step(self, sums[0], sums[1], kept, rate, 1.0),)

    def step(self, w, g, state, rate, t, shared):
        m = running(self.beta if t > 1 else 0.0, state[0], g)
        return w - rate * self.weight_decay / (1 + rate * self.weight_decay) * w - shared[0] * m, (m,)
