"""Models as a user names them: linear, or a multilayer perceptron."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from gdbench.errors import GdbenchError, unknown
from gdbench.kernels.models.mlp import activations
from gdbench.kernels.registry import checked

#: The activations over whole arrays, where NumPy or SciPy has them.
OVER_ARRAYS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0.0), "sigmoid": expit}


class MLP(NamedTuple):
    """A network with one hidden layer: z = W₂·act(W₁x + b₁) + b₂.

    Attributes
    ----------
    hidden : int
        Hidden units H.
    activation : {"tanh", "relu", "sigmoid"}
        Of the hidden units.
    scale : float
        Initial weights are uniform in ±scale ⁄ √(inputs of the unit), from the run's seed; 0 makes all units alike, a
        start from which descent cannot tell them apart.

    Notes
    -----
    The objective is not convex: no f* is claimed, and in a suite gaps count from the best value known.
    """

    hidden: int = 32
    activation: str = "tanh"
    scale: float = 1.0

    limits = {"hidden": "[1, inf)", "scale": "[0, inf)"}

    def initial(self, d: int, outputs: int, seed: int) -> np.ndarray:
        """The initial weights.

        Parameters
        ----------
        d : int
            Columns.
        outputs : int
            Outputs K.
        seed : int
            Of the random numbers.

        Returns
        -------
        ndarray of shape (P,)
            W₁ (H, d), W₂ (K, H), b₁ (H) and b₂ (K), one after the other.
        """
        generator = np.random.default_rng(seed)
        bounds = ((self.hidden * d, d), (outputs * self.hidden, self.hidden), (self.hidden, d), (outputs, self.hidden))
        parts = [generator.uniform(-1.0, 1.0, size) * self.scale / np.sqrt(inputs) for size, inputs in bounds]
        return np.concatenate(parts)

    def unpack(self, coef: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The parameters of a fitted network, taken apart.

        Parameters
        ----------
        coef : ndarray of shape (P,)
            As of ``Fit.coef``.
        columns : int
            The columns d that it was fitted on.

        Returns
        -------
        tuple of four ndarrays
            W₁ (H, d), W₂ (K, H), b₁ (H) and b₂ (K).

        Raises
        ------
        GdbenchError
            No network of H hidden units over so many columns has so many parameters.
        """
        flat = np.ravel(coef)
        # P = H·d + K·H + H + K
        outputs, left = divmod(flat.size - self.hidden * (columns + 1), self.hidden + 1)
        if outputs < 1 or left:
            raise GdbenchError(f"{flat.size} parameters are not those of {self.hidden} hidden units over {columns} columns")
        cuts = np.cumsum([self.hidden * columns, outputs * self.hidden, self.hidden])
        w1, w2, b1, b2 = np.split(flat, cuts)
        return w1.reshape(self.hidden, columns), w2.reshape(outputs, self.hidden), b1, b2

    def margins(self, X: np.ndarray, coef: np.ndarray) -> np.ndarray:
        """The margin z of each row.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Rows.
        coef : ndarray of shape (P,)
            As of ``Fit.coef``.

        Returns
        -------
        ndarray of shape (n,), or (n, K) for several outputs
            Margins.
        """
        w1, w2, b1, b2 = self.unpack(coef, X.shape[1])
        activate = OVER_ARRAYS.get(self.activation) or np.vectorize(activations.make(self.activation).activate)
        z = activate(X @ w1.T + b1) @ w2.T + b2
        return z if len(w2) > 1 else z[:, 0]


def model_of(choice: Any, **fields: Any) -> MLP | None:
    """None for the linear model, or the checked network; `fields` go with a name."""
    known = {"linear": (), "mlp": MLP._fields}.get(choice, ()) if isinstance(choice, str) else ()
    strange = [field for field in fields if field not in known]
    if choice in ("linear", "mlp") and strange:
        raise unknown(f"field of model {choice}", strange[0], list(known))
    if choice == "linear":
        return None
    if choice == "mlp":
        choice = MLP(**fields)
    if not isinstance(choice, MLP):
        raise unknown("model", choice, ["linear", "mlp"])
    if choice.activation not in activations:
        raise unknown("activation", choice.activation, activations.names())
    return checked(choice, "model")


def refuse_sparse(model: MLP | None, sparse: bool) -> None:
    """Raise where a network is asked to read sparse rows."""
    if model is not None and sparse:
        raise GdbenchError("model MLP needs dense rows: give X.toarray()")
