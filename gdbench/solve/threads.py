"""Batch gradients on several threads, the same to the bit for any number of them.

The rows are split into the same chunks as on one thread; threads take chunks, and the sum runs over the chunks in order. The
kernels release the GIL, so the threads are Python's own.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from gdbench.kernels import loops
from gdbench.kernels.task import Iterate


class Pool:
    """Threads that compute the chunks of a batch gradient."""

    def __init__(self, threads: int):
        self.threads = threads
        self.executor = ThreadPoolExecutor(threads)

    def descend(
        self, task: Any, rule: Any, iterate: Iterate, rows: np.ndarray, rates: np.ndarray, eta: np.ndarray, first: int
    ) -> None:
        """As :func:`gdbench.kernels.loops.descend_batches` with all rows in a batch; `rows` is (passes, n)."""
        chunks = [slice(start, start + loops.CHUNK) for start in range(0, rows.shape[1], loops.CHUNK)]
        parts = np.empty((len(chunks), *iterate.w.shape), iterate.w.dtype)
        gradient = loops.chunk_gradient.dispatcher(task)
        for s, order in enumerate(rows):

            def work(thread: int, order: np.ndarray = order) -> None:
                for number in range(thread, len(chunks), self.threads):
                    gradient(task, order[chunks[number]], iterate.w, parts[number])

            list(self.executor.map(work, range(self.threads)))
            loops.step_on_chunks(task, rule, iterate, parts, rates[s], eta, first + s)

    def compile(self, task: Any, rule: Any, iterate: Iterate, eta: np.ndarray) -> None:
        """Compile, or load, what `descend` calls, without moving the iterate."""
        parts = np.zeros((1, *iterate.w.shape), iterate.w.dtype)
        loops.chunk_gradient(task, np.empty(0, np.int32), iterate.w, parts[0])
        copy = Iterate(iterate.w.copy(), tuple(map(np.copy, iterate.state)), tuple(map(np.copy, iterate.memory)), eta.copy())
        loops.step_on_chunks(task, rule, copy, parts, eta.dtype.type(0), eta, 1)
