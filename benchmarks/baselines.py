"""Time beside scikit-learn's SGD estimators: fits in turn within one benchmark, and the ratio of the quickest of each."""

from __future__ import annotations

from time import perf_counter

from sklearn.linear_model import SGDClassifier, SGDRegressor

import gdbench as gd

from .common import ORDER, Compiled, classes, named, regression, sparse, warmed

SHAPES = {"20 columns": (50_000, 20), "100 columns": (20_000, 100), "CSR": None}
EPOCHS, PAIRS, RATE = 5, 5, 1e-4


class BesideSklearn(Compiled):
    timeout = 120
    version = "1"
    params = (("squared_error", "log_loss"), tuple(SHAPES))
    param_names = ("loss", "data")

    def setup(self, loss, data):
        self.ours = {"variant": "stochastic", "shuffle": ORDER, "loss": loss}
        warmed(storage="CSR" if data == "CSR" else "dense", **self.ours)
        self.X, self.y = sparse() if data == "CSR" else regression(*SHAPES[data])
        estimator = SGDRegressor if loss == "squared_error" else SGDClassifier
        if loss == "log_loss":
            self.y = classes(self.y, 2)
        self.theirs = estimator(
            loss=loss, penalty=None, max_iter=EPOCHS, tol=None, learning_rate="constant", eta0=RATE, random_state=0
        )

    def fit_ours(self):
        gd.fit(self.X, self.y, **self.ours, epochs=EPOCHS, learning_rate=RATE, record=2)

    def fit_theirs(self):
        self.theirs.fit(self.X, self.y)

    @named("time of a fit ÷ time of scikit-learn's", unit="ratio", version="2")
    def track_ratio(self, loss, data):
        pairs = [(seconds(self.fit_ours), seconds(self.fit_theirs)) for _ in range(PAIRS)]
        return min(ours for ours, _ in pairs) / min(theirs for _, theirs in pairs)


def seconds(call) -> float:
    """How long a call takes."""
    begin = perf_counter()
    call()
    return perf_counter() - begin
