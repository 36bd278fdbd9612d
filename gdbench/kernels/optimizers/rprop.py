"""Rprop: a step length for each weight that only the signs of its gradients change."""

from typing import NamedTuple


class Rprop(NamedTuple):
    """Where g has kept its sign δ ← min(η⁺δ, δ_max), where it has changed δ ← max(η⁻δ, δ_min); w ← w − δ·sign(g).

    After a change of sign the weight stays where it is for one step, and the next counts as neither.

    Attributes
    ----------
    shrink, grow : float
        η⁻ and η⁺.
    smallest, largest : float
        δ_min and δ_max.

    Notes
    -----
    δ starts at the learning rate of the first step, and later rates change nothing. It is for steps on all rows, and refused on
    fewer: between gradients of different rows a change of sign says little. The steps are PyTorch's; optax takes each of them one
    update late.

    References
    ----------
    M. Riedmiller and H. Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", IEEE ICNN
    1993; without weight-backtracking: C. Igel and M. Hüsken, "Improving the Rprop Learning Algorithm", NC 2000.
    """

    shrink: float = 0.5
    grow: float = 1.2
    smallest: float = 1e-6
    largest: float = 50.0

    slots = ("previous", "length")
    whole_batch = True
    limits = {"shrink": "(0, 1)", "grow": "(0, inf)", "smallest": "(0, inf)", "largest": "(0, inf)"}

    def step(self, w, g, state, rate, t):
        previous, length = state
        length = rate if length == 0 else length  # not begun
        agrees = g * previous
        bent = self.grow * length if agrees > 0 else self.shrink * length if agrees < 0 else length
        length = min(max(bent, self.smallest), self.largest)
        g = 0.0 * g if agrees < 0 else g
        sign = 1.0 if g > 0 else -1.0 if g < 0 else g  # 0, or NaN, which must show
        return w - length * sign, (sign, length)
