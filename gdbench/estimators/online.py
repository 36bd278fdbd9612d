"""Plain descent a row at a time, in scikit-learn's order and arithmetic: one output after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model._base import SPARSE_INTERCEPT_DECAY

from gdbench.kernels import compressed, online, online_rows, order, rate_factors, schedules, shapes
from gdbench.kernels.registers import starts_of
from gdbench.kernels.task import Unweighted, Weighted

#: Steps handed to the kernel in one call, unless an epoch has more.
STRETCH = 65536

#: An array of at least so many bytes, of whose values at most such a part is not zero, is read without its zeros if it is
#: read so often. A stored value takes three to four times as long as one of a row that comes from memory, and in the caches
#: the zeros cost little; leaving them out takes as long as some 10 passes save.
MANY_BYTES, FEW_VALUES, MANY_PASSES = 8 << 20, 0.2, 20


@dataclass
class Weights:
    """One output's weights; the arrays are changed in place.

    Attributes
    ----------
    coef : ndarray of shape (d,)
    mean_coef : ndarray of shape (d,), or None
        The mean over the steps, if one is asked for.
    intercept, mean_intercept : float
    """

    coef: np.ndarray
    intercept: float
    mean_coef: np.ndarray | None
    mean_intercept: float


@dataclass
class Run:
    """How a descent went: the epochs run, each one's mean loss, and the weights' intercepts."""

    weights: Weights
    n_iter: int
    losses: np.ndarray


def rows_of(X: Any, penalty: Any, loss: Any, passes: int) -> Any:
    """The rows as the kernel reads them, in so many passes at most."""
    if sparse.issparse(X):
        return online_rows.SparseRows(X.data, X.indices.view(np.uint32), X.indptr, int(X.shape[1]))
    if passes >= MANY_PASSES and not online.truncates(penalty) and is_mostly_zeros(X):
        return without_zeros(np.asarray(X))
    if X.dtype != np.float64 or online.truncates(penalty):
        return online_rows.DenseRows(np.asarray(X))
    flat, starts = getattr(loss, "flat", False), starts_of(X.shape[1], 8)
    if starts is not None:
        return (online_rows.ShortRows if flat else online_rows.ShortChainedRows)(np.asarray(X), starts)
    return (online_rows.PairedRows if flat else online_rows.ChainedRows)(np.asarray(X))


def is_mostly_zeros(X: np.ndarray) -> bool:
    """Whether an array is long, and so few of its values are not zero, that it is read sooner without the zeros.

    Judged by some 256 of its rows. A memory map is read as it is, for it may be larger than the memory.
    """
    if X.nbytes < MANY_BYTES or is_mapped(X):
        return False
    some = X[:: max(1, len(X) // 256)]
    return bool(np.count_nonzero(some) <= FEW_VALUES * some.size)


def is_mapped(X: Any) -> bool:
    """Whether an array's memory is a file's; scikit-learn's checks make a plain view of a map."""
    while isinstance(X, np.ndarray) and not isinstance(X, np.memmap):
        X = X.base
    return isinstance(X, np.memmap)


def without_zeros(X: np.ndarray) -> Any:
    """The rows of an array without their zeros."""
    indptr = np.empty(len(X) + 1, np.int64)
    compressed.count.cached(X, indptr)
    values, indices = np.empty(indptr[-1] + 1, X.dtype), np.empty(indptr[-1] + 1, np.uint32)
    compressed.compress.cached(X, indices, values)
    return online_rows.CompressedRows(values, indices, indptr, X.shape[1])


def penalty_of(estimator: Any, alpha: float) -> Any:
    """The penalty's tag."""
    kind = str(estimator.penalty).lower()
    if kind in ("l1", "elasticnet"):
        return online.Net(float(alpha), 1.0 if kind == "l1" else float(estimator.l1_ratio))
    return online.Smooth(float(alpha)) if kind == "l2" else online.Free()


def aim_of(estimator: Any, learning_rate: str) -> Any:
    """How a row's loss becomes a step."""
    if learning_rate in ("pa1", "pa2"):
        return online.PassiveAggressive(float(estimator.eta0), learning_rate == "pa2")
    return online.Gradient()


def rates_of(estimator: Any, learning_rate: str, alpha: float, loss: Any) -> tuple[rate_factors.Rates, float]:
    """The learning rates, and the first rate, which they multiply."""
    kind, first = rate_factors.UNCHANGING, float(estimator.eta0)
    strength = offset = 1.0
    if learning_rate == "optimal":
        kind, first = rate_factors.INVERSES, 1.0
        _, strength, offset = schedules.Optimal(1.0, float(alpha)).bind(loss, None)
    elif learning_rate == "invscaling":
        kind = rate_factors.POWERS
    return rate_factors.Rates(kind, strength, offset, float(estimator.power_t), np.empty(rate_factors.BLOCK)), first


@dataclass
class Plan:
    """What the descents of all outputs of one fit share.

    Attributes
    ----------
    estimator : GDRegressor or GDClassifier
    X : ndarray or sparse array
    alpha : float
    learning_rate : str
    max_iter : int
    loss : tag of gdbench.kernels.losses
    held_out : ndarray of shape (n,), bool
        The rows for validation.
    outputs : int
        How many outputs descend, each over all rows.
    """

    estimator: Any
    X: Any
    alpha: float
    learning_rate: str
    max_iter: int
    loss: Any
    held_out: np.ndarray
    outputs: int = 1

    def __post_init__(self) -> None:
        self.penalty = penalty_of(self.estimator, self.alpha)
        rows = rows_of(self.X, self.penalty, self.loss, self.outputs * self.max_iter)
        self.rows = shapes.planned(rows, "sklearn" if self.estimator.shuffle else "none")
        self.aim = aim_of(self.estimator, self.learning_rate)
        self.n = self.X.shape[0]
        self.steps = self.n - int(self.held_out.sum())

    def habits(self) -> online.Habits:
        """How the steps are taken, and when they end."""
        estimator = self.estimator
        asked = estimator.verbose or (estimator.tol is not None and not estimator.early_stopping)
        counted = asked and self.learning_rate not in ("pa1", "pa2")
        return online.Habits(
            fit_intercept=bool(estimator.fit_intercept),
            decay=SPARSE_INTERCEPT_DECAY if sparse.issparse(self.X) else 1.0,
            average_from=int(estimator.average),
            objective=online.WithPenalty() if counted else online.LossAlone(),
            tol=-math.inf if estimator.tol is None else float(estimator.tol),
            patience=int(estimator.n_iter_no_change),
            adaptive=self.learning_rate == "adaptive",
            watches=not estimator.early_stopping,
        )

    def descend(self, weights: Weights, target: np.ndarray, weight: np.ndarray, seed: int, score: Callable | None = None) -> Run:
        """Descend from `weights`, in place, until the objective (or the score) has settled or `max_iter` is reached."""
        estimator, habits = self.estimator, self.habits()
        held_out = self.held_out if estimator.early_stopping else None
        weighting = Unweighted() if (weight == 1.0).all() else Weighted(weight)
        lesson = online.Lesson(self.rows, target, weighting, held_out, self.steps, self.loss, self.penalty, self.aim)
        rates, first_rate = rates_of(estimator, self.learning_rate, self.alpha, self.loss)
        scalars = start(weights, float(estimator.t_), first_rate)
        paid = np.zeros(weights.coef.size if online.truncates(self.penalty) else 0, weights.coef.dtype)
        mean = online.Unaveraged() if weights.mean_coef is None else online.Averaged(weights.mean_coef)
        changed = online.Weights(weights.coef, mean, paid, scalars)
        shuffle = order.Sklearn(seed).for_rows(self.n) if estimator.shuffle else order.Sequential(seed)
        index = np.concatenate([np.arange(self.n, dtype=np.uint32), np.zeros(online.BEYOND, np.uint32)])
        log = Log(estimator.verbose, scalars)
        losses: list[np.ndarray] = []
        descend: Callable | None = None
        done = 0
        while done < self.max_iter and scalars[online.STATUS] == online.RUNNING:
            epochs = min(self.max_iter - done, max(1, STRETCH // self.n))
            if score is not None or estimator.verbose:
                epochs = 1
                log.begin(done)
            curve = np.empty((2, epochs))
            given = (lesson, habits, changed, shuffle, index, done, rates, curve)
            descend = descend or online.descend_epochs.bound(*given)
            ran = descend(*given)
            losses.append(curve[0, :ran])
            done += ran
            if scalars[online.STATUS] == online.OVERFLOW:
                raise overflow(done)
            value = None
            if score is not None:
                # As scikit-learn: v without its scale, which R² and accuracy see the difference of.
                value = score(weights.coef, scalars[online.INTERCEPT])
                if online.has_settled(scalars, -value, habits):
                    scalars[online.STATUS] = online.CONVERGED
            log.end(done, curve, value, weights.coef)
        online.finish.cached(changed)
        weights.intercept, weights.mean_intercept = scalars[online.INTERCEPT], scalars[online.MEAN_INTERCEPT]
        return Run(weights, done, np.concatenate(losses))


def start(weights: Weights, t: float, rate: float) -> np.ndarray:
    """The kernel's scalars before the first step."""
    scalars = np.zeros(online.SCALARS)
    scalars[online.INTERCEPT], scalars[online.MEAN_INTERCEPT] = weights.intercept, weights.mean_intercept
    scalars[online.SCALE] = scalars[online.LEAD] = 1.0
    scalars[online.STEPS], scalars[online.ETA], scalars[online.BEST] = t, rate, math.inf
    # Once in float64, as the sums of the steps are.
    scalars[online.SQUARES] = np.dot(weights.coef, weights.coef)
    scalars[online.ABSOLUTES] = np.abs(weights.coef).sum()
    return scalars


def overflow(epoch: int) -> ValueError:
    """scikit-learn's error for weights that are no longer finite."""
    return ValueError(
        f"Floating-point under-/overflow occurred at epoch #{epoch}. Scaling input data with StandardScaler or "
        "MinMaxScaler might help."
    )


class Log:
    """What ``verbose`` prints, in scikit-learn's form."""

    def __init__(self, verbose: int, scalars: np.ndarray):
        self.verbose, self.scalars = verbose, scalars
        self.started, self.first = perf_counter(), scalars[online.STEPS]

    def begin(self, epoch: int) -> None:
        """Announce an epoch, counted from 0."""
        if self.verbose:
            print(f"-- Epoch {epoch + 1}")

    def end(self, epoch: int, curve: np.ndarray, score: float | None, coef: np.ndarray) -> None:
        """Say how it went, and whether it was the last; `coef` are the weights without the scale that is put off."""
        if not self.verbose:
            return
        scalars = self.scalars
        line = (
            f"Norm: {scalars[online.SCALE] * np.linalg.norm(coef):.2f}, NNZs: {np.count_nonzero(coef)}, "
            f"Bias: {scalars[online.INTERCEPT]:.6f}, T: {scalars[online.STEPS] - self.first:.0f}, "
            f"Avg. loss: {curve[0, 0]:f}, Objective: {curve[1, 0]:f}"
        )
        print(line if score is None else f"{line}, Validation score: {score:f}")
        seconds = perf_counter() - self.started
        print(f"Total training time: {seconds:.2f} seconds.")
        if scalars[online.STATUS] == online.CONVERGED:
            print(f"Convergence after {epoch} epochs took {seconds:.2f} seconds")
