"""Timing solvers of a results folder again, in a process of the installation that made it.

Two folders made at different times were timed on a machine in two states. A process of each of their installations, asked in
turn, gives pairs of timings that lie beside each other in time. The process is started by the interpreter that made the folder
and talks in lines of JSON: a question names a solver and the steps to time, the answer holds the seconds, and the key of the run
that the process would make of that solver. Where it is not the key in the folder, code, data or libraries are others by now.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gdbench.errors import GdbenchError, one_line
from gdbench.suite import plan, spec, spread
from gdbench.suite.execute import timing
from gdbench.suite.identity import PACKAGE
from gdbench.suite.results import Results
from gdbench.suite.store.shapes import read_json

#: Seconds after which a process that has not answered is ended.
PATIENCE = 600.0

#: The clocks: seconds of a whole call of so many steps, and of the steps alone.
CALL, STEPS = "call", "steps"


def installation() -> dict[str, str]:
    """The interpreter that runs, and the folder in which it finds gdbench."""
    return {"python": sys.executable, "package": str(PACKAGE.parent)}


@dataclass(frozen=True)
class Question:
    """What is to be timed: so many steps of a solver, at its learning rate, from a seed, by one of the clocks."""

    problem: str
    solver: str
    learning_rate: float
    seed: int
    step: int
    clock: str


# ---- the process that is asked


class Answering:
    """Answers questions about a results folder.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path):
        self.spec = spec.resolved(read_json(folder / "spec.json"))
        self.cases = {case.name: case for case in plan.cases(self.spec)}
        self.prepared = cache(self._prepared)

    def seconds(self, question: Question) -> dict[str, Any]:
        """The seconds, and the key of the run."""
        run_id, call, epoch = self.prepared(question.problem, question.solver, question.learning_rate, question.seed)
        self._warm(call, question)
        if question.clock == CALL:
            return {"run_id": run_id, "seconds": timing.seconds_of(call, question.step)}
        return {"run_id": run_id, "seconds": timing.seconds_a_step(call, epoch) * question.step}

    def _prepared(self, problem: str, solver: str, rate: float, seed: int) -> tuple[str, Callable[[int], None], int]:
        """The key of a run, what a user calls to take so many steps of it, and the steps of an epoch."""
        shape, passes = self._passes(problem)
        template = next((one for one in passes if one.solver.label == solver), None)
        if template is None:
            raise GdbenchError(f"{solver} does not solve {problem}")
        work = plan.counted(self.spec, template, rate, seed, shape)
        call = timing.caller(work, work.case.load(work.solver.dtype))
        call(1)  # what is compiled is not timed
        return work.runs[0].run_id, call, -(-shape[0] // (work.solver.batch_size or shape[0]))

    def _passes(self, problem: str) -> tuple[tuple[int, int, int], list[plan.Pass]]:
        if problem not in self.cases:
            raise GdbenchError(f"its suite has no problem {problem}")
        return plan.passes_of(self.spec, self.cases[problem])

    @staticmethod
    def _warm(call: Callable[[int], None], question: Question) -> None:
        """Bring data and code into the caches, which the process beside this one has used since."""
        call(min(question.step, 100))


def answer(folder: Path) -> None:
    """Answer each line of standard input by one on standard output, until there are no more."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out, spread.one_thread(), spread.pinned():
        os.dup2(2, 1)  # whatever else is printed must not stand between the answers
        answering = Answering(folder)
        for line in sys.stdin:
            try:
                found = answering.seconds(Question(**json.loads(line)))
            except GdbenchError as error:
                found = {"error": str(error)}
            except Exception as error:
                found = {"error": f"{type(error).__name__}: {one_line(error)}"}
            print(json.dumps(found), file=out, flush=True)


# ---- the one that asks


class Side:
    """The process of one results folder, running while the context is open.

    Parameters
    ----------
    results : Results

    Raises
    ------
    GdbenchError
        It cannot be started: the installation is gone, or not known.
    """

    def __init__(self, results: Results):
        self.folder = results.folder
        self.run_ids = set(results.reported["run_id"])
        made = results.sessions[-1].get("installation") if results.sessions else None
        if not isinstance(made, dict):
            raise GdbenchError(f"{self.folder} does not say which gdbench made it")
        self.python, self.package = str(made.get("python")), str(made.get("package"))
        for path in (Path(self.python), Path(self.package, "gdbench")):
            if not path.exists():
                raise GdbenchError(f"{path}, which made {self.folder}, is not there any more")

    def __enter__(self) -> Side:
        paths = [self.package, *filter(None, [os.environ.get("PYTHONPATH")])]
        # the folder that this process was started in may hold another gdbench
        environment = os.environ | spread.ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                [self.python, "-m", "gdbench.suite.again", str(self.folder.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env=environment,
                encoding="utf-8",
            )
        except OSError as error:
            self.errors.close()
            raise GdbenchError(f"{self.python}, which made {self.folder}, does not start: {one_line(error)}") from None
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def seconds(self, question: Question) -> float:
        """The seconds that the process needs.

        Raises
        ------
        GdbenchError
            It cannot answer, or not as the gdbench that made the folder.
        """
        found = self._ask(json.dumps(asdict(question)))
        if "error" in found:
            raise GdbenchError(f"{self.folder}: {found['error']}")
        if found["run_id"] not in self.run_ids:
            raise GdbenchError(f"{self.package}, which made {self.folder}, holds other code, data or libraries by now")
        return float(found["seconds"])

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def _ask(self, line: str) -> dict[str, Any]:
        over = threading.Timer(PATIENCE, self.process.kill)
        over.start()
        try:
            assert self.process.stdin is not None and self.process.stdout is not None
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            raise GdbenchError(f"{self.folder}: its gdbench cannot time again: {self._last_words()}") from None
        finally:
            over.cancel()

    def _last_words(self) -> str:
        """The last line that the process wrote before it ended."""
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), f"its process ended with code {code}")


if __name__ == "__main__":
    answer(Path(sys.argv[1]))
