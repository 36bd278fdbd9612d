"""Compiling a suite's loops before it begins, in several processes: the cache on disk then serves them all.

Numba compiles under Python's lock, so that threads would not help. Loops with an optimizer or loss from a plugin are
compiled where they are used, for nothing from outside gdbench is cached on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import as_completed
from functools import cache
from pathlib import Path

from gdbench.errors import GdbenchError
from gdbench.kernels.compile import storage
from gdbench.solve import descent
from gdbench.suite import spread
from gdbench.suite.execute import landscape
from gdbench.suite.plan import COMPILE, Case, Loop, Plan, Solver
from gdbench.tasks.inputs import make_task

#: Fewer loops than this are not worth starting processes for.
WORTHWHILE = 6


def missing(plan: Plan) -> dict[Loop, tuple[Case, Solver, int]]:
    """The loops that the cache does not hold, each with a case, a solver and a number of lanes that need it."""
    return {loop: use for loop, use in plan.loops.items() if not marker(loop).exists()}


def marker(loop: Loop) -> Path:
    """The file that says that a loop has been compiled; it lies in the folder of the compiled code.

    Numba keeps the code of each installation by itself, and looks at the time of its files: so does the marker.
    """
    words = f"{loop!r} {Path(storage.__file__).parent} {installed()}"
    return storage.cache_folder() / "suites" / hashlib.sha256(words.encode()).hexdigest()[:16]


@cache
def installed() -> int:
    """When the newest file of the kernels was written, in nanoseconds."""
    return max(path.stat().st_mtime_ns for path in storage.sources())


def estimate(plan: Plan) -> float:
    """Seconds that compiling the missing loops should take here."""
    count = len(missing(plan))
    return COMPILE * count / (processes() if count >= WORTHWHILE else 1)


def compile_all(plan: Plan, processes: int) -> Iterator[str]:
    """Compile the missing loops, naming each as it is done."""
    todo = list(missing(plan).items())
    if len(todo) < WORTHWHILE or processes < 2:
        return
    with spread.Processes(min(processes, len(todo))) as pool:
        for future in as_completed([pool.call(_compile, loop, *use) for loop, use in todo]):
            with contextlib.suppress(Exception):  # what a process died of is told by the run that needs the loop
                yield future.result()


def _compile(loop: Loop, case: Case, solver: Solver, lanes: int) -> str:
    """Compile one loop into the cache; what fails here is told by the run that needs it."""
    with contextlib.suppress(GdbenchError, OSError):
        if case.landscape:
            landscape.compile(case, solver)
        else:
            _compile_descent(case, solver, lanes)
        path = marker(loop)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return f"{case.name}: {solver.label}"


def _compile_descent(case: Case, solver: Solver, lanes: int) -> None:
    problem = case.load(solver.dtype)
    words = {"loss": problem.loss, "penalty": problem.penalty, "fit_intercept": problem.fit_intercept, "epochs": 1}
    words["model"] = case.network or "linear"
    setting = solver.setting(learning_rates=[0.1] * lanes, **words)
    descent.Descent(make_task(problem.X, problem.y, setting)[0], setting).compile()


def processes() -> int:
    """Processes to compile in: the processors that may be used, at most four."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, 4)
