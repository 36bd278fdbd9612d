"""Predictions: from margins, through the loss's link, to numbers or labels; and how good they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from gdbench.errors import GdbenchError
from gdbench.kernels.losses import NUMBERS
from gdbench.kernels.registry import name_of
from gdbench.tasks.gate import as_floats, check_shape
from gdbench.tasks.model import MLP
from gdbench.tasks.sparse import as_sound, is_sparse

#: What a loss on numbers may declare as its ``link``, with the function from margin to mean.
INVERSE_LINKS = {"identity": lambda z: z, "log": np.exp, "logit": expit}

#: The links themselves, from mean to margin.
LINKS: dict[str, Callable] = {"identity": lambda mean: mean, "log": np.log}


def margins(X: Any, coef: np.ndarray, intercept: Any, model: MLP | None = None) -> np.ndarray:
    """z of each row of X: (n,), or (n, K) for several outputs.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n, d)
    coef : ndarray of shape (d,) or (K, d)
        Of a network all its parameters.
    intercept : float, or ndarray of shape (K,)
    model : MLP, optional
    """
    rows = as_sound(X) if is_sparse(X) else as_floats("X", X)
    check_shape(rows.shape)
    if model is not None:
        return model.margins(rows, coef)
    coef = np.asarray(coef)
    if rows.shape[1] != coef.shape[-1]:
        raise GdbenchError(f"X has {rows.shape[1]} columns, but the fit was made with {coef.shape[-1]}")
    return np.asarray(rows @ coef.T + intercept)


def predictions(loss: Any, z: np.ndarray, labels: Any = ()) -> np.ndarray:
    """What margins predict: means of a target that is a number through the inverse of the loss's link, else labels.

    Parameters
    ----------
    loss : tag
    z : ndarray of shape (n,) or (n, K)
    labels : sequence
        The classes in order; of two, the second where the margin is above 0.
    """
    if loss.domain in NUMBERS:
        return inverse_link(loss)(z)
    return np.asarray(labels)[z.argmax(axis=1) if z.ndim == 2 else (z > 0).astype(int)]


def inverse_link(loss: Any) -> Any:
    """The function from margin to mean of a loss on numbers: its own method, or by the name of its link."""
    if hasattr(loss, "inverse_link"):
        return loss.inverse_link
    link = getattr(loss, "link", "identity")
    if link not in INVERSE_LINKS:
        known = ", ".join(INVERSE_LINKS)
        raise GdbenchError(f"loss {name_of(loss)}: unknown link '{link}'; choose from: {known}, or define inverse_link(self, z)")
    return INVERSE_LINKS[link]


def score(loss: Any, predicted: np.ndarray, y: np.ndarray) -> float:
    """R² of predictions of a target that is a number (NaN where y is constant), else the share of right labels."""
    if loss.domain not in NUMBERS:
        return float((predicted == y).mean())
    spread = float(((y - y.mean()) ** 2).sum())
    return 1.0 - float(((y - predicted) ** 2).sum()) / spread if spread > 0 else float("nan")


def deviance_explained(loss: Any, z: np.ndarray, y: np.ndarray) -> float:
    """The share of the deviance of the mean that margins explain: D², which for squared error is R².

    Raises
    ------
    GdbenchError
        A loss on classes, or one that is not 0 where the mean that a margin stands for is the target.
    """
    if loss.domain not in NUMBERS or hasattr(loss, "inverse_link") or getattr(loss, "link", "identity") not in LINKS:
        raise GdbenchError(
            f"deviance explained is of a loss on numbers with a link of {', '.join(LINKS)}, not of {name_of(loss)}"
        )
    total = np.vectorize(loss.value, otypes=[float])
    with np.errstate(all="ignore"):
        null = total(LINKS[getattr(loss, "link", "identity")](np.mean(y, dtype=float)), y).mean()
        return 1.0 - float(total(z, y).mean() / null) if null > 0 else float("nan")
