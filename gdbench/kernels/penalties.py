"""Penalties on the weights: α·R(w), added to the mean loss. The intercept is never penalised.

A penalty has, for one weight, ``penalty_value(w)``, ``with_penalty(g, w)`` (a gradient g with the smooth part's added), and,
where R has a kink, ``after_step(w, rate, travelled, memory)``: the weight and the penalty's memory once the optimizer has
moved it. `rate` is this step's learning rate, `travelled` the sum of all rates so far with this one, and `memory` one
scalar a weight for each of the penalty's ``slots``.
"""

from typing import NamedTuple

from gdbench.kernels.compile.tags import operation
from gdbench.kernels.registry import Registry

penalty_value = operation("penalty_value")
with_penalty = operation("with_penalty")


def _unchanged(penalty, w, rate, travelled, memory):
    return w, memory


after_step = operation("after_step", _unchanged)

#: By what a step of plain descent at `rate` multiplies a weight, where the penalty does just that.
shrinkage = operation("shrinkage")


def _written_out(penalty, factor, eta, out):
    for k in range(eta.size):
        out[k] = shrinkage(penalty, factor * eta[k])
    return out


#: The same for each of the rates factor·eta, written to `out`; None where nothing is multiplied.
shrinkages = operation("shrinkages", _written_out)

registry = Registry("penalty", "penalty_value", "with_penalty")
register = registry.register


@register
class NoPenalty(NamedTuple):
    """R = 0."""

    name = "none"
    slots = ()

    def penalty_value(self, w):
        return w * 0

    def with_penalty(self, g, w):
        return g

    def shrinkage(self, rate):
        return 1

    def shrinkages(self, factor, eta, out):
        return None


@register
class L2(NamedTuple):
    """α·½w², whose gradient αw is the weight decay of plain gradient descent.

    Attributes
    ----------
    alpha : float
        α; the objective gains α⁄2·‖w‖².
    """

    alpha: float = 0.0001

    name = "l2"
    slots = ()
    limits = {"alpha": "[0, inf)"}

    def penalty_value(self, w):
        return self.alpha * w * w / 2

    def with_penalty(self, g, w):
        return g + self.alpha * w

    def shrinkage(self, rate):
        return 1 - rate * self.alpha


@register
class L1(NamedTuple):
    """α|w|, by the proximal step: after each update w moves toward 0 by rate·α and stops there.

    Attributes
    ----------
    alpha : float

    Notes
    -----
    Exact for plain gradient descent (ISTA); after an optimizer that scales each weight's rate it is the same soft threshold
    at the common rate.

    References
    ----------
    J. Duchi and Y. Singer, "Efficient Online and Batch Learning Using Forward Backward Splitting", JMLR 10 (2009).
    """

    alpha: float = 0.0001

    name = "l1"
    slots = ()
    limits = {"alpha": "[0, inf)"}

    def penalty_value(self, w):
        return self.alpha * abs(w)

    def with_penalty(self, g, w):
        return g

    def after_step(self, w, rate, travelled, memory):
        reach = rate * self.alpha
        return max(w - reach, 0.0) if w > 0 else min(w + reach, 0.0), memory


@register
class ElasticNet(NamedTuple):
    """α(ρ|w| + (1 − ρ)·½w²): the l2 part in the gradient, the l1 part by the proximal step.

    Attributes
    ----------
    alpha : float
    l1_ratio : float
        ρ, in [0, 1].
    """

    alpha: float = 0.0001
    l1_ratio: float = 0.15

    name = "elasticnet"
    slots = ()
    limits = {"alpha": "[0, inf)", "l1_ratio": "[0, 1]"}

    def penalty_value(self, w):
        return self.alpha * (self.l1_ratio * abs(w) + (1 - self.l1_ratio) * w * w / 2)

    def with_penalty(self, g, w):
        return g + self.alpha * (1 - self.l1_ratio) * w

    def after_step(self, w, rate, travelled, memory):
        reach = rate * self.alpha * self.l1_ratio
        return max(w - reach, 0.0) if w > 0 else min(w + reach, 0.0), memory


@register
class Truncated(NamedTuple):
    """The same penalty as ``elasticnet`` (ρ = 1: ``l1``), its l1 part by scikit-learn's cumulative truncation.

    Each weight keeps the l1 penalty that it has paid; after an update it pays what is missing of the total that a weight could
    have paid by now, as far as it can without crossing 0.

    Attributes
    ----------
    alpha : float
    l1_ratio : float
        ρ, in [0, 1].

    References
    ----------
    Y. Tsuruoka, J. Tsujii and S. Ananiadou, "Stochastic Gradient Descent Training for L1-regularized Log-linear Models with
    Cumulative Penalty", ACL 2009, figure 2.
    """

    alpha: float = 0.0001
    l1_ratio: float = 1.0

    name = "truncated"
    slots = ("paid",)
    limits = {"alpha": "[0, inf)", "l1_ratio": "[0, 1]"}

    def penalty_value(self, w):
        return self.alpha * (self.l1_ratio * abs(w) + (1 - self.l1_ratio) * w * w / 2)

    def with_penalty(self, g, w):
        return g + self.alpha * (1 - self.l1_ratio) * w

    def after_step(self, w, rate, travelled, memory):
        (paid,) = memory
        due = travelled * self.alpha * self.l1_ratio
        cut = w
        if w > 0:
            cut = max(w - (due + paid), 0.0)
        elif w < 0:
            cut = min(w + (due - paid), 0.0)
        after = type(w)(cut)  # what is lost by rounding in float32 is not paid
        return after, (paid + (after - w),)
