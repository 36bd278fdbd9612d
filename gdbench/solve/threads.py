"""Batch gradients on several threads, the same to the bit for any number of them.

The rows are split into the same chunks as on one thread; threads take chunks, and the sum runs over the chunks in order. The
kernels release the GIL, so the threads are Python's own.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from gdbench.kernels.loops.base import State, rows_per_step
from gdbench.kernels.loops.batch import CHUNK, Batches, chunk_gradient
from gdbench.kernels.optimizers import looks
from gdbench.kernels.task import Task


class ThreadedBatches(Batches):
    """Batch descent whose chunks of rows are shared out to threads."""

    is_cheap_to_rehearse = False

    def __init__(self, task: Task, rule: Any, setting: Any):
        super().__init__(task, rule, setting)
        self.threads = setting.threads
        self.executor = ThreadPoolExecutor(self.threads)

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        """Whether a batch is all rows, threads are asked for, and the rule does not look at the loss, which one thread sums."""
        asked = setting.threads > 1 and not looks(rule, "by_loss")
        return asked and rows_per_step(task, setting) == task.target.size > 1

    def compile(self, state: State) -> None:
        """Compile, or load, what the threads call; the state stays as it is."""
        self.bind_parts(state)

    def run(self, state: State, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        """Take a step, at each of the rates, on all rows of a pass."""
        chunks = [slice(start, start + CHUNK) for start in range(0, order.shape[1], CHUNK)]
        w = state.iterate.w
        parts = np.empty((len(chunks), *w.shape), w.dtype)
        gradient = self.call.bind(chunk_gradient, self.task, order[0, :0], w, parts[0])
        for s, rows in enumerate(order):

            def work(thread: int, rows: np.ndarray = rows) -> None:
                for number in range(thread, len(chunks), self.threads):
                    gradient(self.task, rows[chunks[number]], w, parts[number])

            list(self.executor.map(work, range(self.threads)))
            self.step_on_parts(state, parts, rates[s], self.task.target.size)
