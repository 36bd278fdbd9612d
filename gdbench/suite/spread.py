"""Spreading passes over processes: results come back, as they are done, to the one process that writes the ledger.

A process that dies costs a retry and never a result. What it was at is put aside, and done again when nothing else is under
way, so that a pass which kills its process, for want of memory, is found out and takes no other along.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from itertools import islice
from typing import Any, Protocol

from gdbench.errors import one_line
from gdbench.suite.execute import Record, execute, failed
from gdbench.suite.plan import Pass
from gdbench.suite.spec import import_plugins

#: Passes handed out for each process, so that none waits for the ledger.
AHEAD = 4

#: How often a pass whose process died is tried again by itself.
RETRIES = 2

#: Seconds without a result after which it is asked whether any can still come.
PATIENCE = 5.0

#: What keeps the libraries of a new process to one thread.
ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class Crew(Protocol):
    """Processes that execute passes."""

    slots: int

    def submit(self, work: Pass) -> Future:
        """Hand out a pass; the future's result is the list of its records."""

    def check(self) -> None:
        """Raise a GdbenchError where no result can be expected any more."""


class Processes:
    """Processes of this machine, ended when the context is left: they would disturb what is timed.

    Parameters
    ----------
    slots : int
    """

    def __init__(self, slots: int):
        self.slots = slots

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool().shutdown(wait=True, kill_workers=True)

    def _pool(self) -> Any:
        """The pool; a new one where a process of the last has died."""
        from joblib.externals.loky import get_reusable_executor

        return get_reusable_executor(max_workers=self.slots, timeout=300, env=ENVIRONMENT)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """Call a function in one of the processes."""
        try:
            return self._pool().submit(function, *arguments)
        except RuntimeError:  # a process died, and the pool with it, since it was asked for
            return self._pool().submit(function, *arguments)

    def submit(self, work: Pass) -> Future:
        """Hand out a pass."""
        return self.call(apart, work)

    def check(self) -> None:
        """Processes that are gone are replaced, so there is always something to expect."""


def executed(todo: Sequence[Pass], crew: Crew) -> Iterator[tuple[Pass, list[Record]]]:
    """Each pass with its records, in the order in which they are done."""
    lost: list[Pass] = []
    queue, waiting = iter(todo), dict[Future, Pass]()
    try:
        while True:
            for work in islice(queue, AHEAD * crew.slots - len(waiting)):
                waiting[crew.submit(work)] = work
            if not waiting:
                break
            for future in _first(list(waiting), crew):
                work = waiting.pop(future)
                if _error(future) is None:
                    yield work, future.result()
                else:
                    lost.append(work)
    finally:
        for future in waiting:
            future.cancel()
    for work in lost:
        yield work, _alone(work, crew)


def _first(futures: list[Future], crew: Crew) -> list[Future]:
    """The futures that are done, at least one."""
    while True:
        done = wait(futures, PATIENCE, return_when=FIRST_COMPLETED).done
        if done:
            return [future for future in futures if future in done]
        crew.check()


def _error(future: Future) -> BaseException | None:
    """Why a future has no result; one that was cancelled was lost with its worker."""
    return CancelledError("lost with its worker") if future.cancelled() else future.exception()


def _alone(work: Pass, crew: Crew) -> list[Record]:
    """The records of a pass that lost its process, tried again with no other beside it."""
    error: BaseException | None = None
    for _ in range(RETRIES):
        crew.check()
        (future,) = _first([crew.submit(work)], crew)
        error = _error(future)
        if error is None:
            return future.result()
    reason = f"its process died {1 + RETRIES} times ({one_line(error)}): is there enough memory?"
    return [failed(work, run, reason) for run in work.runs]


def apart(work: Pass) -> list[Record]:
    """Execute a pass in a process that does nothing else."""
    import_plugins(work.case.plugins)
    with one_thread():
        return execute(work)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread for all libraries."""
    import numba
    from threadpoolctl import threadpool_limits

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        numba.set_num_threads(before)


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Keep the process on one processor, where the system allows it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    try:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {max(before)})
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, before)
