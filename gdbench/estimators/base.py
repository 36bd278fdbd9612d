"""What the two estimators share: the added parameters and what they mean."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions

from gdbench.errors import GdbenchError
from gdbench.kernels import losses, optimizers
from gdbench.kernels.optimizers.gd import GD
from gdbench.tasks.gate import FLOATS, as_floats, check_shape, exactly
from gdbench.tasks.memory import refuse_too_large, within_memory
from gdbench.tasks.sparse import as_sound

#: scikit-learn draws its seeds below this.
LARGEST_SEED = np.iinfo(np.int32).max

#: The constraints of the parameters that both estimators add.
ADDED: dict[str, list] = {"optimizer": [str, tuple], "batch_size": [Interval(Integral, 1, None, closed="left")]}

WITH_EPSILON = ("huber", "epsilon_insensitive", "squared_epsilon_insensitive")


class LossName(StrOptions):
    """The constraint on ``loss``: scikit-learn's names, and whatever is registered for the estimator's kind of target.

    Parameters
    ----------
    names : set of str
        scikit-learn's.
    domains : tuple of str
    """

    def __init__(self, names: set[str], *domains: str):
        super().__init__(names)
        self.domains = domains

    def is_satisfied_by(self, val: Any) -> bool:
        """Whether a loss of that name can be fitted."""
        known = isinstance(val, str) and val in losses.registry
        return super().is_satisfied_by(val) or (known and losses.registry[val].domain in self.domains)  # type: ignore[attr-defined]

    def __str__(self) -> str:
        found = {name for name in losses.registry.names() if self.is_satisfied_by(name)}
        domains = " or ".join(map(repr, self.domains))
        return f"a str among {sorted(self.options | found)}, or the name of a registered loss with domain = {domains}"


class Descends:
    """The part of an estimator that knows about descent; mixed in before scikit-learn's class."""

    def _more_validate_params(self, for_partial_fit: bool = False) -> None:
        super()._more_validate_params(for_partial_fit=for_partial_fit)  # type: ignore[misc]
        if self._is_online():
            return
        optimizers.registry.make(self.optimizer)
        if self.learning_rate in ("pa1", "pa2"):
            raise ValueError(f"learning_rate={self.learning_rate!r} needs optimizer='gd' and batch_size=1")

    def _is_online(self) -> bool:
        """Whether the fit is scikit-learn's own computation."""
        plain = self.optimizer == "gd" or isinstance(self.optimizer, GD)
        return plain and self.batch_size == 1

    def _loss_tag(self) -> Any:
        """The loss, as the kernels know it."""
        return losses.registry.make(self.loss, **({"epsilon": float(self.epsilon)} if self.loss in WITH_EPSILON else {}))

    def _get_loss_function(self, loss: str) -> Any:
        """scikit-learn's own object for the loss, which it keeps; gdbench's tag for one that it does not know."""
        return super()._get_loss_function(loss) if loss in self.loss_functions else self._loss_tag()  # type: ignore[misc,attr-defined]

    def _partial_fit(self, X: Any, *args: Any, **kwargs: Any) -> Any:
        """Check the rows before scikit-learn, whose conversions follow the places of sparse ones wherever they lead."""
        with within_memory("this fit"):
            return super()._partial_fit(sound(X), *args, **kwargs)  # type: ignore[misc]

    def _allocate_parameter_mem(self, n_classes: int, n_features: int, *args: Any, **kwargs: Any) -> None:
        outputs = n_classes if n_classes > 2 else 1
        copies = 3 if self.average else 1
        if not self._is_online():
            copies += 3 + len(getattr(optimizers.registry.make(self.optimizer), "slots", ()))
        what = f"the weights of {outputs:,} outputs for {n_features:,} columns"
        refuse_too_large(what, 8 * outputs * (n_features + 1) * copies)
        super()._allocate_parameter_mem(n_classes, n_features, *args, **kwargs)  # type: ignore[misc]

    def _ready(self, X: Any) -> Any:
        """See to it that the weights fit X and can be changed in place; X in their type, which the first partial_fit has set.

        They are attributes that a user can set, and a process of joblib receives large ones as read-only memory maps.
        """
        if sparse.issparse(self.coef_):
            raise ValueError("coef_ is sparse: call densify() before fitting further")
        dtype = np.asarray(self.coef_).dtype.newbyteorder("=")
        dtype = dtype if dtype in FLOATS else X.dtype
        outputs = len(getattr(self, "classes_", ()))
        outputs = outputs if outputs > 2 else 1
        for name in ("coef_", "intercept_", "_standard_coef", "_standard_intercept", "_average_coef", "_average_intercept"):
            array = getattr(self, name, None)
            if array is None:
                continue
            shape, length = np.shape(array), X.shape[1] if "coef" in name else outputs
            if shape != (length,) and not ("coef" in name and shape == (outputs, length)):
                raise GdbenchError(f"{name} has shape {shape}, which does not fit {outputs} outputs for {X.shape[1]} columns")
            ready = exactly(name, array, shape, dtype)
            if ready is not array:
                setattr(self, name, ready)
        return X if X.dtype == dtype else X.astype(dtype)

    def _note_losses(self, curve: np.ndarray) -> None:
        """Keep the loss curve: anew for a fit, continued for a partial_fit."""
        anew = self.t_ == 1.0 or not hasattr(self, "loss_curve_")
        self.loss_curve_ = curve if anew else np.append(self.loss_curve_, curve)


def sound(X: Any) -> Any:
    """X with its places and its size checked, for scikit-learn, which checks the rest and says it in its own words."""
    if sparse.issparse(X):
        return as_sound(X)
    if type(X) is not np.ndarray or X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "fiub":
        return X
    check_shape(X.shape)
    return as_floats("X", X)
