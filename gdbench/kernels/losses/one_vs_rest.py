"""One against the rest: a two-class loss for each class."""

from typing import Any, NamedTuple

from gdbench.kernels.losses import derivative, value


class OneVsRest(NamedTuple):
    """Σₖ loss(zₖ, ±1) with +1 for the row's own class: K models of two classes, trained in one pass over the data."""

    loss: Any

    domain = "class"

    def value_group(self, z, y, first, classes):
        total = 0.0
        for k in range(classes):
            total += value(self.loss, z[first + k], 1.0 if k == int(y) else -1.0)
        return total

    def derive_group(self, z, y, c, first, classes):
        for k in range(classes):
            c[first + k] = derivative(self.loss, z[first + k], 1.0 if k == int(y) else -1.0)
