"""A problem: data, a loss and a penalty, with the optimum that gaps are counted from."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels import losses
from gdbench.kernels.compile import storage
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Task
from gdbench.problems import catalog, data
from gdbench.problems.optimum import Optimum, solve
from gdbench.shown import Shown
from gdbench.tasks import predict
from gdbench.tasks.inputs import make_task
from gdbench.tasks.model import MLP
from gdbench.tasks.setting import UNSAID, penalty_of, settle
from gdbench.writing import whole

DEFAULT_LOSS = {"regression": "squared_error", "binary": "log_loss", "multiclass": "cross_entropy"}
DOMAINS = {"regression": set(losses.NUMBERS), "binary": {"sign", "class"}, "multiclass": {"class"}}


@dataclass(frozen=True, eq=False)
class Problem(Shown):
    """Data, a loss and a penalty; J(w) = (1/n) Σ loss(zᵢ, yᵢ) + α·penalty(w) over the training rows.

    Attributes
    ----------
    dataset : Dataset
        The rows, their targets and where they come from.
    loss, penalty : tags
        Of the objective.
    fit_intercept : bool
        Whether there is an intercept.
    """

    dataset: data.Dataset
    loss: Any
    penalty: Any
    fit_intercept: bool = True

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.dataset.name

    @property
    def X(self) -> Any:
        """Training rows, (n, d)."""
        return self.dataset.X

    @property
    def y(self) -> np.ndarray:
        """Training target, (n,)."""
        return self.dataset.y

    @property
    def X_test(self) -> Any:
        """Test rows, (m, d)."""
        return self.dataset.X_test

    @property
    def y_test(self) -> np.ndarray:
        """Test target, (m,)."""
        return self.dataset.y_test

    @property
    def alpha(self) -> float:
        """The penalty's factor."""
        return float(getattr(self.penalty, "alpha", 0.0))

    @cached_property
    def digest(self) -> str:
        """Digest (16 hexadecimal digits) of the data and the objective."""
        words = (self.dataset.checksum, repr(self.loss), repr(self.penalty), repr(self.fit_intercept))
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]

    def task(self, **solver: Any) -> Task:
        """The problem as kernels take it.

        Parameters
        ----------
        **solver
            Options of `fit` or `sweep`, which decide on its lanes.

        Returns
        -------
        Task
            Data, target, loss, penalty and model.
        """
        setting = settle(**self.objective_options, **solver)
        return make_task(self.X, self.y, setting)[0]

    @cached_property
    def optimum(self) -> Optimum:
        """The certified optimum, from the cache on disk where it is known.

        Raises
        ------
        GdbenchError
            No finite minimum, or a loss whose minimum gdbench cannot certify.
        """
        path = storage.cache_root() / "optima" / f"{self.digest}-{_solver_digest()}.npz"
        found = _read(path)
        if found is None:
            wide = self._in_float64()
            found = solve(wide.task(), wide.X)
            _write(path, found)
        return found

    def _in_float64(self) -> Problem:
        if self.X.dtype == np.float64:
            return self
        y = self.y.astype(np.float64) if self.y.dtype == np.float32 else self.y
        return Problem(replace(self.dataset, X=self.X.astype(np.float64), y=y), self.loss, self.penalty, self.fit_intercept)

    @property
    def metric_name(self) -> str:
        """What :meth:`metric` measures."""
        return "R²" if self.dataset.task == "regression" else "accuracy"

    @cached_property
    def _labels(self) -> np.ndarray:
        """The classes of the training rows in order, which of two are −1 and 1; none of a real target."""
        return np.unique(self.y) if self.loss.domain not in losses.NUMBERS else np.empty(0)

    @property
    def objective_options(self) -> dict[str, Any]:
        """The options of `fit` that make its objective the problem's."""
        return {"loss": self.loss, "penalty": self.penalty, "fit_intercept": self.fit_intercept}

    def metric(self, coef: np.ndarray, intercept: Any, split: str = "test", model: MLP | None = None) -> float:
        """R² of a regression, through the loss's link, or accuracy of a classification.

        Parameters
        ----------
        coef : ndarray of shape (d,) or (K, d)
            Weights.
        intercept : float, or ndarray of shape (K,)
            Their intercept.
        split : {"test", "train"}
            The rows that it is computed on.
        model : MLP, optional
            The network whose parameters `coef` holds.

        Returns
        -------
        float
            NaN without such rows, and for R² where the target is constant.
        """
        X, y = (self.X, self.y) if split == "train" else (self.X_test, self.y_test)
        if X.shape[0] == 0:
            return float("nan")
        with np.errstate(all="ignore"):
            z = predict.margins(X, coef, intercept, model)
            return predict.score(self.loss, predict.predictions(self.loss, z, self._labels), y)

    def __repr__(self) -> str:
        penalty = "" if self.alpha == 0 else f" + {self.alpha:g}·{name_of(self.penalty)}"
        read = f"; {self.dataset.reading}" if self.dataset.reading else ""
        return f"<Problem {self.name}: {name_of(self.loss)}{penalty}, {self.dataset.n} × {self.dataset.d}{read}>"


def load_problem(
    name: str,
    *,
    loss: Any = None,
    penalty: Any = None,
    alpha: float = UNSAID["alpha"],
    l1_ratio: float = UNSAID["l1_ratio"],
    fit_intercept: bool = True,
    **dataset: Any,
) -> Problem:
    """Load a problem with its optimum.

    Parameters
    ----------
    name : str
        A data set of ``gdbench list datasets``, or the path of a CSV, Parquet, NPZ or svmlight file.
    loss : str or tag, optional
        By default squared_error for a regression, log_loss for two classes, cross_entropy for more. The target of a loss on
        counts or positive amounts is left as it is.
    penalty : None, str or tag, default None
        A name that ``gdbench list penalties`` shows, or a tag.
    alpha, l1_ratio : float
        The penalty's factor, and the share of l1 in ``elasticnet``; a tag has its own.
    fit_intercept : bool, default True
        Whether the model has an intercept, which is not penalised.
    **dataset
        Passed to :func:`gdbench.problems.data.load`: dtype, preprocessing, target, and options of a generator.

    Returns
    -------
    Problem
        Its optimum is computed when it is asked for, and kept in the cache.

    Raises
    ------
    GdbenchError
        Unknown names, unreadable files, a loss that does not fit the target.

    Examples
    --------
    >>> import gdbench as gd
    >>> problem = gd.load_problem("diabetes")
    >>> problem.optimum.gradient_norm < 1e-10
    True
    """
    tag = None if loss is None else losses.registry.make(loss)
    # counts and amounts stay as they are: they are no classes, and their scale is their meaning
    as_is = tag is not None and tag.domain in ("count", "positive")
    if as_is and name not in catalog.names():
        dataset = {"task": "regression"} | dataset
    dataset_ = data.load(name, **({"scale_target": not as_is} | dataset))
    tag = losses.registry.make(DEFAULT_LOSS[dataset_.task]) if tag is None else tag
    if tag.domain not in DOMAINS[dataset_.task]:
        fitting = [c for c in losses.registry.names() if losses.registry[c].domain in DOMAINS[dataset_.task]]
        raise GdbenchError(
            f"loss {name_of(tag)} does not fit {name}, a {dataset_.task} data set; choose from: {', '.join(fitting)}"
        )
    return Problem(dataset_, tag, penalty_of(penalty, alpha, l1_ratio), fit_intercept)


def _solver_digest() -> str:
    """Digest of the code that finds optima, so that a change of it is not served an old answer."""
    return hashlib.sha256(Path(solve.__code__.co_filename).read_bytes() + storage.digest().encode()).hexdigest()[:8]


def _read(path: Path) -> Optimum | None:
    """The optimum stored at `path`; None if there is none, or none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Optimum(
                float(stored["value"]), stored["w"], float(stored["gradient_norm"]), str(stored["method"]), float(stored["bound"])
            )
    except Exception:  # a missing, truncated or foreign file: the optimum is computed again
        return None


def _write(path: Path, optimum: Optimum) -> None:
    """Store the optimum, whole or not at all; a cache that cannot be written is no error."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # an open file, since NumPy adds .npz to a name
        with whole(path) as name, name.open("wb") as file:
            np.savez(file, **{key: np.asarray(item) for key, item in vars(optimum).items()})  # type: ignore[arg-type]
