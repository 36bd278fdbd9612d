"""A Dask cluster as a crew: passes go to its workers, data once to the cluster, records come back.

The extra ``dask`` installs what this file imports.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from gdbench.errors import GdbenchError, one_line
from gdbench.problems import Problem
from gdbench.suite import identity, plan, spread
from gdbench.suite.execute import execute
from gdbench.suite.plan import Pass
from gdbench.suite.spec import import_plugin, plugin_module
from gdbench.suite.vocabulary import Record
from gdbench.suite.warm import processes

try:
    from distributed import Client, LocalCluster, Worker, WorkerPlugin, get_worker
except ImportError as error:
    raise GdbenchError(f"--dask needs the extra dask: pip install 'gdbench[dask]' ({one_line(error)})") from None

#: Seconds to reach a scheduler, and to wait for a first or another worker.
REACH, GRACE = 10.0, 60.0

#: Where a worker tells of the pass for which it ends itself, and the seconds for which it waits until that is sent.
ENDED, SENT = "gdbench-ended", 2.0


class Cluster:
    """The workers of a Dask cluster; a context manager that leaves it as it was, or ends it if it was started here.

    Parameters
    ----------
    address : str
        A scheduler's, or "local" for a cluster on this machine.
    workers : int
        Of a local cluster: as many, or one a processor where that is 1.
    plugins : tuple of str
        Files that the workers import; they travel, for a worker may not see this machine's disk.

    Raises
    ------
    GdbenchError
        No scheduler there, no workers, or workers that would compute something else.
    """

    def __init__(self, address: str, workers: int = 1, plugins: tuple[str, ...] = ()):
        self.address = address
        self.workers = workers if workers > 1 else processes()
        self.sources = {plugin_module(path): Path(path).read_text(encoding="utf-8") for path in plugins}
        self.sent: dict[Any, Any] = {}
        self.seen = monotonic()
        self.slots = 0
        #: The first run of each pass that a worker ended itself for; and what awaits each pass.
        self.ended: set[str] = set()
        self.awaited: dict[str, Future] = {}

    def __enter__(self) -> Cluster:
        with contextlib.ExitStack() as stack:
            self.client = stack.enter_context(self._connect(stack))
            self._make_ready()
            stack.callback(self._leave)
            self.client.subscribe_topic(ENDED, self._hear)
            self.slots = max(1, sum(self.client.nthreads().values()))
            self.executor = self.client.get_executor(pure=False)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def _connect(self, stack: contextlib.ExitStack) -> Client:
        if self.address != "local":
            try:
                return Client(self.address, timeout=REACH, set_as_default=False)
            except (OSError, ValueError, TypeError) as error:
                told = f"no Dask scheduler answers at '{self.address}' ({one_line(error)})"
                raise GdbenchError(f"{told}; give the address that `dask scheduler` prints, or --dask local") from None
        local = LocalCluster(self.workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50)
        stack.callback(local.close)
        return Client(local, set_as_default=False)

    def _make_ready(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=GRACE)
        except TimeoutError:
            raise GdbenchError(f"the Dask cluster at {self.address} has had no worker for {GRACE:g} s: start one") from None
        try:
            self.client.register_plugin(Ready(identity.fingerprint(), self.sources), name=Ready.label)
        except GdbenchError:
            raise
        except Exception as error:
            raise GdbenchError(f"the workers of {self.address} cannot run gdbench: {one_line(error)}") from None

    def _leave(self) -> None:
        with contextlib.suppress(Exception):  # of a cluster that is gone nothing is left to tidy up
            self.client.unregister_worker_plugin(Ready.label)

    def submit(self, work: Pass) -> Future:
        """Hand out a pass, with the data it needs."""
        self.seen = monotonic()
        try:
            future = self.executor.submit(apart, work, self._data(work), spread.limit_of(work))
            self.awaited[work.runs[0].run_id] = future
            return future
        except GdbenchError:
            raise
        except Exception as error:
            raise self._gone(error) from None

    def timed_out(self, work: Pass) -> bool:
        """Whether a worker ended itself because the time of the pass was over."""
        return work.runs[0].run_id in self.ended

    def _hear(self, event: tuple[float, str]) -> None:
        """Give a pass up whose worker tells that it ends, before the scheduler hands it to the next."""
        run_id = event[1]
        if run_id in self.awaited:
            self.ended.add(run_id)
            threading.Thread(target=self.awaited[run_id].cancel, daemon=True).start()  # this is the client's own thread

    def _data(self, work: Pass) -> Any:
        """The problem, on a worker, from which the others get it; None where the pass needs no data, or fails before it would."""
        if work.case.landscape or work.error:
            return None
        key = (work.case, work.solver.dtype)
        if key not in self.sent or self.sent[key].status != "finished":
            problem = work.case.load(work.solver.dtype)
            if work.case.network is None:
                with contextlib.suppress(GdbenchError):  # the run itself will say so
                    _ = problem.optimum  # found once, and sent along
            self.sent[key] = self._send(problem)
            for old in list(self.sent)[: -plan.KEPT]:
                del self.sent[old]
        return self.sent[key]

    def _send(self, problem: Problem) -> Any:
        """Put the problem on a worker, on another if that one dies. Sent to all at once it might wait for a dead one."""
        for left in reversed(range(spread.RETRIES + 1)):
            self.client.wait_for_workers(1, timeout=GRACE)
            try:
                return self.client.scatter(problem, hash=False)
            except OSError:
                if not left:
                    raise
                self.check()

    def check(self) -> None:
        """Raise where the scheduler is gone, or all workers for a while."""
        try:
            if self.client.scheduler_info(n_workers=-1)["workers"]:
                self.seen = monotonic()
        except Exception as error:
            raise self._gone(error) from None
        if self.client.status != "running":
            raise self._gone(self.client.status)
        if monotonic() - self.seen > GRACE:
            raise self._gone(f"no worker for {GRACE:g} s")

    def _gone(self, why: object) -> GdbenchError:
        return GdbenchError(f"the Dask cluster at {self.address} is gone ({one_line(why)}); finished runs are kept: run again")


class Ready(WorkerPlugin):
    """Makes each worker, also one that joins later, compute what this process would; others are rejected.

    Parameters
    ----------
    wanted : dict
        As of :func:`gdbench.suite.identity.fingerprint`.
    sources : dict of str
        The text of each plugin, by the name of its module.
    """

    label = "gdbench"

    def __init__(self, wanted: dict[str, str], sources: dict[str, str]):
        self.wanted, self.sources = wanted, sources

    def setup(self, worker: Worker) -> None:
        """Compare versions, import plugins, and keep libraries to one thread."""
        import sklearn.linear_model  # noqa: F401  what it loads is to be limited too
        from threadpoolctl import threadpool_limits

        here = identity.fingerprint()
        for key, value in self.wanted.items():
            if here.get(key) != value:
                text = f"the worker {worker.address} has {key} {here.get(key)}, but this process has {value}"
                raise GdbenchError(f"{text}: their results would differ; install the same there")
        for name, text in self.sources.items():
            folder = tempfile.mkdtemp(prefix="gdbench-plugin-")
            path = Path(folder) / f"{name}.py"
            path.write_text(text, encoding="utf-8")
            import_plugin(name, os.fspath(path))
        self.limits = threadpool_limits(1)

    def teardown(self, worker: Worker) -> None:
        """Leave the worker as it was."""
        if hasattr(self, "limits"):
            self.limits.restore_original_limits()


def apart(work: Pass, problem: Problem | None, limit: float) -> list[Record]:
    """Execute a pass on a worker, which ends where it takes longer than `limit` seconds; its nanny starts another."""
    if problem is not None:
        work.case.keep(problem, work.solver.dtype)
    worker = get_worker()

    def tell() -> None:
        worker.log_event(ENDED, work.runs[0].run_id)
        sleep(SENT)

    spread.prepare(work)
    with spread.ended_after(limit, tell), spread.one_thread():
        return execute(work)
