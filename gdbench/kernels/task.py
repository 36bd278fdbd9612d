"""What a loop works on: the task (what is minimised) and the iterate (what changes)."""

from __future__ import annotations

from typing import Any, NamedTuple

from gdbench.kernels.compile.tags import operation
from gdbench.kernels.data import touch_item

weigh = operation("weigh")
ask_for_weight = operation("ask_for_weight")
counts = operation("counts")
count = operation("count")


class Unweighted(NamedTuple):
    """Every row counts once."""

    def weigh(self, c, i):
        return c

    def ask_for_weight(self, i):
        pass


class Weighted(NamedTuple):
    """Row i counts ``values[i]`` times.

    Attributes
    ----------
    values : ndarray of shape (n,)
    """

    values: Any

    def weigh(self, c, i):
        return c * self.values[i]

    def ask_for_weight(self, i):
        """Ask the memory for row i's weight, which is soon needed."""
        touch_item(self.values, i)


class Uncounted(NamedTuple):
    """Losses are not asked for."""

    def counts(self):
        return False

    def count(self, lane, loss):
        pass


class Counted(NamedTuple):
    """Losses are summed lane by lane.

    Attributes
    ----------
    totals : ndarray of shape (lanes,), float64
    """

    totals: Any

    def counts(self):
        return True

    def count(self, lane, loss):
        self.totals[lane] += loss


class Task(NamedTuple):
    """The objective (1/n) Σᵢ sᵢ·loss(zᵢ, yᵢ) + Σⱼ penalty(wⱼ).

    Attributes
    ----------
    model : tag of gdbench.kernels.models
    data : tag of gdbench.kernels.data
    target : ndarray of shape (n,), real, ±1 or class numbers, in the dtype of the weights
    weighting : Unweighted or Weighted
    loss : tag of gdbench.kernels.losses
    penalty : tag of gdbench.kernels.penalties
    """

    model: Any
    data: Any
    target: Any
    weighting: Any
    loss: Any
    penalty: Any


class Iterate(NamedTuple):
    """What a loop changes in place.

    Attributes
    ----------
    w : ndarray of shape (K, P)
        The weights of K outputs.
    state : tuple of ndarrays of shape (K, P)
        One for each slot of the optimizer.
    memory : tuple of ndarrays of shape (K, P), float64
        One for each slot of the penalty: like the next, sums over all steps, which in float32 soon stop growing.
    travelled : ndarray of shape (K,), float64
        The sum of the learning rates so far.
    """

    w: Any
    state: Any
    memory: Any
    travelled: Any
