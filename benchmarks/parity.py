"""Agreement with scikit-learn: the largest difference of the weights after the same steps in the same order.

1e-16 is added, because asv compares by ratio and a perfect agreement is zero.
"""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import SGDClassifier, SGDRegressor

import gdbench as gd

from .common import CLASSIFICATION, ORDER, REGRESSION, Compiled, classes, named, or_skip, regression

#: A penalty acts beside the loss, whichever it is: one of each kind of target shows it.
PENALISED = ("squared_error", "log_loss")
EPOCHS, RATE, ALPHA = 5, 1e-3, 1e-2


class SameSteps(Compiled):
    timeout = 120
    version = "1"
    params = ((*REGRESSION, *CLASSIFICATION),)
    param_names = ("loss",)

    def setup(self, loss):
        self.pairs = [self.pair(loss, penalty) for penalty in ((None, "l2") if loss in PENALISED else (None,))]

    def pair(self, loss, penalty):
        """Both fits under one penalty, or none."""
        X, y = regression(500, 10)
        y = y if loss in REGRESSION else classes(y, 2)
        estimator = SGDRegressor if loss in REGRESSION else SGDClassifier
        theirs = estimator(
            loss=loss,
            penalty=penalty,
            alpha=ALPHA,
            max_iter=EPOCHS,
            tol=None,
            learning_rate="constant",
            eta0=RATE,
            random_state=0,
        ).fit(X, y)
        with or_skip():
            ours = gd.fit(
                X,
                y,
                loss=loss,
                penalty=penalty,
                alpha=ALPHA if penalty else 0.0,
                variant="stochastic",
                shuffle=ORDER,
                epochs=EPOCHS,
                learning_rate=RATE,
                seed=0,
            )
        return ours, theirs

    @named("largest difference from scikit-learn's weights, + 1e-16", unit="of the largest weight")
    def track_difference(self, loss):
        return max(difference(*pair) for pair in self.pairs) + 1e-16


def difference(ours, theirs) -> float:
    """The largest difference of a weight, as a share of the largest weight."""
    a, b = np.append(ours.coef, ours.intercept), np.append(theirs.coef_, theirs.intercept_)
    return float(np.abs(a - b).max() / np.abs(b).max())
