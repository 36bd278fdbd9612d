"""Losses: how wrong a margin z is for a target y. One file each.

A loss has ``value(z, y)`` and its ``derivative(z, y)`` with respect to z, both on scalars, and declares its *domain*
(which targets it takes: ``"real"``, ``"count"`` for y ≥ 0, ``"positive"`` for y > 0, ``"sign"`` for −1 and +1, ``"class"`` for
0…K−1). Further attributes and methods, where
given:

``link``
    From mean to margin, for a target that is a number: ``"identity"`` (the default), ``"log"`` or ``"logit"``; predictions
    and R² go through its inverse. Of another link, the method ``inverse_link(self, z)`` on an array gives the mean.
``smoothness``
    The largest second derivative; None (the default) where the derivative jumps or the second one has no bound.
``curvature(self, z, y)``
    The second derivative of a smooth loss, by which Newton's method certifies optima.
``flat``
    True where the derivative is 0 for most rows once the weights are good, so that those cause no step.
``value_group(self, z, y, first, classes)``, ``derive_group(self, z, y, c, first, classes)``
    The same over the margins z[first : first + classes] of a row, needed with the domain ``"class"``; the derivatives go to c.
"""

from gdbench.kernels.compile.tags import operation
from gdbench.kernels.registry import Registry

#: The domains whose targets are numbers, not classes: predictions of them are means.
NUMBERS = ("real", "count", "positive")

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
