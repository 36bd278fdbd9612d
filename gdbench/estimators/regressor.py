"""GDRegressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.linear_model import SGDRegressor
from sklearn.utils import check_random_state

from gdbench.estimators import general, online
from gdbench.estimators.base import ADDED, LARGEST_SEED, Descends, LossName, sound
from gdbench.kernels import losses
from gdbench.tasks.gate import contiguous, refuse_out_of_domain
from gdbench.tasks.predict import inverse_link


class GDRegressor(Descends, SGDRegressor):
    """Linear regression by gradient descent: :class:`sklearn.linear_model.SGDRegressor`, faster, with any optimizer.

    The parameters not listed here have scikit-learn's names, defaults and meaning. With ``optimizer="gd"`` and
    ``batch_size=1`` the fitted coefficients are scikit-learn's for the same ``random_state``, to rounding.

    Parameters
    ----------
    loss : {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive", ...}, default "squared_error"
        Or any other loss of ``gdbench list losses`` on numbers, one that you registered included.
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
    random_state : int, RandomState or None, default None
        Seed of the row order; None draws one.
    learning_rate : {"invscaling", "constant", "optimal", "adaptive", "pa1", "pa2"}, default "invscaling"
        ``pa1`` and ``pa2`` with the default optimizer and batch size only.
    eta0 : float, default 0.01
        The first learning rate of the schedules but ``optimal``.
    power_t : float, default 0.25
        The exponent of ``invscaling``.
    early_stopping : bool, default False
        Whether the score on rows that are set aside ends the fit, instead of the training loss.
    validation_fraction : float, default 0.1
        The share of rows set aside for that.
    n_iter_no_change : int, default 5
        Epochs in turn without an improvement by ``tol`` that end the fit.
    warm_start : bool, default False
        Whether ``fit`` starts from the weights of the fit before.
    average : bool or int, default False
        Whether ``coef_`` is the mean of the weights over all steps, or over those from a number of rows on.
    optimizer : str or tag, default "gd"
        The update rule: a name that ``gdbench list optimizers`` shows, or a tag such as ``gd.optimizers.Adam(beta2=0.99)``.
        Its state starts anew with ``fit`` and goes on with ``partial_fit``.
    batch_size : int, default 1
        Rows a step, whose mean gradient is taken.

    Attributes
    ----------
    coef_ : ndarray of shape (d,)
    intercept_ : ndarray of shape (1,)
    n_iter_ : int
        Epochs run.
    t_ : float
        Rows visited, plus 1.
    loss_curve_ : ndarray of shape (epochs,)
        The mean training loss of each epoch, each row's measured before the step that it takes part in.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (d,)
        Where X has names.

    Notes
    -----
    Sums along a row are taken in another order than scikit-learn's. Where steps overshoot, each one multiplies that rounding, and
    two fits end at unlike weights that predict alike; so do two of scikit-learn's whose columns have changed places. An array of
    more than 8 MB that is mostly zeros is read without them, if there are many passes over it.

    Examples
    --------
    >>> import numpy as np
    >>> from gdbench.estimators import GDRegressor
    >>> X = np.array([[-1.0], [0.0], [1.0]])
    >>> model = GDRegressor(optimizer="adam", learning_rate="constant", eta0=0.1, alpha=0.0, random_state=0)
    >>> model.fit(X, [-2.0, 0.0, 2.0]).predict([[2.0]]).round(1)
    array([4.])
    """

    _parameter_constraints: ClassVar[dict] = {
        **SGDRegressor._parameter_constraints,
        **ADDED,
        "loss": [LossName(set(SGDRegressor.loss_functions), *losses.NUMBERS)],
    }

    def __init__(
        self,
        loss: str = "squared_error",
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
        random_state: Any = None,
        learning_rate: str = "invscaling",
        eta0: float = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: bool | int = False,
        optimizer: Any = "gd",
        batch_size: int = 1,
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
            random_state=random_state,
            learning_rate=learning_rate,
            eta0=eta0,
            power_t=power_t,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            average=average,
        )
        self.optimizer = optimizer
        self.batch_size = batch_size

    def predict(self, X):
        """The predicted means of the rows: their margins through the inverse of the loss's link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Means.
        """
        return inverse_link(self._loss_tag())(super().predict(X))

    def _decision_function(self, X):
        return super()._decision_function(sound(X))

    def _fit_regressor(self, X, y, alpha, loss, learning_rate, sample_weight, max_iter):
        """Replace scikit-learn's descent; called by fit and partial_fit once the input is checked."""
        X = self._ready(X)
        refuse_out_of_domain(self._loss_tag(), y)
        y, sample_weight = contiguous("y", y, X.dtype), contiguous("sample_weight", sample_weight, X.dtype)
        if not hasattr(self, "t_"):
            self.t_ = 1.0
        held_out = self._make_validation_split(y, sample_mask=sample_weight > 0)
        random_state = check_random_state(self.random_state)
        seed = random_state.randint(0, LARGEST_SEED)
        # scikit-learn's data set draws a seed too, which a RandomState passed in remembers.
        random_state.randint(1, LARGEST_SEED)
        if self._is_online():
            plan = online.Plan(self, X, alpha, learning_rate, max_iter, self._loss_tag(), held_out)
            self._descend(plan, y, sample_weight, seed)
        else:
            options = dict(seed=seed, alpha=alpha, learning_rate=learning_rate, max_iter=max_iter)
            general.fit(self, X, y, y, sample_weight, held_out, **options)

    def _descend(self, plan, y, sample_weight, seed):
        """Plain descent a row at a time, from the attributes and into them, as scikit-learn keeps them."""
        averages = self.average > 0
        weights = online.Weights(
            coef=self._standard_coef if averages else self.coef_,
            intercept=float((self._standard_intercept if averages else self.intercept_)[0]),
            mean_coef=self._average_coef if averages else None,
            mean_intercept=float(self._average_intercept[0]) if averages else 0.0,
        )
        score = self._make_validation_score_cb(plan.held_out, plan.X, y, sample_weight)
        run = plan.descend(weights, y, sample_weight, seed, score)
        self._note_losses(run.losses)
        self.n_iter_ = run.n_iter
        self.t_ += run.n_iter * plan.n
        self.coef_ = weights.coef
        self.intercept_ = np.atleast_1d(weights.intercept)
        if averages:
            self._standard_coef, self._standard_intercept = self.coef_, self.intercept_
            self._average_intercept = np.atleast_1d(weights.mean_intercept)
            if self.average <= self.t_ - 1.0:
                self.coef_, self.intercept_ = self._average_coef, self._average_intercept
