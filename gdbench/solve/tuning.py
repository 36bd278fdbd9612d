"""Choosing the shapes of reading by measurement: each kind of rows, order and level of memory in the shapes that may suit it."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter, thread_time_ns
from typing import Any

import numpy as np

from gdbench.kernels.caches import caches, last_level
from gdbench.kernels.data import CSR, Dense
from gdbench.kernels.losses.squared_error import SquaredError
from gdbench.kernels.models.linear import Linear
from gdbench.kernels.penalties import NoPenalty
from gdbench.kernels.shapes import DEFAULT, Shape, forced, planned
from gdbench.kernels.task import Task, Unweighted
from gdbench.solve.descent import Descent
from gdbench.tasks.setting import Setting, settle

#: Seconds for all measurements; compiling the loops, or loading them, comes before.
BUDGET = 2.0

#: Another shape than the default one has to take this much less time: less is noise.
WORTH = 0.97

#: Columns of the rows, each with as many bytes in all; and stored values a sparse row, of how many columns.
WIDTHS = (20, 100)
STORED, SPARSE_COLUMNS = 60, 20_000

#: Bytes of the rows "in memory": four times the last cache, but no more than this.
MOST_BYTES = 256 << 20

KB = 1 << 10

#: What may suit, beside the default shape, in bytes ahead of use.
CANDIDATES: dict[str, tuple[Shape, ...]] = {
    "sequential": (Shape(0, 0, 1), Shape(4 * KB, 0, 1), Shape(16 * KB, 0, 1), Shape(0, 12 * KB, 4), Shape(4 * KB, 0, 4)),
    "block": (Shape(1, 0, 4), Shape(1, 2 * KB, 4), Shape(1, 4 * KB, 4), Shape(0, 4 * KB, 4), Shape(0, 12 * KB, 4)),
    "random": (
        *(Shape(0, near * KB, 4) for near in (2, 4, 12)),
        *(Shape(far * KB, near * KB, 4) for far, near in ((16, 2), (16, 4), (32, 2), (32, 4), (64, 4), (32, 0))),
    ),
}

ORDERS = {"sequential": "none", "block": "block", "random": "epoch"}


class Track:
    """A descent over rows that are none of interest, a stretch of which is timed in one shape or another."""

    def __init__(self, data: Any, order: str, setting: Setting):
        rows = data.indptr.size - 1 if isinstance(data, CSR) else len(data.values)
        self.data, self.shuffle = data, ORDERS[order]
        task = Task(Linear(), data, np.zeros(rows), Unweighted(), SquaredError(), NoPenalty())
        self.descent = Descent(task, replace(setting, shuffle=self.shuffle))
        self.task = self.descent.task
        steps = self.descent.steps_per_epoch
        self.stretch = max(1, min(steps // 4, round((4 << 20) / data.values.nbytes * steps)))
        self.descent.compile()

    def seconds(self, shape: Shape) -> float:
        """Seconds of a step of a stretch, in a shape: those that the processor worked on it, whatever else it does."""
        with forced(shape):
            data = planned(self.data, self.shuffle)
        self.descent.loop = self.descent.loop.on(self.task._replace(data=data))
        step, begin = self.descent.step, thread_time_ns()
        self.descent.advance(step + self.stretch)
        return (thread_time_ns() - begin) * 1e-9 / (self.descent.step - step)


def best_of(tracks: list[Track], shapes: list[Shape], seconds: float) -> Shape:
    """The shape of the smallest sum of the logarithms of the best times, the first one unless another is worth it."""
    end = perf_counter() + seconds
    best = np.full((len(tracks), len(shapes)), np.inf)
    rounds = 0
    while rounds < 2 or (rounds < 12 and perf_counter() < end):
        for at, track in enumerate(tracks):
            for which, shape in enumerate(shapes):
                best[at, which] = min(best[at, which], track.seconds(shape))
        rounds += 1
    total = np.log(best).mean(axis=0)
    winner = int(total.argmin())
    return shapes[winner] if total[winner] < total[0] + np.log(WORTH) else shapes[0]


def sizes() -> dict[str, int]:
    """Bytes of rows for each level."""
    return {"L3": last_level() // 3, "memory": min(MOST_BYTES, 4 * last_level())} if caches() else {"memory": MOST_BYTES // 2}


def dense(size: int, columns: int) -> Dense:
    """Zeros, written once so that they take up memory, to descend on."""
    values = np.empty((size // (8 * columns), columns))
    values.fill(0.0)
    return Dense(values)


def sparse(size: int) -> CSR:
    """The same, with columns at random."""
    rows = size // (12 * STORED)
    values = np.empty(rows * STORED)
    values.fill(0.0)
    some = np.random.default_rng(0).integers(SPARSE_COLUMNS, size=1 << 16, dtype=np.uint32)
    indices = np.resize(some, values.size)
    indptr = np.arange(0, values.size + 1, STORED, dtype=np.int32)
    return CSR(values, indices, indptr, SPARSE_COLUMNS)


def measure(budget: float = BUDGET) -> dict[str, Shape]:
    """The shapes that read fastest on this machine, as :func:`gdbench.kernels.shapes.keep` takes them."""
    found = dict(DEFAULT)
    stochastic = settle(variant="stochastic", learning_rate=1e-9, epochs=10**6)
    batches = settle(variant="mini-batch", batch_size=32, optimizer="adam", learning_rate=1e-9, epochs=10**6)
    whole = settle(variant="batch", learning_rate=1e-9, epochs=10**6)
    shares = budget / (len(sizes()) * 8)
    for level, size in sizes().items():
        some = [dense(size, columns) for columns in WIDTHS]
        for order, candidates in CANDIDATES.items():
            name = f"{level} dense {order}"
            tracks = [Track(data, order, whole if order == "sequential" else stochastic) for data in some]
            found[name] = best_of(tracks, _with_default(name, candidates), shares)
            if order != "sequential":
                tracks = [Track(data, order, batches) for data in some]
                found[name] = best_of(tracks, [found[name]._replace(rows_per_pass=number) for number in (4, 1)], shares)
        del some, tracks
        rows = sparse(size)
        for order in ("block", "random"):
            name = f"{level} sparse {order}"
            found[name] = best_of([Track(rows, order, stochastic)], _with_default(name, CANDIDATES[order]), shares)
    return found


def _with_default(name: str, candidates: tuple[Shape, ...]) -> list[Shape]:
    """The default shape, and those that are others."""
    return [DEFAULT[name], *(shape for shape in candidates if shape != DEFAULT[name])]
