"""Running a suite, every finished pass in the ledger before the next begins.

The grid of rates on the tuning seeds, widened where the best rate lies at its end; the chosen rates, counted on the reporting
seeds; and what was counted, on the clock.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from gdbench.errors import GdbenchError
from gdbench.suite import again, machine, plan, spec, spread, tuning, warm
from gdbench.suite.execute import execute
from gdbench.suite.plan import Pass, Plan
from gdbench.suite.progress import Reporter
from gdbench.suite.results import Results, load
from gdbench.suite.store.ledger import Ledger
from gdbench.suite.store.tables import export
from gdbench.suite.vocabulary import Record
from gdbench.writing import stdout_to_stderr


@stdout_to_stderr()
def run_suite(
    name_or_path: str | Path | spec.Spec,
    out: str | Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    fresh: bool = False,
    quick: bool = False,
    max_time: float | None = None,
    reporter: Reporter | None = None,
) -> Results:
    """Run a suite, or go on with it where it was stopped.

    Parameters
    ----------
    name_or_path : str, path or Spec
        A built-in suite, a TOML file, or what ``gdbench.suite.spec.load`` or ``part`` returned.
    out : path
        The results folder; made if missing.
    jobs : int, default 1
        Processes for what needs no clock, the grid of rates and the counting; the chosen rates are timed alone after it.
    dask : str, optional
        The address of a Dask scheduler, to whose workers the grid is sent instead; or "local", which starts `jobs` workers
        (one a processor by default). The best rates are timed here.
    fresh : bool, default False
        Start over; the ledger before is kept beside the new one.
    quick : bool, default False
        One seed, three rates, a fifth of the epochs.
    max_time : float, optional
        Seconds after which no further pass begins; what is left is done by the next call.
    reporter : Reporter, optional
        Hears of the progress.

    Returns
    -------
    Results
        ``finished < planned`` if `max_time` ended it.

    Raises
    ------
    GdbenchError
        A wrong spec, a folder that cannot be written, a damaged ledger.
    KeyboardInterrupt
        After Ctrl-C, once the folder is in order.
    """
    if jobs < 1:
        raise GdbenchError(f"jobs must be at least 1, not {jobs}")
    chosen = name_or_path if isinstance(name_or_path, spec.Spec) else spec.load(name_or_path)
    made = plan.make(spec.quick(chosen) if quick else chosen)
    with Ledger(out, fresh=fresh) as ledger:
        session = Session(made, ledger, jobs, max_time, reporter or Reporter(), dask)
        session.prepare(quick)
        try:
            session.go()
        finally:
            session.close()
    return load(out)


#: A problem and a solver, for which one rate is chosen.
Group = tuple[str, str]


class OutOfTime(Exception):
    """The suite's time is over."""


class Session:
    """A plan on its way through the ledger."""

    def __init__(
        self, made: Plan, ledger: Ledger, jobs: int, max_time: float | None, reporter: Reporter, dask: str | None = None
    ):
        self.plan = made
        self.ledger = ledger
        self.jobs = jobs
        self.dask = dask
        self.begun = perf_counter()
        self.deadline = None if max_time is None else self.begun + max_time
        self.reporter = reporter
        #: The passes that follow from the grid, as far as they are known: further rates, and counting and timing the chosen ones.
        self.widened: dict[Group, list[Pass]] = {}
        self.counted: dict[Group, list[Pass]] = {}
        self.timed: list[Pass] = []
        #: Whether this session has stored a pass.
        self.stored = False
        #: Holds the processes of the stages that need no clock; closed before anything is timed.
        self.untimed = contextlib.ExitStack()
        self.crew: spread.Crew | None = None

    def prepare(self, quick: bool) -> None:
        """Write down what is going to happen: the grid, and what follows from it as far as that is done."""
        self._look_ahead()
        self.ledger.begin(
            self.plan.spec.model_dump(mode="json"),
            self._planned(),
            machine=machine.describe(),
            jobs=self.jobs,
            dask=self.dask,
            quick=quick,
            installation=again.installation(),
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )
        self.reporter.begin(self.plan, self.ledger.counts()[1])

    def _planned(self) -> list[str]:
        """The keys of all runs that are planned as yet, the grid's first."""
        further = (*itertools.chain(*self.widened.values()), *itertools.chain(*self.counted.values()), *self.timed)
        return [run.run_id for p in (*self.plan.passes, *further) for run in p.runs]

    def _look_ahead(self) -> None:
        """Plan what follows from the runs that are in the ledger."""
        self.widened = {group: list(self.widened_passes(group, members)) for group, members in self._groups()}
        self.counted = {group: list(self.counted_passes(group, members)) for group, members in self._groups()}
        self.timed = list(self.timed_passes())

    def go(self) -> None:
        """The grid, the chosen rates, and their clocks."""
        with contextlib.suppress(OutOfTime), spread.one_thread(), self.untimed:
            self._compile()
            self._work_off("descending", self.plan.passes, spread_out=True)
            self._advance()
            self._work_off("widening", list(itertools.chain(*self.widened.values())), spread_out=True)
            self._advance()
            self._work_off("counting", list(itertools.chain(*self.counted.values())), spread_out=True)
            self._advance()
            self.untimed.close()
            with spread.pinned():
                self._work_off("timing alone", self.timed)

    def _advance(self) -> None:
        """Plan anew, now that more is in the ledger."""
        self._look_ahead()
        self.ledger.set_plan(self._planned())

    def _compile(self) -> None:
        """Fill the cache of compiled loops, with several processes where there are processors for them."""
        processes, missing = warm.processes(), len(warm.missing(self.plan))
        each = plan.COMPILE / processes
        self.reporter.stage("compiling", each * missing)
        begin = perf_counter()
        for loop in warm.compile_all(self.plan, processes):
            self.reporter.advance(each, loop)
            self._check_time()
        self.ledger.tell(loops_compiled=missing, compile_seconds=round(perf_counter() - begin, 3))

    def close(self) -> None:
        """Export what there is, however the session ended."""
        self.reporter.stage("writing", 0.0)
        try:
            self.ledger.tell(wall_seconds=round(perf_counter() - self.begun, 3))
            export(self.ledger)
        finally:
            self.reporter.end(*self.ledger.counts())

    def _work_off(self, stage: str, passes: Sequence[Pass], spread_out: bool = False) -> int:
        """Execute the passes whose runs are not in the ledger, and store each before the next; returns their number."""
        done = self.ledger.done(run.run_id for p in passes for run in p.runs)
        open_runs = [(p, {run.run_id for run in p.runs} - done) for p in passes]
        todo = [p.only(missing) for p, missing in open_runs if missing]
        if todo and self.stored:  # each call stores something, so that calls come to an end
            self._check_time()
        self.reporter.stage(stage, sum(p.estimate for p in todo))
        for number, (work, records) in enumerate(self._executed(todo, spread_out), 1):
            self.ledger.add(records)
            self.stored = True
            self.reporter.advance(work.estimate, f"{work.case.name}: {work.solver.label}")
            if number < len(todo):
                self._check_time()
        return len(todo)

    def _check_time(self) -> None:
        if self.deadline is not None and perf_counter() > self.deadline:
            raise OutOfTime

    def _executed(self, todo: list[Pass], spread_out: bool) -> Iterator[tuple[Pass, list[Record]]]:
        apart = any(work.case.plugins for work in todo)  # a body that does not end is ended with its process
        if spread_out and (apart or (len(todo) > 1 and (self.jobs > 1 or self.dask))):
            yield from spread.executed(todo, self._crew())
        elif apart:
            with spread.Processes(1) as crew:
                yield from spread.executed(todo, crew)
        else:
            yield from ((work, execute(work)) for work in todo)

    def _crew(self) -> spread.Crew:
        """The processes that the grid and the counting are spread over: the same for all stages, with their data at hand."""
        if self.crew is None:
            self.crew = self.untimed.enter_context(self._new_crew())
        return self.crew

    def _new_crew(self) -> Any:
        if self.dask is None:
            return spread.Processes(self.jobs)
        from gdbench.suite import cluster

        return cluster.Cluster(self.dask, self.jobs, self.plan.spec.plugins)

    def widened_passes(self, group: Group, members: list[Pass]) -> Iterator[Pass]:
        """Further rates of a solver whose best one lies at an end of the grid."""
        choice = self._choice(members)
        if choice is None or self.plan.spec.tuning == "none":
            return
        rates = tuning.further(choice)
        for seed in dict.fromkeys(p.seed for p in members) if rates else ():
            yield from plan.widened(self.plan.spec, members[0], rates, seed, self.plan.shapes[group[0]])

    def counted_passes(self, group: Group, members: list[Pass]) -> Iterator[Pass]:
        """The chosen rate of a solver, on each reporting seed."""
        suite, choice = self.plan.spec, self._choice([*members, *self.widened[group]])
        if choice is not None and choice.learning_rate is not None:
            for seed in plan.reported_on(suite, members[0].case, members[0].solver):
                yield plan.counted(suite, members[0], choice.learning_rate, seed, self.plan.shapes[group[0]])

    def timed_passes(self) -> Iterator[Pass]:
        """What was counted, once for each reporting seed, and for the first as often as `repeats` says.

        The solvers of a problem take turns, so that a machine that slows down does so for all of them, and the repeated
        timings of one solver lie far apart: their difference is the A/A spread.
        """
        suite = self.plan.spec
        for passes in self._by_problem().values():
            case = next(iter(passes.values()))[0].case
            if not suite.repeats or case.landscape:
                continue
            seeds = suite.seeds[: case.budget.seeds]
            turns = [(seed, 0) for seed in seeds] + [(seeds[0], r) for r in range(1, suite.repeats)]
            rows = {group: self._rows_by_seed(self.counted[group]) for group in passes}
            for seed, repeat in turns:
                for group, members in passes.items():
                    # a solver that no seed changes was counted on one, and is timed as often as the others
                    counted = rows[group].get(seed if len(self.counted[group]) > 1 else seeds[0])
                    if counted is not None and counted["status"] != "failed":
                        yield plan.timed(suite, members[0], counted, seed, repeat, self.plan.shapes[group[0]])

    def _rows_by_seed(self, passes: list[Pass]) -> dict[int, dict[str, Any]]:
        """The rows of the finished ones of passes of one run each."""
        run_ids = self.ledger.states(run.run_id for p in passes for run in p.runs)
        return {record.row["seed"]: record.row for record in self.ledger.rows(run_ids)}

    def _groups(self) -> Iterator[tuple[Group, list[Pass]]]:
        for groups in self._by_problem().values():
            yield from groups.items()

    def _by_problem(self) -> dict[str, dict[Group, list[Pass]]]:
        found: dict[str, dict[Group, list[Pass]]] = defaultdict(lambda: defaultdict(list))
        for work in self.plan.passes:
            found[work.case.name][work.group].append(work)
        return found

    def _choice(self, passes: list[Pass]) -> tuning.Choice | None:
        """The rate that the rule of the suite chooses; None where there is none, or these passes are not complete."""
        suite, run_ids = self.plan.spec, [run.run_id for p in passes for run in p.runs]
        if any(p.error for p in passes) or len(self.ledger.states(run_ids)) < len(run_ids):
            return None
        return tuning.choose([record.row for record in self.ledger.rows(run_ids)], suite.targets, suite.tuning)
