"""GDClassifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import SGDClassifier
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from gdbench.estimators import general, online
from gdbench.estimators.base import ADDED, LARGEST_SEED, Descends, LossName, sound
from gdbench.tasks.gate import contiguous, refuse_missing_labels


class GDClassifier(Descends, SGDClassifier):
    """Linear classification by gradient descent: :class:`sklearn.linear_model.SGDClassifier`, faster, with any optimizer.

    The parameters not listed here have scikit-learn's names, defaults and meaning. With ``optimizer="gd"``,
    ``batch_size=1`` and ``multi_class="ovr"`` the fitted coefficients are scikit-learn's for the same ``random_state``, to
    rounding.

    Parameters
    ----------
    loss : {"hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "squared_error", "huber", \
"epsilon_insensitive", "squared_epsilon_insensitive"}, default "hinge"
    penalty : {"l2", "l1", "elasticnet", None}, default "l2"
        What is added to the mean loss for large weights.
    alpha : float, default 0.0001
        The penalty's factor, and the strength of the schedule ``optimal``.
    l1_ratio : float, default 0.15
        The share of l1 in ``elasticnet``.
    fit_intercept : bool, default True
        Whether the model has an intercept, which is not penalised.
    max_iter : int, default 1000
        Epochs, at most.
    tol : float or None, default 0.001
        What an epoch has to improve on the best loss, or score, so far; None runs all epochs.
    shuffle : bool, default True
        Whether the rows are shuffled anew before each epoch.
    verbose : int, default 0
        Above 0, a line for each epoch is printed.
    epsilon : float, default 0.1
        The width of ``huber`` and of the insensitive losses.
    n_jobs : int, default None
        Threads that train the classes of one against the rest; the result does not depend on it.
    random_state : int, RandomState or None, default None
        Seed of the row order; None draws one.
    learning_rate : {"optimal", "constant", "invscaling", "adaptive", "pa1", "pa2"}, default "optimal"
        ``pa1`` and ``pa2`` with the default optimizer and batch size only. ``optimal`` is meant for plain descent: its first
        rates are too large for rules that scale the gradient themselves, such as Adam.
    eta0 : float, default 0.01
        The first learning rate of the schedules but ``optimal``.
    power_t : float, default 0.5
        The exponent of ``invscaling``.
    early_stopping : bool, default False
        Whether the score on rows that are set aside ends the fit, instead of the training loss.
    validation_fraction : float, default 0.1
        The share of rows set aside for that.
    n_iter_no_change : int, default 5
        Epochs in turn without an improvement by ``tol`` that end the fit.
    class_weight : dict, "balanced" or None, default None
        The weight of each class's rows; ``balanced`` weighs all classes alike.
    warm_start : bool, default False
        Whether ``fit`` starts from the weights of the fit before.
    average : bool or int, default False
        Whether ``coef_`` is the mean of the weights over all steps, or over those from a number of rows on.
    optimizer : str or tag, default "gd"
        The update rule: a name that ``gdbench list optimizers`` shows, or a tag such as ``gd.optimizers.Adam(beta2=0.99)``.
        Its state starts anew with ``fit`` and goes on with ``partial_fit``.
    batch_size : int, default 1
        Rows a step, whose mean gradient is taken.
    multi_class : {"ovr", "multinomial"}, default "ovr"
        For three classes or more: a model for each class against the rest, or one model of all classes by the softmax,
        which needs ``loss="log_loss"``. For two classes they are the same.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) for two classes, or (K, d)
    intercept_ : ndarray of shape (1,) or (K,)
    classes_ : ndarray of shape (K,)
    n_iter_ : int
        Epochs run; the most that any class ran.
    t_ : float
        Rows visited, plus 1.
    loss_curve_ : ndarray of shape (epochs,)
        The mean training loss of each epoch, each row's measured before the step that it takes part in; summed over the
        models of one against the rest, of which one that has ended counts with its last.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (d,)
        Where X has names.

    Notes
    -----
    Sums along a row are taken in another order than scikit-learn's. Where steps overshoot, as the first ones of ``optimal`` do
    with ``log_loss`` on long rows, each one multiplies that rounding, and two fits end at unlike weights that predict alike; so
    do two of scikit-learn's whose columns have changed places. An array of more than 8 MB that is mostly zeros is read without
    them, if there are many passes over it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gdbench.estimators import GDClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> softmax = {"loss": "log_loss", "multi_class": "multinomial"}
    >>> model = GDClassifier(**softmax, optimizer="adam", learning_rate="constant", random_state=0)
    >>> model.fit(X, y).predict_proba(X).shape
    (150, 3)
    """

    _parameter_constraints: ClassVar[dict] = {
        **SGDClassifier._parameter_constraints,
        **ADDED,
        "multi_class": [StrOptions({"ovr", "multinomial"})],
        "loss": [LossName(set(SGDClassifier.loss_functions), "sign")],
    }

    def __init__(
        self,
        loss: str = "hinge",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: bool | int = False,
        optimizer: Any = "gd",
        batch_size: int = 1,
        multi_class: str = "ovr",
    ):
        super().__init__(
            loss=loss,
            penalty=penalty,
            alpha=alpha,
            l1_ratio=l1_ratio,
            fit_intercept=fit_intercept,
            max_iter=max_iter,
            tol=tol,
            shuffle=shuffle,
            verbose=verbose,
            epsilon=epsilon,
            n_jobs=n_jobs,
            random_state=random_state,
            learning_rate=learning_rate,
            eta0=eta0,
            power_t=power_t,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            class_weight=class_weight,
            warm_start=warm_start,
            average=average,
        )
        self.optimizer = optimizer
        self.batch_size = batch_size
        self.multi_class = multi_class

    def _more_validate_params(self, for_partial_fit: bool = False) -> None:
        super()._more_validate_params(for_partial_fit=for_partial_fit)
        if self.multi_class == "multinomial" and self.loss != "log_loss":
            raise ValueError(f"multi_class='multinomial' needs loss='log_loss', not {self.loss!r}")

    def _fit(self, X, y, *args, **kwargs):
        refuse_missing(y)
        return super()._fit(X, y, *args, **kwargs)

    def _partial_fit(self, X, y, *args, **kwargs):
        refuse_missing(y)
        return super()._partial_fit(X, y, *args, **kwargs)

    def _is_multinomial(self) -> bool:
        """Whether the fitted model is a softmax."""
        return self.multi_class == "multinomial" and len(self.classes_) > 2

    def decision_function(self, X: Any) -> np.ndarray:
        """The margins of the rows, as scikit-learn's.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,) for two classes, or (n, K)
            Above 0 for the larger of two classes; of more classes the largest margin wins.
        """
        return super().decision_function(sound(X))

    @available_if(lambda self: self._check_proba())
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes; for ``log_loss`` and ``modified_huber``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n, K)
            In the order of ``classes_``: by the softmax for ``multi_class="multinomial"``, otherwise each class's own
            probability over their sum.
        """
        check_is_fitted(self)
        return softmax(self.decision_function(X), axis=1) if self._is_multinomial() else super().predict_proba(X)

    def _fit_binary(self, X, y, alpha, sample_weight, learning_rate, max_iter):
        """Replace scikit-learn's descent on two classes; called by fit and partial_fit once the input is checked."""
        X = self._ready(X)
        sample_weight = contiguous("sample_weight", sample_weight, X.dtype)
        random_state = check_random_state(self.random_state)
        # scikit-learn's data set draws first, then the split, then the descent.
        random_state.randint(1, LARGEST_SEED)
        target = self._target(y, 1, X.dtype)
        held_out = self._make_validation_split(self._labels(target), sample_mask=sample_weight > 0)
        seed = random_state.randint(LARGEST_SEED)
        if not self._is_online():
            weight = self._row_weights(y, sample_weight)
            options = dict(seed=seed, alpha=alpha, learning_rate=learning_rate, max_iter=max_iter)
            general.fit(self, X, y, target, weight, held_out, **options)
            return
        plan = online.Plan(self, X, alpha, learning_rate, max_iter, self._loss_tag(), held_out)
        rest, own = self._expanded_class_weight
        run = self._learn_class(plan, 1, target, own, rest, sample_weight, seed)
        self._note_losses(run.losses)
        self._count(run.n_iter, X.shape[0])
        weights = run.weights
        self.coef_, self.intercept_ = weights.coef.reshape(1, -1), np.atleast_1d(weights.intercept)
        if self.average > 0:
            self._average_intercept[0] = weights.mean_intercept
            if self.average <= self.t_ - 1:
                # scikit-learn forgets the intercept that the next partial_fit would go on from.
                self.coef_, self.intercept_ = self._average_coef.reshape(1, -1), self._average_intercept
            else:
                self._standard_intercept = self.intercept_

    def _fit_multiclass(self, X, y, alpha, learning_rate, sample_weight, max_iter):
        """Replace scikit-learn's descent on three classes or more."""
        X = self._ready(X)
        sample_weight = contiguous("sample_weight", sample_weight, X.dtype)
        held_out = self._make_validation_split(y, sample_mask=sample_weight > 0)
        random_state = check_random_state(self.random_state)
        if self.multi_class == "multinomial" or not self._is_online():
            seed = random_state.randint(LARGEST_SEED)
            codes = np.searchsorted(self.classes_, y).astype(X.dtype)
            weight = self._row_weights(y, sample_weight) if self.multi_class == "multinomial" else sample_weight
            options = dict(seed=seed, alpha=alpha, learning_rate=learning_rate, max_iter=max_iter)
            general.fit(self, X, y, codes, weight, held_out, **options)
            return
        seeds = random_state.randint(LARGEST_SEED, size=len(self.classes_))
        plan = online.Plan(self, X, alpha, learning_rate, max_iter, self._loss_tag(), held_out, len(seeds))
        runs = Parallel(n_jobs=self.n_jobs, verbose=self.verbose, require="sharedmem")(
            delayed(self._learn_rest)(plan, i, y, sample_weight, seed) for i, seed in enumerate(seeds)
        )
        self._note_losses(summed([run.losses for run in runs]))
        for i, run in enumerate(runs):
            if self.average > 0:
                self._average_intercept[i] = run.weights.mean_intercept
            # In place, as scikit-learn: with averaging on it is the mean's array from the second partial_fit on.
            self.intercept_[i] = run.weights.intercept
        self._count(max(run.n_iter for run in runs), X.shape[0])
        if self.average > 0:
            if self.average <= self.t_ - 1.0:
                self.coef_, self.intercept_ = self._average_coef, self._average_intercept
            else:
                self.coef_ = self._standard_coef
                self._standard_intercept = np.atleast_1d(self.intercept_)

    def _learn_rest(self, plan, i, y, sample_weight, seed):
        """Train class i against the rest, from the seed that scikit-learn drew for it."""
        random_state = check_random_state(seed)
        random_state.randint(1, LARGEST_SEED)
        own = random_state.randint(LARGEST_SEED)
        target = self._target(y, i, plan.X.dtype)
        return self._learn_class(plan, i, target, self._expanded_class_weight[i], 1.0, sample_weight, own)

    def _learn_class(self, plan, i, target, own_weight, rest_weight, sample_weight, seed):
        """Train one model of two classes in place: row i of the coefficients, or the only one."""
        row = 0 if len(self.classes_) == 2 else i
        averages = self.average > 0
        coef = self._standard_coef if averages else self.coef_
        weights = online.Weights(
            coef=coef.reshape(-1, plan.X.shape[1])[row],
            intercept=float((self._standard_intercept if averages else self.intercept_)[row]),
            mean_coef=self._average_coef.reshape(-1, plan.X.shape[1])[row] if averages else None,
            mean_intercept=float(self._average_intercept[row]) if averages else 0.0,
        )
        dtype = plan.X.dtype.type
        weight = np.where(target > 0, dtype(own_weight), dtype(rest_weight)) * sample_weight
        score = self._make_validation_score_cb(
            plan.held_out, plan.X, self._labels(target), sample_weight, classes=np.array([-1, 1], dtype=target.dtype)
        )
        return plan.descend(weights, target, weight, int(seed), score)

    def _target(self, y: np.ndarray, i: int, dtype: np.dtype) -> np.ndarray:
        """+1 for the rows of class i, −1 for the others."""
        return np.where(y == self.classes_[i], dtype.type(1), dtype.type(-1))

    def _labels(self, target: np.ndarray) -> np.ndarray:
        """The target as scikit-learn's validation sees it: 0 and 1 where its own logistic loss takes those."""
        from_zero = type(self._loss_function_).__name__ == "CyHalfBinomialLoss"
        return np.maximum(target, 0) if from_zero else target

    def _row_weights(self, y: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
        """The rows' weights times those of their classes."""
        of_class = np.asarray(self._expanded_class_weight, sample_weight.dtype)
        return of_class[np.searchsorted(self.classes_, y)] * sample_weight

    def _count(self, epochs: int, rows: int) -> None:
        self.n_iter_ = epochs
        self.t_ += epochs * rows


def summed(curves: list[np.ndarray]) -> np.ndarray:
    """The sum of the models' loss curves, each continued with its last value."""
    longest = max(map(len, curves))
    return np.sum([np.pad(curve, (0, longest - len(curve)), mode="edge") for curve in curves], axis=0)


def refuse_missing(y: Any) -> None:
    """Raise where labels are missing; what is no list of labels is scikit-learn's to refuse."""
    if y is not None and not sparse.issparse(y):
        refuse_missing_labels(np.asarray(y))
