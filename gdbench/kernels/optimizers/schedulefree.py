"""Schedule-Free: any rule, averaged as it goes, with its gradients taken between the average and its own point."""

from typing import Any, NamedTuple

from gdbench.kernels.members import start_of
from gdbench.kernels.optimizers import reduce, step
from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.optimizers.wrapped import wrapper


@wrapper
class ScheduleFree(NamedTuple):
    """z from `rule`, on the gradient at w; x ← x + c(z − x); w ← βx + (1 − β)z. The result is x.

    c is the share of this step among the steps so far, each weighed by the largest rate so far to the power p.

    Attributes
    ----------
    rule : tag
        The optimizer whose point is z: ``gd``, or Adam without momentum (β₁ = 0), since β is the momentum.
    beta : float
        β.
    power : float
        p. The authors' code and optax 2.
    weight_decay : float
        λ: z takes off αλw, the decay at the point of the gradient as in the authors' code.

    Notes
    -----
    The weights that descend, and at which gradients are taken, are the authors' y.
    The step of an l1 penalty acts on w alone, which the next step leaves for z: prefer l2, which is in the gradient.

    References
    ----------
    A. Defazio et al., "The Road Less Scheduled", NeurIPS 2024.
    """

    rule: Any = GD()
    beta: float = 0.9
    power: float = 2.0
    weight_decay: float = 0.0

    role = "average the iterates"
    limits = {"beta": "[0, 1)", "power": "[0, inf)", "weight_decay": "[0, inf)"}

    @property
    def slots(self):
        return (*self.rule.slots, "z", "x", "weights", "largest_rate")

    def start(self):
        return (*start_of(self.rule), None, None, 0.0, 0.0)

    def result(self, w, state):
        return state[-3]

    def reduce(self, w, g, state, rate, t, kept):
        return reduce(self.rule, state[-4], g, state[:-4], rate, t, kept)

    def step(self, w, g, state, rate, t, *shared):
        z, x, weights, largest = state[-4:]
        z, inner = step(self.rule, z, g, state[:-4], rate, t, *shared)
        z = z - rate * self.weight_decay * w
        largest = max(largest, rate)
        weight = largest**self.power
        weights = weights + weight
        x = x + (z - x) * (weight / weights if weights > 0 else 0.0)
        return self.beta * x + (1 - self.beta) * z, inner + (z, x, weights, largest)
