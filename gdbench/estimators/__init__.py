"""GDRegressor and GDClassifier: scikit-learn's SGD estimators on gdbench's kernels, with every optimizer.

They derive from :class:`sklearn.linear_model.SGDRegressor` and :class:`sklearn.linear_model.SGDClassifier`, which keep the
checks, the warm starts and the predictions; the descent itself is replaced.

``online``
    Plain descent a row at a time: scikit-learn's own computation, number by number.
``general``
    Every other optimizer, batch size and the softmax, through :mod:`gdbench.solve`.
"""

from gdbench.estimators.classifier import GDClassifier
from gdbench.estimators.regressor import GDRegressor

__all__ = ["GDClassifier", "GDRegressor"]
