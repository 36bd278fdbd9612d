"""Every other descent: any optimizer and batch size, and all classes in one pass over the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier

from gdbench.estimators.online import Log, overflow
from gdbench.kernels import online, optimizers, penalties, schedules
from gdbench.kernels.data import Dense
from gdbench.kernels.loops.base import Progress, started
from gdbench.kernels.losses.cross_entropy import CrossEntropy
from gdbench.kernels.losses.one_vs_rest import OneVsRest
from gdbench.kernels.models.linear import Linear, Linears
from gdbench.kernels.optimizers.averaged import Averaged
from gdbench.kernels.penalties import penalty_value
from gdbench.kernels.registry import in_dtype
from gdbench.kernels.task import Task, Weighted
from gdbench.solve.descent import Descent
from gdbench.tasks.setting import Setting, settle
from gdbench.tasks.sparse import as_csr


def fit(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    held_out: np.ndarray,
    *,
    seed: int,
    alpha: float,
    learning_rate: str,
    max_iter: int,
) -> None:
    """Descend and set the estimator's attributes.

    Parameters
    ----------
    estimator : GDRegressor or GDClassifier
    X : ndarray or CSR array of shape (n, d)
    y : ndarray of shape (n,)
        As the user gave it, for validation.
    target, weight : ndarray of shape (n,), X's type
        The target as the loss takes it, and the rows' weights.
    held_out : ndarray of shape (n,), bool
        Rows for validation.
    seed : int
    alpha, learning_rate, max_iter
        As scikit-learn hands them on.
    """
    score = validation(estimator, X[held_out], y[held_out], weight[held_out]) if estimator.early_stopping else None
    if score is not None:
        X, target, weight = X[~held_out], target[~held_out], weight[~held_out]
    models = len(estimator.classes_) if is_classifier(estimator) and len(estimator.classes_) > 2 else 1
    setting = setting_of(estimator, alpha, learning_rate, seed, max_iter)
    account = np.zeros(2)
    task = task_of(estimator, setting, X, target, weight, models, account)
    anew = estimator.t_ == 1.0
    descent = Descent(task, setting, beginning(estimator, task, setting, models) if anew else estimator._progress)
    curve = run(estimator, descent, task, account, max_iter, learning_rate == "adaptive", score)
    estimator._progress = descent.loop.progress(descent.state)
    estimator._note_losses(curve)
    w = descent.weights()[0]
    estimator.coef_ = w[:, :-1].copy() if is_classifier(estimator) else w[0, :-1].copy()
    estimator.intercept_ = w[:, -1].copy()
    estimator.n_iter_ = len(curve)
    estimator.t_ += len(curve) * len(y)


def beginning(estimator: Any, task: Task, setting: Setting, models: int) -> Progress:
    """Where a new fit begins: at the estimator's weights."""
    w = np.column_stack([estimator.coef_.reshape(models, -1), estimator.intercept_])
    return started(np.ascontiguousarray(w, task.target.dtype), setting.rule(task.target.dtype), task.penalty)


def setting_of(estimator: Any, alpha: float, learning_rate: str, seed: int, max_iter: int) -> Setting:
    """The solver that the estimator's parameters mean."""
    schedule = {
        "optimal": schedules.Optimal(1.0, float(alpha)),
        "invscaling": schedules.InvScaling(float(estimator.eta0), float(estimator.power_t)),
    }.get(learning_rate, schedules.Constant(float(estimator.eta0)))
    optimizer = optimizers.registry.make(estimator.optimizer)
    if estimator.average:
        # `average` counts rows, the rule counts steps.
        optimizer = Averaged(optimizer, max(1, math.ceil(estimator.average / estimator.batch_size)))
    return settle(
        loss=estimator._loss_tag(),
        penalty=penalty_of(estimator, float(alpha)),
        optimizer=optimizer,
        variant="stochastic" if estimator.batch_size == 1 else "mini-batch",
        batch_size=int(estimator.batch_size),
        learning_rate=schedule,
        epochs=max_iter,
        shuffle="epoch" if estimator.shuffle else "none",
        fit_intercept=bool(estimator.fit_intercept),
        seed=int(seed),
    )


def penalty_of(estimator: Any, alpha: float) -> Any:
    """The penalty's tag; the l1 part by scikit-learn's truncation."""
    kind = str(estimator.penalty).lower()
    if kind == "none":
        return penalties.NoPenalty()
    if kind == "l2":
        return penalties.L2(alpha)
    return penalties.Truncated(alpha, 1.0 if kind == "l1" else float(estimator.l1_ratio))


def task_of(estimator: Any, setting: Setting, X: Any, target: Any, weight: Any, models: int, account: np.ndarray) -> Task:
    """The task, its loss watched."""
    fit_intercept = bool(estimator.fit_intercept)
    model, loss = Linear(fit_intercept), setting.loss
    if models > 1:
        model = Linears(fit_intercept, models)
        loss = CrossEntropy() if estimator._is_multinomial() else OneVsRest(loss)
        if not estimator._is_multinomial() and estimator.class_weight is not None:
            loss = online.ClassWeighted(loss, np.asarray(estimator._expanded_class_weight, X.dtype))
    data = as_csr(X) if sparse.issparse(X) else Dense(np.asarray(X))
    loss, penalty = in_dtype(loss, X.dtype), in_dtype(setting.penalty, X.dtype)
    return Task(model, data, target, Weighted(weight), online.Watched(loss, account), penalty)


def run(
    estimator: Any,
    descent: Descent,
    task: Task,
    account: np.ndarray,
    max_iter: int,
    adaptive: bool,
    score: Callable[[np.ndarray], float] | None,
) -> np.ndarray:
    """Descend epoch by epoch until the objective or the score has settled; each epoch's mean loss."""
    tol = -math.inf if estimator.tol is None else float(estimator.tol)
    habits = online.Habits(True, 1.0, 0, online.LossAlone(), tol, int(estimator.n_iter_no_change), adaptive, True)
    scalars = np.zeros(online.SCALARS)
    loop, state = descent.loop, descent.state
    scalars[online.BEST], scalars[online.ETA], scalars[online.SCALE] = math.inf, state.eta[0], 1.0
    log = Log(estimator.verbose, scalars)
    curve = np.empty((2, max_iter))
    with np.errstate(all="ignore"):
        for epoch in range(max_iter):
            log.begin(epoch)
            account[:] = 0
            loop.change_rates(state, np.full_like(state.eta, scalars[online.ETA]))
            descent.advance((epoch + 1) * descent.steps_per_epoch)
            w = loop.iterate(state).w
            if not np.isfinite(w).all():
                raise overflow(epoch + 1)
            curve[0, epoch] = account[0] / account[1]
            curve[1, epoch] = curve[0, epoch] + penalty_value(task.penalty, w[:, :-1]).sum()
            value = None if score is None else score(descent.weights()[0])
            if online.has_settled(scalars, curve[1, epoch] if value is None else -value, habits):
                scalars[online.STATUS] = online.CONVERGED
            scalars[online.INTERCEPT], scalars[online.STEPS] = w[0, -1], descent.step
            log.end(epoch + 1, curve[:, epoch:], value, w[:, :-1])
            if scalars[online.STATUS] == online.CONVERGED:
                return curve[0, : epoch + 1].copy()
    return curve[0].copy()


def validation(estimator: Any, X: Any, y: np.ndarray, weight: np.ndarray) -> Callable[[np.ndarray], float]:
    """The score on held-out rows, as a function of the weights."""
    probe = clone(estimator)
    probe.t_ = 1.0
    if is_classifier(estimator):
        probe.classes_ = estimator.classes_

    def score(w: np.ndarray) -> float:
        probe.coef_ = w[:, :-1] if is_classifier(estimator) else w[0, :-1]
        probe.intercept_ = w[:, -1]
        return probe.score(X, y, weight)

    return score
