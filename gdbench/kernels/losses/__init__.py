"""Losses: how wrong a margin z is for a target y. One file each.

A loss has ``value(z, y)`` and its ``derivative(z, y)`` with respect to z, both on scalars, and declares its *domain*
(which targets it takes: ``"real"``, ``"sign"`` for −1 and +1, ``"class"`` for 0…K−1), its *link* (from
margin to mean) and its *smoothness* (the largest second derivative, or None where the derivative jumps). A smooth loss
also has ``curvature(z, y)``, the second derivative, by which Newton's method certifies optima. A *flat* one's derivative is 0
for most rows once the weights are good, so that those cause no step.
"""

from gdbench.kernels.compile.tags import operation
from gdbench.kernels.registry import Registry

value = operation("value")
derivative = operation("derivative")
curvature = operation("curvature")


def _value_one(loss, z, y, first, classes):
    return value(loss, z[first], y)


def _derive_one(loss, z, y, c, first, classes):
    c[first] = derivative(loss, z[first], y)


#: Loss of a row over the margins z[first : first + classes] of one model; a loss of one margin needs no method for it.
value_group = operation("value_group", _value_one)

#: Its derivatives, written to c[first : first + classes].
derive_group = operation("derive_group", _derive_one)

registry = Registry("loss", "value", "derivative")
register = registry.register
globals().update(registry.discover(__name__, __path__))
