"""Choosing the shapes of reading by measurement: each kind of rows, order and level of memory in the shapes that may suit it."""

from __future__ import annotations

from time import perf_counter, thread_time_ns
from typing import Any

import numpy as np

from gdbench.kernels.caches import caches, last_level
from gdbench.kernels.data import CSR, Dense
from gdbench.kernels.losses.squared_error import SquaredError
from gdbench.kernels.models.linear import Linear
from gdbench.kernels.penalties import NoPenalty
from gdbench.kernels.shapes import DEFAULT, KB, Shape, forced, planned
from gdbench.kernels.task import Task, Unweighted
from gdbench.solve.descent import Descent
from gdbench.tasks.setting import settle

#: Seconds for all measurements; compiling the loops, or loading them, comes before.
BUDGET = 2.0

#: Another shape than the default one has to take this much less time: less is noise.
WORTH = 0.97

#: Columns of the rows of each kind; and stored values of a sparse one, of how many columns.
WIDTHS = {"short": 20, "long": 100}
STORED, SPARSE_COLUMNS = 60, 20_000

#: Bytes of the rows "in memory": four times the last cache, but no more than this.
MOST_BYTES = 256 << 20

#: What may suit an order, beside the default shape.
CANDIDATES: dict[str, tuple[Shape, ...]] = {
    "sequential": (Shape(0, 0, 1), Shape(4 * KB, 0, 1), Shape(16 * KB, 0, 1), Shape(0, 12 * KB, 4), Shape(4 * KB, 0, 4)),
    "block": (Shape(1, 0, 4), Shape(1, 2 * KB, 4), Shape(1, 4 * KB, 4), Shape(0, 4 * KB, 4), Shape(0, 12 * KB, 4)),
    "random": (
        *(Shape(0, near * KB, 4) for near in (2, 4, 12)),
        *(Shape(far * KB, near * KB, 4) for far, near in ((10, 1), (32, 2), (32, 4), (64, 4), (64, 8), (32, 0))),
    ),
    "block batches": (Shape(1, 4 * KB, 1), Shape(1, 0, 4), Shape(0, 12 * KB, 4)),
    "random batches": (Shape(0, 4 * KB, 4), Shape(0, 12 * KB, 4), Shape(32 * KB, 4 * KB, 4), Shape(64 * KB, 4 * KB, 1)),
}

#: The order of the rows, and the descent that is measured.
WORK: dict[str, dict[str, Any]] = {
    "sequential": {"variant": "batch"},
    "block": {"variant": "stochastic", "shuffle": "block"},
    "random": {"variant": "stochastic", "shuffle": "epoch"},
    "block batches": {"variant": "mini-batch", "batch_size": 32, "optimizer": "adam", "shuffle": "block"},
    "random batches": {"variant": "mini-batch", "batch_size": 32, "optimizer": "adam", "shuffle": "epoch"},
}


class Track:
    """A descent over rows that are none of interest, a stretch of which is timed in one shape or another."""

    def __init__(self, data: Any, order: str):
        rows = data.indptr.size - 1 if isinstance(data, CSR) else len(data.values)
        task = Task(Linear(), data, np.zeros(rows), Unweighted(), SquaredError(), NoPenalty())
        self.setting = settle(learning_rate=1e-9, epochs=10**6, **WORK[order])
        self.descent = Descent(task, self.setting)
        self.task = self.descent.task
        steps = self.descent.steps_per_epoch
        self.stretch = max(1, min(steps // 4, round((4 << 20) / data.values.nbytes * steps)))
        self.descent.compile()

    def seconds(self, shape: Shape) -> float:
        """Seconds of a step of a stretch, in a shape: those that the processor worked on it, whatever else it does."""
        with forced(shape):
            shuffle = "none" if self.setting.variant == "batch" else self.setting.shuffle
            data = planned(self.task.data, shuffle, self.descent.batch_size)
        self.descent.loop = self.descent.loop.on(self.task._replace(data=data))
        step, begin = self.descent.step, thread_time_ns()
        self.descent.advance(step + self.stretch)
        return (thread_time_ns() - begin) * 1e-9 / (self.descent.step - step)


def best_of(track: Track, shapes: list[Shape], seconds: float) -> Shape:
    """The shape of the best time; the first one unless another is worth it."""
    end = perf_counter() + seconds
    best = dict.fromkeys(shapes, np.inf)
    rounds = 0
    while rounds < 2 or (rounds < 12 and perf_counter() < end):
        for shape in shapes:
            best[shape] = min(best[shape], track.seconds(shape))
        rounds += 1
    winner = min(shapes, key=best.__getitem__)
    return winner if best[winner] < WORTH * best[shapes[0]] else shapes[0]


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
    share = budget / (len(sizes()) * (len(WIDTHS) * len(WORK) + 2))
    for level, size in sizes().items():
        for kind in (*WIDTHS, "sparse"):
            data = sparse(size) if kind == "sparse" else dense(size, WIDTHS[kind])
            for order in ("block", "random") if kind == "sparse" else WORK:
                first = DEFAULT[f"{level} {kind} {order}"]
                others = [shape for shape in CANDIDATES[order] if shape != first]
                found[f"{level} {kind} {order}"] = best_of(Track(data, order), [first, *others], share)
    return found
