"""Schedules: the learning rate over steps.

A schedule is a NamedTuple whose first field is ``learning_rate`` and whose ``factor(t)`` gives, for an array of step
numbers (from 1), what that rate is multiplied by. The loops receive the factors of a stretch of steps as an array, so a
schedule is plain NumPy, costs the inner loop one load, and needs no compilation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gdbench.kernels.registry import Registry

registry = Registry("schedule", "factor")
register = registry.register


@register
class Constant(NamedTuple):
    """α at every step."""

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
