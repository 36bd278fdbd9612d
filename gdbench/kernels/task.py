"""What a loop works on: the task (what is minimised) and the iterate (what changes)."""

from __future__ import annotations

from typing import Any, NamedTuple

from gdbench.kernels.ahead import settled
from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.compile.tags import operation
from gdbench.kernels.data import prefetch_far, prefetch_item, prefetch_rest, prefetch_row
from gdbench.kernels.reading import far_row, near_row

weigh = operation("weigh")
prefetch_weight = operation("prefetch_weight")
counts = operation("counts")
count = operation("count")
take = operation("take")


class Unweighted(NamedTuple):
    """Every row counts once."""

    def weigh(self, c, i):
        return c

    def prefetch_weight(self, i):
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

    def prefetch_weight(self, i):
        """Prefetch row i's weight."""
        prefetch_item(self.values, i)


class Uncounted(NamedTuple):
    """Losses are not asked for."""

    def counts(self):
        return False

    def count(self, lane, loss):
        pass

    def take(self, lane):
        return 0.0


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
        self.totals[lane] = settled(self.totals[lane] + loss)  # one by one, however many rows share a pass

    def take(self, lane):
        """The sum of a lane's losses, which begins anew."""
        total = self.totals[lane]
        self.totals[lane] = 0.0
        return total


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
    kept : ndarray of shape (K, numbers), float64, or ()
        What a rule that looks at the whole model keeps of it, in the row of the model's first output; () for other rules.
    """

    w: Any
    state: Any
    memory: Any
    travelled: Any
    kept: Any = ()


@inlined
def prefetch_far_row(data, target, weighting, visited, r):
    """Prefetch what the plan of the data says for the second-level cache at place r of `visited`."""
    plan, last = data.plan, target.size - 1
    if plan.far > 0:
        i, later = min(far_row(plan, visited, r), last), min(far_row(plan, visited, r + plan.far), last)
        prefetch_far(data, i, later)
        prefetch_item(target, i)
        prefetch_weight(weighting, i)


@inlined
def prefetch_all_but_row(data, target, weighting, visited, r):
    """Prefetch what the plan of the data says at place r of `visited`, but for the row returned: a pass does that on its way."""
    prefetch_far_row(data, target, weighting, visited, r)
    i = near_row(data.plan, visited, r)
    prefetch_item(target, i)
    prefetch_weight(weighting, i)
    prefetch_rest(data, i, near_row(data.plan, visited, r + data.plan.near))
    return i


@inlined
def prefetch_rows(data, target, weighting, visited, r):
    """Prefetch what the plan of the data says at place r of `visited`."""
    prefetch_far_row(data, target, weighting, visited, r)
    if data.plan.near > 0:
        i = near_row(data.plan, visited, r)
        prefetch_item(target, i)
        prefetch_weight(weighting, i)
        prefetch_row(data, i, near_row(data.plan, visited, r + data.plan.near))
