"""Spreading passes over processes: results come back, as they are done, to the one process that writes the ledger.

A process that dies costs a retry and never a result. What it was at is put aside, and done again when nothing else is under
way, so that a pass which kills its process, for want of memory, is found out and takes no other along.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from gdbench.errors import GdbenchError, one_line
from gdbench.kernels.compile.jit import seconds_compiling
from gdbench.suite.execute import execute, failed
from gdbench.suite.identity import foreign_sources
from gdbench.suite.plan import Pass
from gdbench.suite.spec import import_plugins
from gdbench.suite.vocabulary import Record

#: Passes handed out for each process, so that none waits for the ledger.
AHEAD = 4

#: How often a pass whose process died is tried again by itself.
RETRIES = 2

#: Seconds beside its limit that a pass may take, for loading and evaluating, before its process is ended. Compiling is on no
#: clock of this file.
GRACE = 120.0

#: Without a limit in the budget, a pass of a suite with plugins is ended after these seconds, or so many times its estimate,
#: whichever is longer: a body that never ends would hold up the suite for ever.
LONGEST, TIMES_ESTIMATE = 3600.0, 100.0

#: Seconds without a result after which it is asked whether any can still come.
PATIENCE = 5.0

#: What keeps the libraries of a new process to one thread.
ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class Crew(Protocol):
    """Processes that execute passes."""

    slots: int

    def submit(self, work: Pass) -> Future:
        """Hand out a pass; the future's result is the list of its records."""

    def timed_out(self, work: Pass) -> bool:
        """Whether a pass that lost its process was ended because its time was over."""

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
        #: Of each pass whose process was ended a file, named after its first run.
        self.ended = tempfile.TemporaryDirectory(prefix="gdbench-ended-")
        return self

    def __exit__(self, *error: object) -> None:
        self._pool().shutdown(wait=True, kill_workers=True)
        self.ended.cleanup()

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
        return self.call(apart, work, limit_of(work), self._mark(work))

    def timed_out(self, work: Pass) -> bool:
        """Whether the pass was ended because its time was over."""
        return self._mark(work).exists()

    def _mark(self, work: Pass) -> Path:
        return Path(self.ended.name, work.runs[0].run_id)

    def check(self) -> None:
        """Processes that are gone are replaced, so there is always something to expect."""


def executed(todo: Sequence[Pass], crew: Crew) -> Iterator[tuple[Pass, list[Record]]]:
    """Each pass with its records, in the order in which they are done."""
    lost: list[Pass] = []
    slow = False
    queue, waiting = iter(todo), dict[Future, Pass]()
    try:
        while True:
            for work in islice(queue, AHEAD * crew.slots - len(waiting)):
                waiting[crew.submit(work)] = work
            if not waiting:
                break
            for future in _first(list(waiting), crew):
                work = waiting.pop(future)
                records = _records(work, future, crew)
                if records is None:
                    lost.append(work)
                else:
                    slow = slow or crew.timed_out(work)
                    yield work, records
    finally:
        for future in waiting:
            future.cancel()
    if slow:  # the others were lost with the process that was ended
        yield from executed(lost, crew)
        return
    for work in lost:
        yield work, _alone(work, crew)


def _records(work: Pass, future: Future, crew: Crew) -> list[Record] | None:
    """The records of a pass that is done; None where its process is gone, and it is not known why."""
    error = _error(future)
    if error is None:
        return future.result()
    if crew.timed_out(work):
        return _ended(work)
    return None if died(error) else _failed(work, error)


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
        records = _records(work, future, crew)
        if records is not None:
            return records
        error = _error(future)
    reason = f"its process died {1 + RETRIES} times ({one_line(error)}): is there enough memory?"
    return [failed(work, run, reason) for run in work.runs]


def limit_of(work: Pass) -> float:
    """Seconds, compiling apart, after which the process of a pass is ended; inf where nothing in it can go on for ever."""
    seconds = work.case.budget.seconds
    if seconds is not None:
        return seconds * len(work.runs) + GRACE
    return max(LONGEST, TIMES_ESTIMATE * work.estimate) if work.case.plugins else math.inf


def _ended(work: Pass) -> list[Record]:
    """The records of a pass whose time was over."""
    why = "no seconds are in its budget" if work.case.budget.seconds is None else f"its budget's seconds, and {GRACE:g} s beside"
    reason = f"ended with its process after {limit_of(work):g} s: {why}"
    records = [failed(work, run, reason) for run in work.runs]
    return [replace(record, row=record.row | {"status": "timeout"}) for record in records]


def died(error: BaseException) -> bool:
    """Whether an error says that a process is gone, not what happened in it."""
    return isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__module__.partition(".")[0] == "distributed"


def _failed(work: Pass, error: BaseException) -> list[Record]:
    """The records of a pass that raised, in the error's own words."""
    reason = str(error) if isinstance(error, GdbenchError) else f"{type(error).__name__}: {one_line(error)}"
    return [failed(work, run, reason) for run in work.runs]


def apart(work: Pass, limit: float = math.inf, mark: Path | None = None) -> list[Record]:
    """Execute a pass in a process that does nothing else, and that ends where the pass takes longer than `limit` seconds.

    The file `mark` then says so. What a run needs from outside of it, data and their optimum, is not on that clock.
    """
    import_plugins(work.case.plugins)
    prepare(work)
    with ended_after(limit, mark.touch if mark else None), one_thread():
        return execute(work)


def prepare(work: Pass) -> None:
    """Load the data of a pass and find their optimum; what fails here is told by the run itself."""
    if work.case.landscape or work.error:
        return
    with contextlib.suppress(Exception):
        problem = work.case.load(work.solver.dtype)
        if work.case.network is None and not foreign_sources(problem.loss, problem.penalty):
            _ = problem.optimum


@contextlib.contextmanager
def ended_after(seconds: float, tell: Callable[[], Any] | None = None) -> Iterator[None]:
    """End this process after so many seconds beside those of compiling: kernels run without Python's lock, so a thread can.

    Parameters
    ----------
    seconds : float
    tell : callable, optional
        Called before it ends.
    """
    if math.isinf(seconds):
        yield
        return
    over = threading.Event()
    begin, compiled = monotonic(), seconds_compiling()

    def watch() -> None:
        while (left := seconds - (monotonic() - begin) + (seconds_compiling() - compiled)) > 0:
            if over.wait(max(left, 0.02)):
                return
        try:
            if tell:
                tell()
        finally:
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


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
