"""SAG, SAGA and SVRG: gradient estimates with a memory, in front of any update rule."""

from typing import Any, NamedTuple

from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.optimizers.wrapped import wrapper


@wrapper
class SAG(NamedTuple):
    """The mean of the last known gradient of every row, of which each step renews one; then a step of `rule` on it.

    Attributes
    ----------
    rule : tag

    Notes
    -----
    The memory starts at zero and its mean is over all n rows from the first step on (scikit-learn's is over the rows seen
    so far). It takes n·K numbers. For the stochastic variant and linear models.

    References
    ----------
    M. Schmidt, N. Le Roux and F. Bach, "Minimizing finite sums with the stochastic average gradient", Math. Program. 162
    (2017), 83-112, algorithm 1.
    """

    rule: Any = GD()

    estimator = "sag"
    role = "estimate the gradient"


@wrapper
class SAGA(NamedTuple):
    """The row's gradient, minus its last known one, plus the mean of all last known ones; then a step of `rule` on that.

    Unlike SAG's, the estimate is unbiased.

    Attributes
    ----------
    rule : tag

    References
    ----------
    A. Defazio, F. Bach and S. Lacoste-Julien, "SAGA: A Fast Incremental Gradient Method With Support for Non-Strongly Convex
    Composite Objectives", NIPS 2014.
    """

    rule: Any = GD()

    estimator = "saga"
    role = "estimate the gradient"


@wrapper
class SVRG(NamedTuple):
    """The row's gradient, minus its gradient at a snapshot, plus the full gradient there; then a step of `rule` on that.

    The snapshot is taken at the start of every epoch and costs another n samples.

    Attributes
    ----------
    rule : tag

    References
    ----------
    R. Johnson and T. Zhang, "Accelerating Stochastic Gradient Descent using Predictive Variance Reduction", NIPS 2013, option I.
    """

    rule: Any = GD()

    estimator = "svrg"
    role = "estimate the gradient"
