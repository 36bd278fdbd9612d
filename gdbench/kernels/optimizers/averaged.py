"""Iterate averaging: any rule, reporting the mean of its iterates."""

from typing import Any, NamedTuple

from gdbench.kernels.members import start_of
from gdbench.kernels.optimizers import reduce, step
from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.optimizers.wrapped import wrapper


@wrapper
class Averaged(NamedTuple):
    """w from `rule`; w̄ ← w̄ + (w − w̄) ⁄ (t − t₀ + 1) from step t₀ on. The result is w̄, the path descended is w's.

    Attributes
    ----------
    rule : tag
        The optimizer whose iterates are averaged.
    first : int
        t₀, scikit-learn's ``average`` (1 where that is True). Before it the result is w.

    References
    ----------
    B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control Optim. 30
    (1992), 838-855; D. Ruppert, technical report 781, Cornell (1988).
    """

    rule: Any = GD()
    first: int = 1

    role = "average the iterates"
    limits = {"first": "[1, inf)"}

    @property
    def slots(self):
        return (*self.rule.slots, "average")

    def start(self):
        return (*start_of(self.rule), None)

    def result(self, w, state):
        return state[-1]

    def reduce(self, w, g, state, rate, t, kept):
        return reduce(self.rule, w, g, state[:-1], rate, t, kept)

    def step(self, w, g, state, rate, t, *shared):
        w, inner = step(self.rule, w, g, state[:-1], rate, t, *shared)
        mean = state[-1]
        mean = w if t <= self.first else mean + (w - mean) / (t - self.first + 1)
        return w, inner + (mean,)
