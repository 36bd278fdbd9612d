"""From a spec to passes: what is run, in which order, under which key, and how long it should take.

A *run* is one problem, solver, learning rate and seed. A *pass* is what is executed and stored at once: the whole grid
of rates of one problem, solver and seed for gdbench (a sweep shares each row between its lanes), a single run for a
baseline.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from gdbench import baselines
from gdbench.errors import DatasetUnavailable, GdbenchError
from gdbench.kernels import landscapes, losses
from gdbench.problems import Problem, load_problem
from gdbench.problems.optimum import refuse_uncertain
from gdbench.suite.identity import fingerprint, foreign_source, foreign_sources
from gdbench.suite.solver import Fields, Solver, listed
from gdbench.suite.spec import Budget, ProblemSpec, Spec, expand_solver, import_plugins
from gdbench.suite.vocabulary import NO_RATE, REPORT, TIMED
from gdbench.tasks.inputs import row_classes
from gdbench.tasks.model import MLP, model_of, refuse_sparse


@dataclass(frozen=True)
class Case:
    """A problem of the suite, in words.

    Attributes
    ----------
    name : str
        Its label, unique in the suite.
    budget : Budget
        With the problem's own keys in place.
    """

    name: str
    data: str
    loss: str | None
    loss_fields: Fields
    penalty: str | None
    alpha: float
    l1_ratio: float
    fit_intercept: bool
    preprocessing: tuple[str, ...] | None
    target: str | None
    options: Fields
    budget: Budget
    landscape: str = ""
    landscape_fields: Fields = ()
    plugins: tuple[str, ...] = ()
    model: str = "linear"
    model_fields: Fields = ()

    @property
    def network(self) -> MLP | None:
        """The model, unless it is linear."""
        return model_of(self.model, **dict(self.model_fields))

    def load(self, dtype: str = "float64") -> Problem:
        """The problem, from an in-process cache of a few."""
        found = _kept.get(self._key(dtype))
        return self.keep(_load(self, dtype), dtype) if found is None else found

    def keep(self, problem: Problem, dtype: str) -> Problem:
        """Put the problem into the cache; one that came from another process needn't be loaded."""
        _kept[self._key(dtype)] = problem
        for key in list(_kept)[:-KEPT]:
            _kept.pop(key, None)
        return problem

    def _key(self, dtype: str) -> tuple[Case, str]:
        return replace(self, budget=Budget()), dtype


#: Problems that a process keeps in memory.
KEPT = 4

_kept: dict[tuple[Case, str], Problem] = {}


def _load(case: Case, dtype: str) -> Problem:
    import_plugins(case.plugins)
    loss = None if case.loss is None else losses.registry.make(case.loss, **dict(case.loss_fields))
    extra = dict(case.options) | ({} if case.target is None else {"target": case.target})
    return load_problem(
        case.data,
        loss=loss,
        penalty=case.penalty,
        alpha=case.alpha,
        l1_ratio=case.l1_ratio,
        fit_intercept=case.fit_intercept,
        dtype=dtype,
        preprocessing=None if case.preprocessing is None else "+".join(case.preprocessing),
        **extra,
    )


@dataclass(frozen=True)
class Run:
    """One run's place in a pass."""

    run_id: str
    learning_rate: float


def is_deterministic(case: Case, solver: Solver) -> bool:
    """Whether no seed makes a difference to a solver on a problem."""
    return not case.landscape and case.network is None and (solver.variant == "batch" or solver.shuffle == "none")


@dataclass(frozen=True)
class Pass:
    """What is executed and stored at once.

    Attributes
    ----------
    suite : str
    case : Case
    solver : Solver
    seed : int
    runs : tuple of Run
        One lane each.
    stage : {"tuning", "report", "timed"}
        The grid on the tuning seeds, the chosen rate counted on the reporting seeds, or the counted steps on the clock.
    repeat : int
        Number of the timed run, from 0; a second one of the same seed gives the A/A spread.
    epochs : int
        The budget, after `updates`.
    points : int
        Recorded on a curve.
    targets : tuple of float
    estimate : float
        Seconds.
    error : str
        Why the pass cannot run at all.
    counted : dict, optional
        Of a timed pass, the row of the run that counted its steps.
    """

    suite: str
    case: Case
    solver: Solver
    seed: int
    runs: tuple[Run, ...]
    stage: str
    repeat: int
    epochs: int
    points: int
    targets: tuple[float, ...]
    estimate: float = 0.0
    error: str = ""
    counted: dict[str, Any] | None = field(default=None, compare=False)

    @property
    def deterministic(self) -> bool:
        """Whether no seed makes a difference: neither a row order nor a start is drawn."""
        return is_deterministic(self.case, self.solver)

    @property
    def group(self) -> tuple[str, str]:
        """The problem and the solver, for which one rate is chosen."""
        return self.case.name, self.solver.label

    def only(self, keep: set[str]) -> Pass:
        """The pass with the runs in `keep` alone."""
        runs = tuple(run for run in self.runs if run.run_id in keep)
        return replace(self, runs=runs, estimate=self.estimate * len(runs) / len(self.runs))


@dataclass(frozen=True)
class Plan:
    """The grid of a suite; counting and timing follow once the rates are known."""

    spec: Spec
    passes: tuple[Pass, ...]
    #: Estimated seconds of counting and timing, for all problems together.
    timing_estimate: float = 0.0
    #: Rows, columns and outputs of each problem.
    shapes: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    #: The compiled loops that it needs, each with a case, a solver and a number of lanes that need it.
    loops: dict[Loop, tuple[Case, Solver, int]] = field(default_factory=dict)

    @property
    def n_runs(self) -> int:
        """Runs of the grid."""
        return sum(len(p.runs) for p in self.passes)

    @property
    def estimate(self) -> float:
        """Seconds that all should take, compilation apart, at most: runs that reach the last target end earlier."""
        return sum(p.estimate for p in self.passes) + self.timing_estimate


def cases(spec: Spec) -> Iterator[Case]:
    """The problems of a spec, lists of `alpha` and options crossed."""
    for entry in spec.problems:
        axes = {key: value if isinstance(value, list) else [value] for key, value in entry.options.items()}
        for alpha, *values in itertools.product(entry.alpha, *axes.values()):
            options = tuple(zip(axes, values, strict=True))
            varied = tuple((key, value) for key, value in options if len(axes[key]) > 1)
            varied += (("alpha", alpha),) * (len(entry.alpha) > 1)
            yield _case(spec, entry, alpha, options, entry.label + listed(varied, "[]"))


def _case(spec: Spec, entry: ProblemSpec, alpha: float, options: Fields, name: str) -> Case:
    budget = spec.budget.model_copy(update={k: v for k, v in entry.budget.model_dump().items() if v is not None})
    loss, fields = (entry.loss.name, entry.loss.fields) if entry.loss else (None, ())
    place = (entry.landscape.name, entry.landscape.fields) if entry.landscape else ("", ())
    same: dict[str, Any] = {
        key: getattr(entry, key) for key in ("penalty", "l1_ratio", "fit_intercept", "preprocessing", "target")
    }
    words: dict[str, Any] = {"data": entry.data or place[0], "landscape": place[0], "landscape_fields": place[1]}
    words |= {"loss": loss, "loss_fields": fields, "alpha": alpha, "options": options}
    words |= {"model": entry.model.name, "model_fields": entry.model.fields}
    return Case(name=name, budget=budget, plugins=spec.plugins, **same, **words)


def make(spec: Spec) -> Plan:
    """Plan a suite: every problem's data is loaded once, for its checksum.

    Raises
    ------
    GdbenchError
        A problem that cannot be made from its words, or two with the same name.
    """
    passes: list[Pass] = []
    shapes: dict[str, tuple[int, int, int]] = {}
    timing = 0.0
    for case in cases(spec):
        if case.name in shapes:
            raise GdbenchError(f"two problems are called '{case.name}': give one of them another name")
        shapes[case.name], made = passes_of(spec, case)
        passes += made
        timing += sum(after_tuning(spec, case, {p.group: p for p in made}.values()))
    labels = {p.group: p.solver for p in passes}
    clash = next((p for p in passes if labels[p.group] != p.solver), None)
    if clash:
        raise GdbenchError(f"two solvers are called '{clash.solver.label}'")
    return Plan(spec, tuple(passes), timing, shapes, loops_of(spec, passes, shapes))


def passes_of(spec: Spec, case: Case) -> tuple[tuple[int, int, int], list[Pass]]:
    """A problem's shape (rows, columns, outputs) and passes."""
    asked: dict[Solver, tuple[float, ...]] = {}
    for entry in spec.solvers:
        for solver, rates in expand_solver(entry, spec.learning_rates):
            asked.setdefault(solver, rates)
    words = list(asked.items())
    if case.landscape:
        return _on_landscape(spec, case, words)
    try:
        problem = case.load()
        if case.network is None:
            refuse_uncertain(problem.loss, problem.penalty)
        else:
            refuse_sparse(case.network, hasattr(problem.X, "tocsr"))
            for solver, _ in words:
                solver.setting(model=case.network, penalty=problem.penalty)
    except DatasetUnavailable as error:
        grids = [(solver, seed, rates) for solver, rates in words for seed in spec.tuning_seeds]
        return (0, 0, 0), [_unavailable(spec, case, *one, str(error)) for one in grids]
    except GdbenchError as error:
        raise GdbenchError(f"problem {case.name}: {error}") from None
    offered = [pair for name in spec.baselines for pair in _baseline(name, problem, spec.learning_rates)]
    shape = (problem.dataset.n, problem.dataset.d, outputs_of(case, problem))
    if case.network:
        offered = []  # the baselines are linear
    made = []
    for solver, rates in words:
        digest = digest_of(case, solver.dtype)
        made += [build(spec, case, solver, seed, rates, digest, shape) for seed in tuned_on(spec, case, solver)]
    for solver, rates in offered:
        alone = [(seed, (rate,)) for seed in tuned_on(spec, case, solver) for rate in rates]
        made += [build(spec, case, solver, *one, digest_of(case), shape) for one in alone]
    return shape, made


def outputs_of(case: Case, problem: Problem) -> int:
    """Outputs of a linear model; of a network as many as have its parameters, by which its cost is estimated."""
    if case.network is None:
        return row_classes(problem.task())
    outputs = problem.task(model=case.network).model.margins_out
    return case.network.hidden + -(-(outputs * (case.network.hidden + 1) + case.network.hidden) // problem.dataset.d)


def _on_landscape(
    spec: Spec, case: Case, words: list[tuple[Solver, tuple[float, ...]]]
) -> tuple[tuple[int, int, int], list[Pass]]:
    """Shape and passes of a closed-form function, which knows no rows, so that the variants are one."""
    tag = landscapes.registry.make(case.landscape, **dict(case.landscape_fields))
    digest = _landscape_digest(case)
    solvers: dict[Solver, tuple[float, ...]] = {}
    for solver, rates in words:
        bare = replace(solver, variant="batch", batch_size=None, shuffle="none", dtype="float64")
        solvers.setdefault(replace(bare, given_label=bare.label.removeprefix("batch ")), rates)
    pairs = [(solver, seed, rates) for solver, rates in solvers.items() for seed in spec.tuning_seeds]
    shape = (1, np.size(tag.start), 1)
    return shape, [build(spec, case, *pair, digest, shape) for pair in pairs]


def digest_of(case: Case, dtype: str = "float64") -> str:
    """Digest of the data and the objective, and of the source of a plugin's loss or penalty."""
    problem = case.load(dtype)
    sources = foreign_sources(problem.loss, problem.penalty)
    return " ".join([problem.digest, *sources, repr(case.network or "linear")])


def _baseline(name: str, problem: Problem, rates: tuple[float, ...]) -> Iterator[tuple[Solver, tuple[float, ...]]]:
    for offer in baselines.get(name).solvers(problem):
        words = {key: value for key, value in dataclasses.asdict(offer).items() if key not in ("label", "needs_rate")}
        yield Solver(**words, backend=name, given_label=offer.label), rates if offer.needs_rate else (NO_RATE,)


def _unavailable(spec: Spec, case: Case, solver: Solver, seed: int, rates: tuple[float, ...], error: str) -> Pass:
    made = build(spec, case, solver, seed, rates, repr(case), (0, 0, 0))
    return replace(made, error=error, estimate=0.0)


def build(
    spec: Spec,
    case: Case,
    solver: Solver,
    seed: int,
    rates: tuple[float, ...],
    problem_digest: str,
    shape: tuple[int, int, int],
    stage: str = "tuning",
    repeat: int = 0,
    counted: dict[str, Any] | None = None,
) -> Pass:
    """A pass with the keys of its runs."""
    epochs = case.budget.epochs
    if case.budget.updates is not None and shape[0]:
        epochs = min(epochs, -(-case.budget.updates // -(-shape[0] // (solver.batch_size or shape[0]))))
    points = case.budget.record
    common = {
        "problem": problem_digest,
        "solver": solver.words() | {"name": solver.label},  # one rule may stand under two names
        "seed": seed,
        "stage": stage,
        "repeat": repeat,
        "budget": [epochs, case.budget.epochs, case.budget.seconds, points],
        "steps": [(crossing["target"], crossing["step"]) for crossing in counted["crossings"]] if counted else [],
        "targets": sorted(spec.targets),
        "identity": _identity(solver.backend),
    }
    runs = tuple(Run(_digest(common | {"learning_rate": rate}), rate) for rate in rates)
    targets = tuple(sorted(spec.targets, reverse=True))
    estimate = estimated(solver, shape, len(rates), epochs, points, case.budget.seconds)
    return Pass(spec.name, case, solver, seed, runs, stage, repeat, epochs, points, targets, estimate, counted=counted)


@cache
def _identity(backend: str) -> dict[str, str]:
    """The code and the versions that a backend's numbers depend on."""
    if backend == "gdbench":
        return fingerprint()
    baseline = baselines.get(backend)
    return fingerprint() | baseline.versions() | {"source": foreign_source(type(baseline))}


def _digest(words: dict[str, Any]) -> str:
    """16 hexadecimal digits of canonical JSON."""
    return hashlib.sha256(json.dumps(words, sort_keys=True, default=str).encode()).hexdigest()[:16]


def tuned_on(spec: Spec, case: Case, solver: Solver) -> tuple[int, ...]:
    """The seeds on which a rate is chosen; one where none makes a difference."""
    return spec.tuning_seeds[:1] if is_deterministic(case, solver) else spec.tuning_seeds


def reported_on(spec: Spec, case: Case, solver: Solver) -> tuple[int, ...]:
    """The seeds on which the chosen rate is counted; one where none makes a difference, for it is the same run."""
    return spec.seeds[:1] if is_deterministic(case, solver) else spec.seeds[: case.budget.seeds]


def counted(spec: Spec, template: Pass, rate: float, seed: int, shape: tuple[int, int, int]) -> Pass:
    """The pass that counts one rate of a solver exactly."""
    case, solver = template.case, template.solver
    return build(spec, case, solver, seed, (rate,), digest_of_pass(template), shape, REPORT)


def widened(spec: Spec, template: Pass, rates: tuple[float, ...], seed: int, shape: tuple[int, int, int]) -> list[Pass]:
    """The passes of further rates of a solver, on one of the tuning seeds."""
    case, solver, digest = template.case, template.solver, digest_of_pass(template)
    grids = [rates] if solver.backend == "gdbench" else [(rate,) for rate in rates]
    return [build(spec, case, solver, seed, grid, digest, shape) for grid in grids]


def timed(spec: Spec, template: Pass, row: dict[str, Any], seed: int, repeat: int, shape: tuple[int, int, int]) -> Pass:
    """The pass that times the steps which a run counted; `row` is that run's."""
    rates = (float(row["learning_rate"]),)
    digest = digest_of_pass(template)
    return build(spec, template.case, template.solver, seed, rates, digest, shape, TIMED, repeat, row)


def digest_of_pass(work: Pass) -> str:
    """Digest of the problem of a pass."""
    if work.case.landscape:
        return _landscape_digest(work.case)
    return digest_of(work.case, work.solver.dtype)


def _landscape_digest(case: Case) -> str:
    tag = landscapes.registry.make(case.landscape, **dict(case.landscape_fields))
    return f"{tag!r} {foreign_sources(tag)}"


#: What narrowing crossings down and timing cost, in descents of one rate to the end of its budget.
COUNTING, TIMING = 3.0, 2.0


def after_tuning(spec: Spec, case: Case, templates: Iterable[Pass]) -> Iterator[float]:
    """Estimated seconds of counting and timing the chosen rate of each solver of a problem."""
    for work in templates:
        single = work.estimate / len(work.runs)
        yield COUNTING * single * len(reported_on(spec, case, work.solver))
        if spec.repeats and not case.landscape:
            yield TIMING * single * (len(spec.seeds[: case.budget.seeds]) + spec.repeats - 1)


#: Nanoseconds, from measurements on a 2.5 GHz server core: a weight in a gradient, a weight in an update, a row.
GRADIENT, UPDATE, ROW = 0.4, 1.2, 25.0


def estimated(solver: Solver, shape: tuple[int, int, int], lanes: int, epochs: int, points: int, limit: float | None) -> float:
    """Seconds that a pass takes when no lane ends early."""
    n, d, classes = shape
    if n == 0:
        return 0.0
    weights = d * classes * lanes
    steps = -(-n // (solver.batch_size or n))
    epoch = n * (ROW + 2 * GRADIENT * weights) + steps * UPDATE * weights
    points = min(points, epochs * steps)
    if solver.backend != "gdbench":
        epoch, points = n * classes * (100.0 + 2 * d) * 2, epochs
    seconds = 1e-9 * (epochs * epoch + points * n * (ROW + 3 * GRADIENT * weights)) + 0.003
    return min(seconds, lanes * limit) if limit else seconds


#: What decides which compiled loop serves a run: kinds of data, loss, penalty, model, optimizer and schedule; rows or batches;
#: one output or several.
Loop = tuple[Any, ...]

#: Seconds that compiling one loop takes in one process, of the quickstart suite on a 2.5 GHz server core.
COMPILE = 2.5


def loops_of(spec: Spec, passes: list[Pass], shapes: dict[str, tuple[int, int, int]]) -> dict[Loop, tuple[Case, Solver, int]]:
    """The loops of gdbench's own code that a suite needs, each with a case, a solver and lanes that need it."""
    found: dict[Loop, tuple[Case, Solver, int]] = {}
    for work in passes:
        solver = work.solver
        if solver.backend != "gdbench" or work.error or any(solver.words()["foreign"]):
            continue
        if work.case.landscape:
            tag = landscapes.registry[work.case.landscape]
            if not foreign_source(tag):
                found.setdefault((tag.__name__, solver.optimizer, solver.schedule), (work.case, solver, 1))
            continue
        problem = work.case.load(solver.dtype)
        network = work.case.network
        kinds = (type(problem.X).__name__, solver.dtype, type(problem.loss).__name__, type(problem.penalty).__name__)
        model = network.activation if network else "linear"
        rules = (solver.optimizer, solver.schedule, solver.batch_size == 1)
        for lanes in {len(work.runs), 1}:
            found.setdefault((*kinds, model, *rules, lanes * shapes[work.case.name][2] == 1), (work.case, solver, lanes))
    return found


def overview(made: Plan) -> list[dict[str, Any]]:
    """What would run, for people: a row a problem.

    Returns
    -------
    list of dict
        problem, rows (None of a landscape), columns (of a landscape its dimensions), solvers, rates (of the largest grid),
        seeds (that are reported), epochs, runs (of the grid), seconds (estimated, with counting and timing), error.
    """
    found: dict[str, dict[str, Any]] = {}
    templates: dict[str, dict[str, Pass]] = {}
    for work in made.passes:
        name = work.case.name
        n, d, _ = made.shapes[name]
        rows = None if work.case.landscape else n
        empty = {"problem": name, "rows": rows, "columns": d, "solvers": 0, "rates": 0}
        empty |= {"seeds": len(made.spec.seeds[: work.case.budget.seeds])}
        row = found.setdefault(name, empty | {"epochs": work.epochs, "runs": 0, "seconds": 0.0, "error": work.error})
        row["runs"] += len(work.runs)
        row["seconds"] += work.estimate
        row["rates"] = max(row["rates"], len(work.runs))
        templates.setdefault(name, {})[work.solver.label] = work
    for name, works in templates.items():
        found[name]["solvers"] = len(works)
        found[name]["seconds"] += sum(after_tuning(made.spec, next(iter(works.values())).case, works.values()))
    return list(found.values())


def describe(seconds: float) -> str:
    """A duration for people."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


__all__ = ["Case", "Pass", "Plan", "Run", "Solver", "cases", "describe", "make", "overview", "timed"]
