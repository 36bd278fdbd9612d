"""Descent on rows that are read chunk by chunk: the loops of data in memory, fed with pieces of it.

A batch's gradient is the sum of its pieces', in order; rows in another order than the chunks' are collected piece by piece,
which reads the chunks anew for each piece. The results are those of the same rows in memory. With a window of chunks, rows
are mixed within it alone, and each chunk is read once an epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels import order, shapes
from gdbench.kernels.data import Dense
from gdbench.kernels.loops.batch import CHUNK, Batches, chunk_gradient
from gdbench.kernels.loops.objective import objective_and_gradient
from gdbench.kernels.task import Task, Weighted
from gdbench.solve.chunks import Source, gather
from gdbench.solve.descent import Descent, checkpoints
from gdbench.tasks.inputs import task_of
from gdbench.tasks.setting import Setting

#: Called with the rows read so far, and those to be read.
Heard = Callable[[int, int], None]


def make_task(source: Source, y: Any, setting: Setting, sample_weight: Any) -> tuple[Task, tuple]:
    """The task without its rows, and the class labels; y and the weights are in memory.

    Raises
    ------
    GdbenchError
        The stochastic variant, or a `y` that does not fit.
    """
    if setting.variant == "stochastic":
        raise GdbenchError("variant 'stochastic' needs X in memory; a dask array or a Parquet folder takes: batch, mini-batch")
    return task_of(Dense(np.empty((0, source.columns), source.dtype)), source.rows, y, setting, sample_weight)


class ChunkedDescent(Descent):
    """A descent whose task holds no rows: each call of a kernel is given a piece of them.

    Parameters
    ----------
    source : Source
    task : Task
        Of :func:`make_task`.
    setting : Setting
    heard : callable, optional
    """

    loops = (Batches,)
    loop: Batches
    joins_epochs = False

    def __init__(self, source: Source, task: Task, setting: Setting, heard: Heard | None = None):
        sequential = setting.variant == "batch" or setting.shuffle == "once"
        super().__init__(task, replace(setting, threads=1, shuffle="none" if sequential else setting.shuffle))
        self.source = source
        self.window, self.seed = setting.window, setting.seed
        self.in_sequence = self.index if setting.variant == "batch" or setting.shuffle == "none" else self.index.copy()
        if setting.shuffle == "once" and setting.variant != "batch":
            order.arrange_epoch(order.make("once", setting.seed), self.index, 0)
        chunks = max(1, round(source.longest / CHUNK))
        self.most = CHUNK * chunks  # rows of a piece: the kernels' chunks of a batch are never split
        self.local = np.arange(self.most, dtype=np.int32)
        self.heard, self.rows_read = heard, 0
        points = len(checkpoints(setting, self.steps_per_epoch))
        self.rows_to_read = (setting.epochs + points + 1) * self.n

    def _compile(self) -> None:
        w, none = self.state.iterate.w, np.empty(0, np.int32)
        task = self._piece(none, np.zeros((0, self.source.columns), self.dtype))
        loop = self.loop.on(task)
        if self.batch_size <= self.most:
            loop.compile(self.state)
        else:
            loop.bind_parts(self.state)
        self.call.bind(order.arrange_epoch, self.order, none, 0)
        self.call.bind(objective_and_gradient, task, w, np.empty(self.lanes), np.empty_like(w))

    def warm_up(self) -> None:
        """Nothing: the chunks that are read drive everything out of the caches in any case."""

    def measure(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J and its gradient: the pieces' own, penalty included, weighted by their rows."""
        totals, g = np.zeros(self.lanes), np.zeros(w.shape)
        J, slope = np.empty(self.lanes), np.empty_like(w)
        for task in self._feed(self.in_sequence, self.most):
            self.call(objective_and_gradient, task, w, J, slope)
            share = task.target.size / self.n
            totals += share * J
            g += share * slope
        return totals, g.astype(self.dtype)

    def arrange(self, epoch: int) -> None:
        """Put the row numbers into the order of an epoch: with a window, that of :func:`mixed_in_windows`."""
        if self.window is None:
            super().arrange(epoch)
        else:
            self.index[:] = mixed_in_windows(self.source.starts, self.window, self.seed, epoch)

    def _run(self, rows: np.ndarray, place: int, rates: np.ndarray) -> None:
        run = self._whole_batches if self.batch_size <= self.most else self._large_batches
        run(rows[0, place : place + rates.size * self.batch_size], rates)

    def _whole_batches(self, rows: np.ndarray, rates: np.ndarray) -> None:
        """Take steps, several batches a piece."""
        for task in self._feed(rows, self.most - self.most % self.batch_size):
            steps = -(-task.target.size // self.batch_size)
            self.loop.on(task).run(self.state, self.local[None, : task.target.size], 0, rates[:steps])
            rates = rates[steps:]

    def _large_batches(self, rows: np.ndarray, rates: np.ndarray) -> None:
        """Take steps, several pieces a batch."""
        for step, start in enumerate(range(0, rows.size, self.batch_size)):
            batch = rows[start : start + self.batch_size]
            self.loop.step_on_parts(self.state, self._gradient(batch)[None], rates[step], batch.size)

    def _gradient(self, batch: np.ndarray) -> np.ndarray:
        """Σ over the batch's rows of the losses' gradients, chunk by chunk as in memory."""
        w = self.state.iterate.w
        total, part = np.zeros_like(w), np.empty_like(w)
        for task in self._feed(batch, self.most):
            for first in range(0, task.target.size, CHUNK):
                chunk = self.local[first : min(first + CHUNK, task.target.size)]
                self.call(chunk_gradient, task, chunk, w, part)
                total += part
        return total

    def _feed(self, rows: np.ndarray, most: int) -> Iterator[Task]:
        """Tasks of at most so many rows each, which together hold `rows` in order."""
        pieces = [rows[first : first + most] for first in range(0, rows.size, most)]
        for piece, values in zip(pieces, gather(self.source, pieces, self.window or 1), strict=True):
            yield self._piece(piece, values)
            self.rows_read += piece.size
            if self.heard:
                self.heard(self.rows_read, max(self.rows_read, self.rows_to_read))

    def _piece(self, rows: np.ndarray, values: np.ndarray) -> Task:
        weights = self.task.weighting
        weights = Weighted(weights.values[rows]) if isinstance(weights, Weighted) else weights
        return self.task._replace(data=shapes.planned(Dense(values), "none"), target=self.task.target[rows], weighting=weights)


def mixed_in_windows(starts: np.ndarray, window: int, seed: int, epoch: int) -> np.ndarray:
    """Row numbers of an epoch: the chunks in random order, and the rows of each few chunks that follow each other mixed.

    Parameters
    ----------
    starts : ndarray of shape (chunks + 1,)
        The first row of each chunk, and n.
    window : int
        How many chunks are mixed.
    seed, epoch : int

    Returns
    -------
    ndarray of shape (n,), int32
    """
    draw = np.random.Generator(np.random.PCG64([seed, epoch]))
    numbers = draw.permutation(starts.size - 1)
    rows = [np.arange(first, end, dtype=np.int32) for first, end in pairwise(starts)]
    some = (numbers[first : first + window] for first in range(0, numbers.size, window))
    return np.concatenate([draw.permutation(np.concatenate([rows[number] for number in few])) for few in some])
