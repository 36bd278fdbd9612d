"""From a results folder to what pages and figures show: problems, their solvers, and each solver at its best rate."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdbench.errors import GdbenchError
from gdbench.report import numbers, style
from gdbench.report.numbers import Spread
from gdbench.suite import metrics, results
from gdbench.suite.execute import LOST, target_label
from gdbench.suite.results import Results

#: So many solvers can be told apart in one figure.
FEW = 8

COSTS = ("epochs", "samples", "seconds")

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
    """A solver on a problem, at its best learning rate.

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
    timed : bool
        Whether it was timed alone; its seconds mean nothing otherwise.
    note : str
        What a reader has to know, such as another objective.
    costs : dict of target → dict of "epochs", "samples", "seconds" → Spread
    """

    solver: str
    label: str
    baseline: bool
    optimizer: str
    variant: str
    batch_size: int | None
    rate: float
    tried: int
    seeds: int
    epochs: float
    timed: bool
    note: str
    status: str
    final: Spread
    metric: float
    costs: dict[float, dict[str, Spread]]
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
    headline : float or None
        The tightest target that some solver reached with every seed; None if there is none.
    by : {"seconds", "epochs"}
        What soonest means here: seconds where every solver with a usable rate was timed alone.
    noise : float
        Slower ÷ faster of identical timed runs; NaN where nothing was timed twice.
    pairs : int
        How many solvers that noise comes from.
    seeds, shared : int
        Of how many seeds there are runs, and over how many of them all solvers are compared; 0 if they have none in common.
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
    headline: float | None
    by: str
    noise: float
    pairs: int
    seeds: int
    shared: int
    solvers: list[SolverView]
    targets: tuple[float, ...]

    @property
    def certified(self) -> bool:
        """Whether gaps count from a certified minimum, not from the best value known."""
        return self.model == "linear"

    @property
    def landscape(self) -> bool:
        """Whether it is a landscape: it has no rows, so that its epochs, its samples and its updates are one, a step."""
        return self.loss == "landscape"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The costs that say something of it."""
        return ("epochs",) if self.landscape else COSTS

    @property
    def axes(self) -> dict[str, str]:
        """The costs that its curves are drawn against, with what they are called."""
        return {kind: self.called(kind) for kind in self.kinds if kind != "seconds" or self.by == "seconds"}

    @property
    def unit(self) -> str:
        """What `by` is called."""
        return self.called(self.by)

    def called(self, kind: str) -> str:
        """The word for a cost."""
        return "steps" if kind == "epochs" and self.landscape else kind

    @property
    def factor(self) -> float:
        """The noise that a comparison by `by` has to exceed; epochs are counted and have none."""
        return self.noise if self.by == "seconds" else 1.0

    def cost(self, solver: SolverView) -> Spread:
        """What a solver needed to the headline target."""
        return numbers.NOTHING if self.headline is None else solver.costs[self.headline][self.by]

    def least(self, target: float, kind: str) -> float:
        """The smallest cost of any solver that reached a target with every seed; NaN where none did."""
        costs = [solver.costs[target][kind] for solver in self.solvers]
        return min((cost.value for cost in costs if cost.complete), default=math.nan)

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


@dataclass(frozen=True)
class View:
    """A whole results folder, ready to be shown."""

    results: Results
    summary: pd.DataFrame
    problems: list[ProblemView]

    @property
    def runs(self) -> pd.DataFrame:
        """A row a run."""
        return self.results.runs

    @cached_property
    def chosen(self) -> dict[tuple[str, str], pd.DataFrame]:
        """The runs of each solver at its best rate, by problem and solver."""
        return dict(iter(metrics.at_best(self.results, self.summary).groupby(SOLVER)))

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
    summary = metrics.summary(found)
    # a run that failed though f* is known is one that went below it
    lost = set(found.runs.problem[(found.runs.status == "failed") & found.runs.optimum.notna()])
    noise = metrics.clock_noise(found).set_index("problem")
    chosen = metrics.at_best(found, summary)
    drawn = Drawn(chosen_curves(found, chosen), sensitivities(found), shared_seeds(chosen))
    slugs = Slugs()
    problems = [
        _problem(found, str(name), slugs(str(name)), rows, noise, drawn, str(name) in lost)
        for name, rows in summary.groupby("problem", sort=False)
    ]
    return View(found, summary, problems)


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


def shared_seeds(chosen: pd.DataFrame) -> dict[str, int]:
    """Over how many seeds all solvers of each problem are compared; 0 where they have none in common."""
    common = metrics.in_common(chosen)
    return chosen.seed.where(common).groupby(chosen.problem).nunique().to_dict()


def chosen_curves(found: Results, chosen: pd.DataFrame) -> dict[tuple[str, str], Curve]:
    """The curve over seeds of each solver at its best rate, by problem and solver.

    It goes over the steps that at least half of the seeds recorded.
    """
    runs = chosen[chosen.optimum.notna()]
    points = found.curves[found.curves.run_id.isin(runs.run_id)]
    points = points.assign(run_id=points.run_id.astype(str)).merge(
        runs[["run_id", *SOLVER, "objective_start", "optimum"]], on="run_id"
    )
    gap = points.gap / (points.objective_start - points.optimum)
    points = points.assign(relative_gap=gap.clip(lower=numbers.SMALLEST))
    points = points[(points.step > 0) & np.isfinite(points.relative_gap)]
    steps = points.groupby([*SOLVER, "step"])
    table = steps[["epoch", "samples", "seconds", "relative_gap"]].median()
    table["low"], table["high"] = steps.relative_gap.min(), steps.relative_gap.max()
    recorded = steps.size() / runs.groupby(SOLVER).size()
    return {
        (str(problem), str(solver)): Curve(*group.to_numpy(dtype=float).T)
        for (problem, solver), group in table[recorded >= 0.5].groupby(SOLVER)
    }


NO_CURVE = Curve(*[np.empty(0)] * 6)


@dataclass(frozen=True)
class Drawn:
    """Curves and sensitivities, by problem and solver; and the seeds that the solvers share, by problem."""

    curves: dict[tuple[str, str], Curve]
    sensitivities: dict[tuple[str, str], Sensitivity]
    shared: dict[str, int]


def _problem(
    found: Results, name: str, slug: str, rows: pd.DataFrame, noise: pd.DataFrame, drawn: Drawn, refuted: bool
) -> ProblemView:
    runs = found.tuning[found.tuning.problem == name]
    epochs = runs.groupby("solver").epochs.max()
    solvers = [_solver(row, epochs[row.solver], drawn, found.targets) for _, row in rows.iterrows()]
    measured, seeds = runs[runs.optimum.notna()], runs.seed.nunique()
    first = (measured if len(measured) else runs).iloc[0]
    problem = ProblemView(
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
        headline=_headline(solvers, found.targets),
        by=_measure(solvers),
        noise=float(noise.factor.get(name, math.nan)),
        pairs=int(noise.pairs.get(name, 0)),
        seeds=seeds,
        shared=drawn.shared.get(name, seeds),
        solvers=solvers,
        targets=found.targets,
    )
    problem.solvers.sort(key=lambda solver: _order(problem, solver))
    return problem


def _order(problem: ProblemView, solver: SolverView) -> tuple[float, ...]:
    cost = problem.cost(solver)
    return (not cost.complete, cost.value, solver.final.value)


def usable(solvers: list[SolverView]) -> list[SolverView]:
    """The solvers with a learning rate that served."""
    return [solver for solver in solvers if math.isfinite(solver.rate)]


def _measure(solvers: list[SolverView]) -> str:
    """What all solvers can be compared by: seconds say nothing of one that was not timed."""
    found = usable(solvers)
    return "seconds" if found and all(solver.timed for solver in found) else "epochs"


def _headline(solvers: list[SolverView], targets: tuple[float, ...]) -> float | None:
    """The tightest target that a solver reached with all of its seeds."""
    reached = [target for target in targets if any(s.costs[target]["samples"].complete for s in solvers)]
    return min(reached, default=None)


def _solver(row: pd.Series, epochs: float, drawn: Drawn, targets: tuple[float, ...]) -> SolverView:
    key = (str(row.problem), str(row.solver))
    timed = row.timing == "alone"
    return SolverView(
        solver=row.solver,
        label=label(row),
        baseline=row.backend != "gdbench",
        optimizer=str(row.optimizer),
        variant=str(row.variant),
        batch_size=None if pd.isna(row.batch_size) else int(row.batch_size),
        rate=float(row.learning_rate),
        tried=int(row.n_rates),
        seeds=int(row.seeds),
        epochs=float(epochs),
        timed=timed,
        note=str(row.note),
        status=str(row.status),
        final=_final(row),
        metric=float(row.test_metric),
        costs={target: _costs(row, target_label(target), timed) for target in targets},
        curve=drawn.curves.get(key, NO_CURVE),
        sensitivity=drawn.sensitivities[key],
        row=row,
    )


def label(row: pd.Series) -> str:
    """A solver's name, its optimizer as its authors write it."""
    if row.backend != "gdbench":
        return str(row.solver)
    word = rf"(?<![\w-]){re.escape(str(row.optimizer))}(?![\w-])"
    return re.sub(word, lambda _: style.optimizer_name(row.optimizer), str(row.solver), count=1)


def _costs(row: pd.Series, target: str, timed: bool) -> dict[str, Spread]:
    found = {}
    for cost in COSTS:
        middle, low, high = (float(row[f"{cost}_to_{target}{end}"]) for end in ("", "_low", "_high"))
        if math.isnan(middle) or (cost == "seconds" and not timed):
            found[cost] = numbers.NOTHING
        else:
            found[cost] = Spread(middle, low, high, int(row[f"reached_{target}"]), int(row.seeds))
    return found


def _final(row: pd.Series) -> Spread:
    ends = (float(row[f"relative_gap{end}"]) for end in ("", "_low", "_high"))
    middle, low, high = (max(end, numbers.SMALLEST) for end in ends)
    if math.isnan(row.relative_gap) or row.status in LOST:
        return numbers.NOTHING
    return Spread(middle, low, high, int(row.seeds), int(row.seeds))


def sensitivities(found: Results) -> dict[tuple[str, str], Sensitivity]:
    """The sensitivity of each solver, by problem and solver."""
    runs = found.tuning[[*SOLVER, "learning_rate", "status", "relative_gap"]]
    usable = ~runs.status.isin(LOST) & np.isfinite(runs.relative_gap)
    final = runs.relative_gap.clip(lower=numbers.SMALLEST).where(usable)
    runs = runs.assign(final=final, lost=runs.status == "diverged")
    rates = runs.groupby([*SOLVER, "learning_rate"])
    table = (
        rates.final.agg(["median", "min", "max"]).assign(lost=rates.lost.sum(), seeds=rates.size()).reset_index("learning_rate")
    )
    table = table.astype(float)
    return {(str(problem), str(solver)): Sensitivity(*group.to_numpy().T) for (problem, solver), group in table.groupby(SOLVER)}
