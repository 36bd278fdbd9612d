"""From a results folder to what pages and figures show: problems, their solvers, and each solver at its chosen rate."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdbench.analysis import uncertainty
from gdbench.analysis.hits import COSTS, Hits
from gdbench.analysis.uncertainty import NOTHING, Spread
from gdbench.analysis.verdicts import SLOWER, Verdict
from gdbench.errors import GdbenchError
from gdbench.kernels import optimizers
from gdbench.suite import results
from gdbench.suite.results import Results
from gdbench.suite.vocabulary import LOST, NO_RATE, NOT_COMPARABLE, TUNING

#: The most solvers in one figure: more lines cannot be distinguished.
FEW = 8

#: A relative gap below this is rounding: curves are cut there, so that a log axis can show them.
SMALLEST = 1e-16

#: What identifies a solver on a problem.
SOLVER = ["problem", "solver"]


@dataclass(frozen=True)
class Curve:
    """A solver's curve over seeds: x on three axes, and the relative gap's median, smallest and largest."""

    epochs: np.ndarray
    samples: np.ndarray
    seconds: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Sensitivity:
    """The final relative gap at each learning rate: median, smallest and largest of the seeds that did not diverge."""

    rate: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    diverged: np.ndarray
    seeds: np.ndarray


@dataclass(frozen=True)
class SolverView:
    """A solver on a problem, at its chosen learning rate.

    Attributes
    ----------
    solver : str
        Its name in runs.parquet.
    label : str
        What readers call it: "mini-batch Adam", "SGDRegressor".
    baseline : bool
        Not gdbench's own.
    rate, tried : float, int
        The learning rate chosen (NaN where every rate diverged), of how many.
    at_edge : bool
        Whether it is the lowest or the highest that was tried.
    deterministic : bool
        Whether no seed makes a difference, so that it was counted once.
    comparable : bool
        Whether it minimises the problem's own objective.
    timed : bool
        Whether it was timed; its seconds mean nothing otherwise.
    note : str
        What a reader has to know, such as another objective.
    costs : dict of target → dict of "epochs", "samples", "seconds", "call" → Spread
    left_again : int
        Seeds that left the headline target again, or diverged later.
    """

    solver: str
    label: str
    baseline: bool
    backend: str
    optimizer: str
    variant: str
    batch_size: int | None
    rate: float
    tried: int
    at_edge: bool
    deterministic: bool
    comparable: bool
    seeds: int
    epochs: float
    timed: bool
    note: str
    status: str
    final: Spread
    metric: float
    costs: dict[float, dict[str, Spread]]
    left_again: int
    curve: Curve
    sensitivity: Sensitivity
    row: pd.Series


@dataclass(frozen=True)
class ProblemView:
    """A problem with its solvers, the soonest first.

    Attributes
    ----------
    model : str
        "linear", or the network's name: its `optimum` is then the best value known.
    refuted : bool
        Whether a run went below the `optimum` that was taken for the minimum.
    headline : float
        The target that solvers are ranked by, as the suite declares it.
    by : {"seconds", "epochs"}
        What soonest means here: seconds of the steps where every solver with a usable rate was timed.
    noise : dict of "seconds", "call" → float
        The A/A spread of each clock, as a factor; NaN where nothing was timed twice.
    pairs : int
        How many solvers were timed twice.
    seeds, shared : int
        Of how many seeds there are runs, and how many of them all solvers have.
    verdicts : dict of solver → Verdict
        Of each solver against the first.
    """

    name: str
    slug: str
    dataset: str
    loss: str
    model: str
    penalty: str
    alpha: float
    rows: int
    columns: int
    metric_name: str
    optimum: float
    refuted: bool
    start: float
    headline: float
    by: str
    noise: dict[str, float]
    pairs: int
    seeds: int
    shared: int
    solvers: list[SolverView]
    targets: tuple[float, ...]
    verdicts: dict[str, Verdict]

    @property
    def certified(self) -> bool:
        """Whether gaps count from a certified minimum, not from the best value known."""
        return self.model == "linear"

    @property
    def landscape(self) -> bool:
        """Whether it is a landscape: it has no rows, so that its epochs, its samples and its updates are one, a step."""
        return self.loss == "landscape"

    @property
    def won(self) -> bool:
        """Whether a solver reached the headline target with every seed."""
        return self.cost(self.solvers[0]).complete

    @property
    def kinds(self) -> tuple[str, ...]:
        """The costs that say something of it."""
        if self.landscape:
            return ("epochs",)
        return tuple(COSTS) if self.by == "seconds" else ("epochs", "samples")

    @property
    def axes(self) -> dict[str, str]:
        """The costs that its curves are drawn against, with what they are called."""
        return {kind: self.called(kind) for kind in self.kinds if kind != "call"}

    @property
    def unit(self) -> str:
        """What `by` is called."""
        return self.called(self.by)

    def called(self, kind: str) -> str:
        """The word for a cost."""
        return {"call": "call seconds", "epochs": "steps" if self.landscape else "epochs"}.get(kind, kind)

    def cost(self, solver: SolverView) -> Spread:
        """What a solver needed to the headline target."""
        return solver.costs[self.headline][self.by]

    def least(self, target: float, kind: str) -> float:
        """The smallest cost of any solver that reached a target with every seed; NaN where none did."""
        costs = [solver.costs[target][kind] for solver in self.solvers]
        return min((cost.value for cost in costs if cost.complete), default=math.nan)

    @property
    def peers(self) -> list[SolverView]:
        """The solvers that are not known to be slower than the first."""
        rest = [solver for solver in self.solvers[1:] if self.won and self.cost(solver).reached]
        return [solver for solver in rest if self.verdicts[solver.solver].word != SLOWER]

    @cached_property
    def featured(self) -> list[SolverView]:
        """All solvers if they are few, otherwise the best variant of each optimizer and the best baseline."""
        drawn = [solver for solver in self.solvers if len(solver.curve.middle)]
        if len(drawn) <= FEW:
            return drawn
        seen: dict[str, SolverView] = {}
        for solver in drawn:
            seen.setdefault("baseline" if solver.baseline else solver.optimizer, solver)
        return list(seen.values())

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Solvers with something to tell."""
        return [(solver.label, solver.note) for solver in self.solvers if solver.note and self.certified]

    @property
    def edges(self) -> list[SolverView]:
        """The solvers whose rate is the lowest or the highest that was tried."""
        return [solver for solver in self.solvers if solver.at_edge]


@dataclass(frozen=True)
class View:
    """A whole results folder, ready to be shown."""

    results: Results
    hits: Hits
    problems: list[ProblemView]

    @property
    def runs(self) -> pd.DataFrame:
        """A row a run that was descended, not those that were only timed."""
        return self.results.runs[self.results.runs.stage != "timed"]

    @cached_property
    def chosen(self) -> dict[tuple[str, str], pd.DataFrame]:
        """The runs of each solver at its chosen rate, by problem and solver."""
        return dict(iter(self.results.reported.groupby(SOLVER)))

    @property
    def machine(self) -> dict[str, Any]:
        """Where it ran."""
        return self.results.machine

    @property
    def suite(self) -> str:
        """The suite's name."""
        return str(self.results.spec.get("name", ""))

    @property
    def targets(self) -> tuple[float, ...]:
        """Relative gaps, the widest first."""
        return self.results.targets


def read(folder: str | Path) -> View:
    """The view of a results folder.

    Raises
    ------
    GdbenchError
        A folder without results, or with files that are none.
    """
    return build(results.load(folder))


def build(found: Results) -> View:
    """The view of results."""
    if found.runs.empty or found.tuning.empty:
        raise GdbenchError(f"{found.folder} holds no finished run yet: let `gdbench run` go on")
    hits = Hits(found.hits)
    # a run that failed though f* is known is one that went below it
    lost = set(found.runs.problem[(found.runs.status == "failed") & found.runs.optimum.notna()])
    drawn = Drawn(chosen_curves(found), sensitivities(found))
    slugs = Slugs()
    problems = [
        _problem(found, hits, str(name), slugs(str(name)), runs, drawn, str(name) in lost)
        for name, runs in found.runs.groupby("problem", sort=False)
    ]
    return View(found, hits, problems)


class Slugs:
    """File names and anchors for names of any kind, each its own."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """The slug of the next name."""
        plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
        base = "-".join(filter(None, plain.split("-")))[:60] or "problem"
        slug, number = base, 2
        while slug in self.taken:
            slug, number = f"{base}-{number}", number + 1
        self.taken.add(slug)
        return slug


def chosen_curves(found: Results) -> dict[tuple[str, str], Curve]:
    """The curve over seeds of each solver at its chosen rate, by problem and solver.

    It goes over the steps that at least half of the seeds recorded.
    """
    runs = found.reported[found.reported.optimum.notna()]
    points = found.curves[found.curves.run_id.isin(runs.run_id)]
    points = points.assign(run_id=points.run_id.astype(str)).merge(
        runs[["run_id", *SOLVER, "objective_start", "optimum"]], on="run_id"
    )
    gap = points.gap / (points.objective_start - points.optimum)
    points = points.assign(relative_gap=gap.clip(lower=SMALLEST))
    points = points[(points.step > 0) & np.isfinite(points.relative_gap)]
    steps = points.groupby([*SOLVER, "step"])
    table = steps[["epoch", "samples", "seconds", "relative_gap"]].median()
    table["low"], table["high"] = steps.relative_gap.min(), steps.relative_gap.max()
    recorded = steps.size() / runs.groupby(SOLVER).size()
    return {
        (str(problem), str(solver)): Curve(*group.to_numpy(dtype=float).T)
        for (problem, solver), group in table[(recorded >= 0.5).reindex(table.index)].groupby(SOLVER)
    }


NO_CURVE = Curve(*[np.empty(0)] * 6)


@dataclass(frozen=True)
class Drawn:
    """Curves and sensitivities, by problem and solver."""

    curves: dict[tuple[str, str], Curve]
    sensitivities: dict[tuple[str, str], Sensitivity]


def _problem(found: Results, hits: Hits, name: str, slug: str, runs: pd.DataFrame, drawn: Drawn, refuted: bool) -> ProblemView:
    solvers = [_solver(found, hits, group, drawn) for _, group in runs.groupby("solver", sort=False)]
    measured = runs[runs.optimum.notna()]
    first = (measured if len(measured) else runs).iloc[0]
    by, seeds = _measure(solvers), [set(hits.seeds(name, solver.solver)) for solver in solvers if math.isfinite(solver.rate)]
    every, shared = set().union(*seeds), set.intersection(*seeds) if seeds else set()
    headline = found.headline
    solvers.sort(key=lambda one: (not one.costs[headline][by].complete, one.costs[headline][by].value, one.final.value))
    rest = [solver.solver for solver in solvers[1:] if solver.comparable and math.isfinite(solver.rate)]
    winner = solvers[0].solver
    kind = "samples" if by == "epochs" else by
    pairs = {"seconds": hits.clock_pairs(name, "seconds"), "call": hits.clock_pairs(name, "call")}
    return ProblemView(
        name=name,
        slug=slug,
        dataset=str(first.dataset),
        loss=str(first.loss),
        model=str(first.get("model", "linear")),
        penalty=str(first.penalty),
        alpha=float(first.alpha),
        rows=int(first.n),
        columns=int(first.d),
        metric_name=str(first.metric_name),
        optimum=float(first.optimum),
        refuted=refuted,
        start=float(first.objective_start),
        headline=headline,
        by=by,
        noise={clock: 1 + hits.clock_spread(name, clock) for clock in pairs},
        pairs=len(pairs["seconds"]),
        seeds=len(every),
        shared=len(shared),
        solvers=solvers,
        targets=found.targets,
        verdicts={one: hits.verdict(name, (one, winner), headline, kind, len(rest)) for one in rest},
    )


def usable(solvers: list[SolverView]) -> list[SolverView]:
    """The solvers with a learning rate that served."""
    return [solver for solver in solvers if math.isfinite(solver.rate)]


def _measure(solvers: list[SolverView]) -> str:
    """What all solvers can be compared by: seconds say nothing of one that was not timed."""
    found = usable(solvers)
    return "seconds" if found and all(solver.timed for solver in found) else "epochs"


def _solver(found: Results, hits: Hits, runs: pd.DataFrame, drawn: Drawn) -> SolverView:
    key = (str(runs.problem.iloc[0]), str(runs.solver.iloc[0]))
    tuned, chosen = runs[runs.stage == TUNING], runs[runs.stage == "report"]
    row = (chosen if len(chosen) else runs).iloc[0]
    rows = hits.of(*key, found.headline)
    some = rows.iloc[0] if len(rows) else None
    spreads = {target: {kind: hits.spread(*key, target, kind) for kind in COSTS} for target in found.targets}
    return SolverView(
        solver=key[1],
        label=label(row),
        baseline=row.backend != "gdbench",
        backend=str(row.backend),
        optimizer=str(row.optimizer),
        variant=str(row.variant),
        batch_size=None if pd.isna(row.batch_size) else int(row.batch_size),
        rate=float(row.learning_rate) if len(chosen) else math.nan,
        tried=tuned.learning_rate.nunique(),
        at_edge=bool(some is not None and some.at_edge),
        deterministic=bool(some is not None and some.deterministic),
        comparable=not (some is not None and some.miss == NOT_COMPARABLE),
        seeds=rows.seed.nunique(),
        epochs=float(runs.epochs.max()),
        timed=bool((runs.stage == "timed").any()),
        note=next((note for note in runs.note if note), ""),
        status=str((chosen if len(chosen) else runs).status.mode().iloc[0]),
        final=_final(chosen),
        metric=middle_of(chosen.test_metric),
        costs=spreads,
        left_again=int(rows.left_again.sum()),
        curve=drawn.curves.get(key, NO_CURVE),
        sensitivity=drawn.sensitivities.get(key, Sensitivity(*np.empty((6, 0)))),
        row=row,
    )


def middle_of(values: pd.Series) -> float:
    """The median of what is known; NaN if nothing is."""
    known = values.dropna()
    return float(known.median()) if len(known) else math.nan


def label(row: pd.Series) -> str:
    """A solver's name, its optimizer as its authors write it."""
    if row.backend != "gdbench":
        return str(row.solver)
    word = rf"(?<![\w-]){re.escape(str(row.optimizer))}(?![\w-])"
    return re.sub(word, lambda _: optimizer_name(row.optimizer), str(row.solver), count=1)


def optimizer_name(optimizer: str) -> str:
    """An optimizer's name as its authors write it: "adam" → "Adam"."""
    if optimizer == "gd":
        return "GD"
    return optimizers.registry[optimizer].__name__ if optimizer in optimizers.registry else optimizer


def _final(runs: pd.DataFrame) -> Spread:
    """The gap that the runs of the chosen rate ended at."""
    gaps = runs.relative_gap.mask(runs.status.isin(LOST) & runs.relative_gap.notna(), math.inf).to_numpy(dtype=float)
    found = uncertainty.spread(np.maximum(gaps, SMALLEST))
    return found if found.reached else NOTHING


def sensitivities(found: Results) -> dict[tuple[str, str], Sensitivity]:
    """The sensitivity of each solver, by problem and solver."""
    runs = found.tuning[[*SOLVER, "learning_rate", "status", "relative_gap"]]
    sound = ~runs.status.isin(LOST) & np.isfinite(runs.relative_gap)
    final = runs.relative_gap.clip(lower=SMALLEST).where(sound)
    runs = runs.assign(final=final, lost=runs.status == "diverged")[runs.learning_rate != NO_RATE]
    rates = runs.groupby([*SOLVER, "learning_rate"])
    table = (
        rates.final.agg(["median", "min", "max"]).assign(lost=rates.lost.sum(), seeds=rates.size()).reset_index("learning_rate")
    )
    table = table.astype(float)
    return {(str(problem), str(solver)): Sensitivity(*group.to_numpy().T) for (problem, solver), group in table.groupby(SOLVER)}
