"""Models as a user names them: linear, or a multilayer perceptron."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.kernels.models.mlp import activations
from gdbench.kernels.registry import checked


class MLP(NamedTuple):
    """A network with one hidden layer: z = W₂·act(W₁x + b₁) + b₂.

    Attributes
    ----------
    hidden : int
        Hidden units H.
    activation : {"tanh", "relu", "sigmoid"}
    scale : float
        Initial weights are uniform in ±scale ⁄ √(inputs of the unit), from the run's seed; 0 makes all units alike, a
        start from which descent cannot tell them apart.

    Notes
    -----
    The objective is not convex: no f* is claimed, and gaps count from the best value known.
    """

    hidden: int = 32
    activation: str = "tanh"
    scale: float = 1.0

    limits = {"hidden": "[1, inf)", "scale": "[0, inf)"}

    def initial(self, d: int, outputs: int, seed: int) -> np.ndarray:
        """The P initial weights for d columns: W₁ (H, d), W₂ (K, H), b₁ (H), b₂ (K), one after the other."""
        generator = np.random.default_rng(seed)
        bounds = ((self.hidden * d, d), (outputs * self.hidden, self.hidden), (self.hidden, d), (outputs, self.hidden))
        parts = [generator.uniform(-1.0, 1.0, size) * self.scale / np.sqrt(inputs) for size, inputs in bounds]
        return np.concatenate(parts)

    def unpack(self, coef: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """W₁ (H, d), W₂ (K, H), b₁ (H) and b₂ (K) of a fitted network, from ``Fit.coef`` and the columns d of its X.

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


def model_of(choice: Any) -> MLP | None:
    """None for the linear model, or the checked network."""
    if choice == "linear":
        return None
    if choice == "mlp":
        choice = MLP()
    if not isinstance(choice, MLP):
        raise unknown("model", choice, ["linear", "mlp"])
    if choice.activation not in activations:
        raise unknown("activation", choice.activation, activations.names())
    return checked(choice, "model")


def refuse_sparse(model: MLP | None, sparse: bool) -> None:
    """Raise where a network is asked to read sparse rows."""
    if model is not None and sparse:
        raise GdbenchError("model MLP needs dense rows: give X.toarray()")
