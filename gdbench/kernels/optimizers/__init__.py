"""Optimizers: the update rules, one file each.

An optimizer is a NamedTuple of hyperparameters with ``slots``, the names of the vectors it remembers, and one body::

    step(self, w, g, state, rate, t) -> (new w, new state)

on scalars: one weight, its gradient, its state, the learning rate of this step, and the number t of the step, counted
from 1. The body is inlined into every loop, over weights and lanes. The learning rate is no hyperparameter: it
comes from a schedule. Further methods, where given:

``start(self)``
    The slots' values before step 1 (zeros by default); None stands for the weights.
``settle(self, w, state, rate, idle)``
    What `idle` steps on a gradient of 0 do, in closed form: sparse rows then touch only their own weights.
``form(self)``
    The tag that the loops run instead, where the options given allow a leaner one.
``result(self, w, state)``
    The weights that count as the rule's result, where they are not w.

A rule that wraps another one is a ``wrapper``, as in :mod:`~gdbench.kernels.optimizers.wrapped`.
"""

from gdbench.kernels.compile.tags import operation
from gdbench.kernels.registry import Registry

step = operation("step")

#: What a rule does to a weight in `idle` steps without a gradient at a constant rate, where a closed form exists.
settle = operation("settle")


def _never(rule):
    return False


def _whole(rule, norm):
    return 1.0


#: Whether the rule needs the norm of the whole gradient before its step; and the factor it then asks for.
clips_norm = operation("clips_norm", _never)
clip_factor = operation("clip_factor", _whole)

registry = Registry("optimizer", "step")
register = registry.register
globals().update(registry.discover(__name__, __path__))
