"""SPS: Polyak's step on the objective of each batch."""

from typing import NamedTuple

#: A squared norm up to which no step is taken, as in optax.
NO_STEP = 2.0**-52


class SPS(NamedTuple):
    """w ← w − min((f − f*) ⁄ (c(‖g‖² + ε)), α)·g, with f the objective of the step's own rows.

    Attributes
    ----------
    lowest : float
        f*, the least value that f can take: 0 where a model can fit every row.
    divisor : float
        c: 1 in optax; the paper's ½ takes twice the step.
    eps : float
        ε.
    nonnegative : bool
        Take no step where f is below f*, as SPS₊ does; otherwise such a step climbs, as with optax's ``variant="sps"``.

    Notes
    -----
    The learning rate is the largest step, the paper's γ_b.

    References
    ----------
    N. Loizou et al., "Stochastic Polyak Step-size for SGD: An Adaptive Learning Rate for Fast Convergence", AISTATS 2021.
    """

    lowest: float = 0.0
    divisor: float = 1.0
    eps: float = 0.0
    nonnegative: bool = True

    slots = ()
    sums = ("gradient squared",)
    by_loss = True
    limits = {"lowest": "(-inf, inf)", "divisor": "(0, inf)", "eps": "[0, inf)"}

    def reduce(self, w, g, state, rate, t, kept):
        return (g * g,)

    def combine(self, sums, loss, kept, rate, t):
        gap, square = loss - self.lowest, sums[0] + self.eps
        gap = max(gap, 0.0) if self.nonnegative else gap
        return (min(gap / (self.divisor * square), rate) if square > NO_STEP else 0.0,)

    def step(self, w, g, state, rate, t, shared):
        return w - shared[0] * g, state
