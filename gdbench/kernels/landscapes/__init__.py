"""Landscapes: closed-form functions to minimise, one file each.

A landscape is a NamedTuple of parameters with ``value(x)`` for a point x of shape (d,), ``gradient(x, g)``
which writes the exact gradient to g, and the attributes ``dimension`` (a number, or None for any; then
``least`` is the smallest, 1 by default), ``box`` (where it is usually shown: an interval for each dimension,
the last for all others), ``start`` (a telling place to start from), ``source``, and ``minima(self, d)``, a
list of (point, value) of its global minima. Where they are known, ``local_minima(self, d)`` and
``saddles(self, d)`` list further flat points. ``gd.minimize`` names the one it ended at.
"""

from gdbench.kernels.compile.tags import operation
from gdbench.kernels.registry import Registry

value = operation("value")
gradient = operation("gradient")

registry = Registry("landscape", "value", "gradient")
register = registry.register
globals().update(registry.discover(__name__, __path__))
