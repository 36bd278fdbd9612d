"""Schedules: the learning rate over steps.

A schedule is a NamedTuple whose first field is ``learning_rate`` and whose ``factor(t)`` gives, for an array of step
numbers (from 1), what that rate is multiplied by. The loops receive the factors of a stretch of steps as an array, so a
schedule is plain NumPy, costs the inner loop one load, and needs no compilation.

A field that counts steps, which a class names in ``in_steps``, takes a whole number of steps or a share of the run's own steps,
a float in (0, 1]: ``Cosine(steps=1.0)`` falls until the run's end, whatever its data and budget, and ``Cosine(steps=1)`` for one
step. Their defaults are shares.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.losses import derivative
from gdbench.kernels.registry import Registry
from gdbench.kernels.shares import Share, counted

registry = Registry("schedule", "factor")
register = registry.register


@register
class Constant(NamedTuple):
    """α at every step.

    Attributes
    ----------
    learning_rate : float
        α.
    """

    learning_rate: float = 0.01

    name = "constant"
    limits = {"learning_rate": "(0, inf)"}

    def factor(self, t):
        return np.ones(t.shape)


@register
class InvScaling(NamedTuple):
    """α ⁄ tᵖ, as scikit-learn's ``learning_rate="invscaling"``.

    Attributes
    ----------
    learning_rate : float
        α, scikit-learn's ``eta0``.
    power_t : float
        p.
    """

    learning_rate: float = 0.01
    power_t: float = 0.25

    name = "invscaling"
    limits = {"learning_rate": "(0, inf)", "power_t": "(-inf, inf)"}

    def factor(self, t):
        return 1.0 / np.power(t, self.power_t)


@register
class Optimal(NamedTuple):
    """α ⁄ (λ(t₀ + t − 1)), as scikit-learn's ``learning_rate="optimal"`` (there α is 1).

    Attributes
    ----------
    learning_rate : float
        α, a factor on the whole schedule.
    strength : float
        λ, scikit-learn's ``alpha``; 0 takes the penalty's factor.
    offset : float
        t₀; 0 takes Bottou's, from the loss and λ: the first step moves a margin of typical size by about 1.

    References
    ----------
    L. Bottou, "Stochastic Gradient Descent Tricks" (2012), section 5.2, and his svmsgd code.
    """

    learning_rate: float = 1.0
    strength: float = 0.0
    offset: float = 0.0

    name = "optimal"
    limits = {"learning_rate": "(0, inf)", "strength": "[0, inf)", "offset": "[0, inf)"}

    def bind(self, loss: Any, penalty: Any) -> Optimal:
        """The schedule with what it takes from the objective filled in."""
        strength = self.strength or float(getattr(penalty, "alpha", 0.0)) or 1e-4
        typical = math.sqrt(1.0 / math.sqrt(strength))
        first = typical / max(1.0, derivative(loss, -typical, 1.0))
        return self._replace(strength=strength, offset=self.offset or 1.0 / (first * strength))

    def factor(self, t):
        return 1.0 / (self.strength * (self.offset + t - 1))


@register
class Step(NamedTuple):
    """α·γ^⌊(t − 1) ⁄ every⌋.

    Attributes
    ----------
    learning_rate : float
        α.
    gamma : float
        γ, by which the rate is multiplied.
    every : int, or float in (0, 1]
        Steps between two drops, or their share of the run's: a quarter by default, which makes three drops.
    """

    learning_rate: float = 0.1
    gamma: float = 0.5
    every: int | float = Share(0.25)

    name = "step"
    in_steps = ("every",)
    limits = {"learning_rate": "(0, inf)", "gamma": "(0, 1]"}

    def factor(self, t):
        return self.gamma ** np.floor((t - 1) / counted(self.every))


@register
class Exponential(NamedTuple):
    """α·γ^((t − 1) ⁄ every): the smooth form of ``step``, as optax's ``exponential_decay``.

    Attributes
    ----------
    learning_rate : float
        α.
    gamma : float
        γ, the factor reached after `every` steps.
    every : int, or float in (0, 1]
        Steps, or their share of the run's: a quarter by default.
    """

    learning_rate: float = 0.1
    gamma: float = 0.5
    every: int | float = Share(0.25)

    name = "exponential"
    in_steps = ("every",)
    limits = {"learning_rate": "(0, inf)", "gamma": "(0, 1]"}

    def factor(self, t):
        return self.gamma ** ((t - 1) / counted(self.every))


@register
class Cosine(NamedTuple):
    """α·(e + (1 − e)·½(1 + cos(π·min(t − 1, steps) ⁄ steps))), as optax's ``cosine_decay_schedule``.

    Attributes
    ----------
    learning_rate : float
        α.
    steps : int, or float in (0, 1]
        Steps to the end of the fall, or their share of the run's: all by default.
    end : float
        e, the share of α that is left then.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017 (without restarts).
    """

    learning_rate: float = 0.1
    steps: int | float = Share(1.0)
    end: float = 0.0

    name = "cosine"
    in_steps = ("steps",)
    limits = {"learning_rate": "(0, inf)", "end": "[0, 1]"}

    def factor(self, t):
        steps = counted(self.steps)
        done = np.minimum(t - 1, steps) / steps
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + np.cos(math.pi * done))


@register
class Warmup(NamedTuple):
    """A linear rise from `start`·α to α over `steps` steps, then `after` (constant by default).

    Attributes
    ----------
    learning_rate : float
        α.
    steps : int, or float in (0, 1]
        Steps of the rise, or their share of the run's: a tenth by default.
    start : float
        The first step's share of α; 0 is a first step of length 0, as in optax.
    after : None or tag
        A schedule whose steps count from the end of the rise, and their shares are of the steps that are left then; its own
        learning rate is ignored.
    """

    learning_rate: float = 0.1
    steps: int | float = Share(0.1)
    start: float = 0.0
    after: Any = None

    name = "warmup"
    in_steps = ("steps",)
    parts = ("after",)
    limits = {"learning_rate": "(0, inf)", "start": "[0, 1]"}

    def factor(self, t):
        steps = counted(self.steps)
        rise = self.start + (1.0 - self.start) * np.minimum((t - 1) / steps, 1.0)
        if self.after is None:
            return rise
        return np.where(t - 1 < steps, rise, self.after.factor(np.maximum(t - steps, 1.0)))


@register
class Adaptive(NamedTuple):
    """α, multiplied by `shrink` whenever `patience` epochs in a row have not lowered J by `tol`.

    The objective is computed after each epoch, on the clock. scikit-learn's ``adaptive`` is the same rule on the running loss
    of the epoch; its exact form is in the estimators.

    Attributes
    ----------
    learning_rate : float
        α.
    tol : float
    patience : int
    shrink : float
    """

    learning_rate: float = 0.1
    tol: float = 1e-3
    patience: int = 5
    shrink: float = 0.2

    name = "adaptive"
    listens = "epoch"
    limits = {"learning_rate": "(0, inf)", "tol": "[0, inf)", "patience": "[1, inf)", "shrink": "(0, 1)"}

    def factor(self, t):
        return np.ones(t.shape)


@register
class Backtracking(NamedTuple):
    """Batch descent with Armijo's rule: the first of ℓ, sℓ, s²ℓ, … with J(w − ℓg) ≤ J(w) − cℓ‖g‖².

    Attributes
    ----------
    learning_rate : float
        ℓ of the first step; each further step tries the last length divided by s.
    shrink : float
        s.
    slope : float
        c.

    References
    ----------
    L. Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", Pacific J. Math. 16
    (1966), 1-3.
    """

    learning_rate: float = 1.0
    shrink: float = 0.5
    slope: float = 1e-4

    name = "backtracking"
    listens = "step"
    limits = {"learning_rate": "(0, inf)", "shrink": "(0, 1)", "slope": "(0, 1)"}

    def factor(self, t):
        return np.ones(t.shape)


@register
class BarzilaiBorwein(NamedTuple):
    """Batch descent with the two-point length ℓ = s·s ⁄ s·y, where s and y are the last changes of w and of the gradient.

    Where s·y is not above 0, ℓ stays as it was.

    Attributes
    ----------
    learning_rate : float
        ℓ of the first step.

    References
    ----------
    J. Barzilai and J. M. Borwein, "Two-Point Step Size Gradient Methods", IMA J. Numer. Anal. 8 (1988), 141-148.
    """

    learning_rate: float = 0.01

    name = "barzilai-borwein"
    listens = "step"
    limits = {"learning_rate": "(0, inf)"}

    def factor(self, t):
        return np.ones(t.shape)
