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
``whole_batch``
    True for a rule that compares gradients of all rows, and is refused where a step is on fewer.

A rule may look at the whole model before it steps: at a norm, an inner product, the loss. Its attribute ``sums`` names up to four
numbers, and it has two more bodies; its ``step(self, w, g, state, rate, t, shared)`` takes one argument more:

``reduce(self, w, g, state, rate, t, kept)``
    What a weight adds to each of the sums, as a tuple. Sums are in float64.
``combine(self, sums, loss, kept, rate, t)``
    From the sums over all weights, the tuple `shared`, which each weight's step is given.
``kept`` and ``start_kept(self)``
    Names of numbers that the rule knows of the whole model from step to step, and their values before step 1 (zeros by default):
    `kept` is an array of them, which ``combine`` may change.
``by_loss``
    True where ``combine`` needs the value of the step's objective, the mean loss of its rows plus the penalty; else `loss` is 0.
``by_layer``
    True where each array of a network's weights (W₁, W₂, b₁, b₂) has its own sums. Such a rule keeps nothing of them.

What is one model: the weights and the intercept of a linear model, all outputs of a multinomial one or of one against the rest,
which share an objective, and each lane of a sweep. Of several rules that wrap each other one may look.

What does not fit: Muon, SOAP and Shampoo need weights that are matrices, which a linear model has not, and decompose them; Sophia
needs products with the Hessian beside the gradient.

A rule that wraps another one is a ``wrapper``, as in :mod:`~gdbench.kernels.optimizers.wrapped`.
"""

from gdbench.kernels.compile.tags import ZEROS, class_of, field_of, operation, picked
from gdbench.kernels.registry import Registry

step = operation("step")

#: What a rule does to a weight in `idle` steps without a gradient at a constant rate, where a closed form exists.
settle = operation("settle")


def looker(kind):
    """The rule that looks at the whole model, of a rule and those that it wraps, or while compiling its type; None for none."""
    if hasattr(class_of(kind), "combine"):
        return kind
    return looker(field_of(kind, "rule")) if "rule" in getattr(class_of(kind), "_fields", ()) else None


def looks(kind, how="combine"):
    """Whether a rule, or one that it wraps, looks at the whole model; or looks at it in a certain way."""
    found = looker(kind)
    return found is not None and bool(getattr(class_of(found), how, False))


def _reduce_inner(rule, w, g, state, rate, t, kept):
    return reduce(rule.rule, w, g, state, rate, t, kept)


def _combine_inner(rule, sums, loss, kept, rate, t):
    return combine(rule.rule, sums, loss, kept, rate, t)


#: A weight's part of the sums over its model, and what each of the steps is given of the sums.
reduce = operation("reduce", _reduce_inner)
combine = operation("combine", _combine_inner)

#: The sums over no weight.
zero_sums = picked(lambda rule: ZEROS[len(class_of(looker(rule)).sums)])


def loop_form(rule):
    """The tag that the loops run: a rule may have a leaner ``form()`` for the options it was given."""
    return rule.form() if hasattr(rule, "form") else rule


registry = Registry("optimizer", "step")
register = registry.register
globals().update(registry.discover(__name__, __path__))
