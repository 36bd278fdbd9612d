"""What holds over all problems: performance profiles, run-time distributions and ranks; and what a step costs."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gdbench.report import view
from gdbench.report.view import ProblemView, SolverView, View
from gdbench.suite import metrics, statistics
from gdbench.suite.execute import LOST, target_label


@dataclass(frozen=True)
class Contestant:
    """A solver followed over the problems; the baselines of one library count as one."""

    label: str
    optimizer: str
    variant: str
    baseline: bool
    on: dict[str, SolverView]


@dataclass(frozen=True)
class Line:
    """A contestant's line, with a band."""

    who: Contestant
    x: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Ranks:
    """Ranks by the cost to each problem's headline target.

    Attributes
    ----------
    who : list of Contestant
        The lowest average rank first.
    problems : list of ProblemView
    ranks, costs : ndarray of shape (contestants, problems)
        Ranks from 1; those that missed the target share the last ones, and cost inf.
    mean : ndarray of shape (contestants,)
    """

    who: list[Contestant]
    problems: list[ProblemView]
    ranks: np.ndarray
    costs: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True)
class Steps:
    """One optimizer on one problem, over the number of rows a step.

    Attributes
    ----------
    solver : SolverView
        An example.
    rate : float
        The largest learning rate of the grid at which none of the sizes diverged; NaN if there is none.
    rows : ndarray of shape (k,)
    seconds : ndarray of shape (k,)
        An update, of the runs that were timed alone.
    floor : ndarray of shape (k,)
        The relative gap at which runs at `rate` circle or end.
    cost : ndarray of shape (k,)
        To the problem's headline target, at the best rate of each size; inf for a miss.
    """

    solver: SolverView
    rate: float
    rows: np.ndarray
    seconds: np.ndarray
    floor: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True)
class Across:
    """Everything over problems; a list is empty where the results hold too little for it.

    Attributes
    ----------
    by : {"seconds", "epochs"}
        What is compared: seconds where every problem has them.
    ranks : Ranks or None
    profile, distribution : list of Line
    steps : dict of problem → list of Steps
    bandwidth : DataFrame
        As of :func:`gdbench.suite.metrics.bandwidth`.
    """

    by: str
    ranks: Ranks | None
    profile: list[Line]
    distribution: list[Line]
    steps: dict[str, list[Steps]]
    bandwidth: pd.DataFrame

    @property
    def unit(self) -> str:
        """What `by` is called: "seconds", or the words of all problems for theirs, such as "epochs or steps"."""
        problems = self.ranks.problems if self.ranks else []
        return " or ".join(sorted({problem.called(self.by) for problem in problems})) or self.by


def build(shown: View) -> Across:
    """Everything over the problems of a view."""
    decided = [problem for problem in shown.problems if problem.headline is not None]
    by = "seconds" if all(problem.by == "seconds" for problem in decided) else "epochs"
    chosen = metrics.at_best(shown.results, shown.summary)
    ranks = ranking(decided, by) if decided else None
    who = ranks.who if ranks else []
    costs = Costs(chosen, by, shown.targets)
    return Across(
        by=by,
        ranks=ranks,
        profile=performance_profile(who, decided, costs) if len(decided) > 1 else [],
        distribution=run_time_distribution(who, decided, costs) if decided else [],
        steps=step_costs(shown, chosen),
        bandwidth=metrics.bandwidth(shown.results),
    )


def contestants(problems: list[ProblemView], by: str) -> list[Contestant]:
    """All solvers if they are few, otherwise each optimizer in the variant with the lowest average rank."""
    places: dict[tuple[bool, str], dict[str, SolverView]] = defaultdict(dict)
    for problem in problems:
        for solver in problem.solvers:
            key = (solver.baseline, str(solver.row.backend) if solver.baseline else solver.solver)
            if not math.isnan(solver.row.relative_gap) or not solver.baseline:
                places[key].setdefault(problem.name, solver)
    every = [Contestant(label_of(key, on), *kind(on), key[0], on) for key, on in places.items()]
    if len(every) <= view.FEW:
        return every
    mean = dict(zip(map(id, every), rank(every, problems, by)[0].mean(axis=1), strict=True))
    best: dict[tuple[bool, str], Contestant] = {}
    for one in sorted(every, key=lambda one: mean[id(one)]):
        best.setdefault((one.baseline, one.label if one.baseline else one.optimizer), one)
    return list(best.values())


def label_of(key: tuple[bool, str], on: dict[str, SolverView]) -> str:
    """A baseline is called by its solver where that is the same everywhere, else by its library."""
    labels = {solver.label for solver in on.values()}
    return labels.pop() if len(labels) == 1 else "gdbench.estimators" if key[1] == "estimators" else key[1]


def kind(on: dict[str, SolverView]) -> tuple[str, str]:
    """Optimizer and variant of a contestant."""
    first = next(iter(on.values()))
    return first.optimizer, first.variant


def rank(who: list[Contestant], problems: list[ProblemView], by: str) -> tuple[np.ndarray, np.ndarray]:
    """Ranks and costs of shape (contestants, problems)."""
    costs = np.full((len(who), len(problems)), math.inf)
    for i, one in enumerate(who):
        for j, problem in enumerate(problems):
            if problem.name in one.on and problem.headline is not None:
                costs[i, j] = one.on[problem.name].costs[problem.headline][by].value
    return pd.DataFrame(costs).rank().to_numpy(), costs


def ranking(problems: list[ProblemView], by: str) -> Ranks:
    """The ranks of the contestants, the lowest average first."""
    who = contestants(problems, by)
    ranks, costs = rank(who, problems, by)
    order = np.argsort(ranks.mean(axis=1), kind="stable")
    return Ranks([who[i] for i in order], problems, ranks[order], costs[order], ranks[order].mean(axis=1))


class Costs:
    """What each seed of a solver needed to a target, at its best rate; inf where it missed or did not run."""

    def __init__(self, chosen: pd.DataFrame, by: str, targets: tuple[float, ...]):
        self.by = by
        self.targets = targets
        self.of = dict(iter(chosen.sort_values("seed").groupby(["problem", "solver"], sort=False)))
        self.seeds = chosen.groupby("problem").seed.nunique()

    def __call__(self, who: Contestant, problem: ProblemView, target: float) -> np.ndarray:
        """Costs of shape (seeds,)."""
        found = np.full(self.seeds[problem.name], math.inf)
        solver = who.on.get(problem.name)
        if solver is not None and (problem.name, solver.solver) in self.of:
            values = self.of[problem.name, solver.solver][f"{self.by}_to_{target_label(target)}"].fillna(math.inf)
            found[: len(values)] = values
        return found


def performance_profile(who: list[Contestant], problems: list[ProblemView], costs: Costs) -> list[Line]:
    """Dolan and Moré's profiles: the share of problems on which a solver needs at most τ times the best one's cost."""
    return lines(
        who, statistics.performance_profile([np.array([costs(one, p, p.headline or 0.0) for one in who]) for p in problems])
    )


def run_time_distribution(who: list[Contestant], problems: list[ProblemView], costs: Costs) -> list[Line]:
    """COCO's distributions: the share of all (problem, target, seed) that a solver reached within a cost."""
    parts = [np.array([[costs(one, p, t) for t in costs.targets] for one in who]) for p in problems]
    found = statistics.run_time_distribution(parts)
    return lines(who, found) if found else []


def lines(who: list[Contestant], shares: statistics.Shares) -> list[Line]:
    """A line for each contestant."""
    return [Line(one, shares.x, *ends) for one, *ends in zip(who, shares.middle, shares.low, shares.high, strict=True)]


def step_costs(shown: View, chosen: pd.DataFrame) -> dict[str, list[Steps]]:
    """Of each problem, the optimizers that ran with more than one number of rows a step."""
    floors = ends(shown)
    timed = chosen[(chosen.timing == "alone") & (chosen.n_updates > 0)]
    pace = (timed.seconds / timed.n_updates).groupby([timed.problem, timed.solver]).median()
    found: dict[str, list[Steps]] = {}
    for problem in shown.problems:
        sizes: dict[str, list[SolverView]] = defaultdict(list)
        for solver in problem.solvers:
            if not solver.baseline and solver.row.schedule == "constant":
                sizes[solver.optimizer].append(solver)
        made = [_steps(problem, group, floors, pace) for group in sizes.values()]
        found[problem.name] = [steps for steps in made if len(steps.rows) > 1]
    return found


def ends(shown: View) -> pd.Series:
    """Where the runs of the grid circle, or the gap they ended with, by problem, solver and rate; inf if one diverged."""
    runs = shown.results.tuning
    floors = metrics.noise_floor(shown.results).set_index("run_id").floor
    lost = runs.status.isin(LOST)
    end = runs.run_id.map(floors).astype(float).fillna(runs.relative_gap).where(~lost, math.inf)
    grouped = end.groupby([runs.problem, runs.solver, runs.learning_rate])
    return grouped.median().where(grouped.max() < math.inf, math.inf)


def _steps(problem: ProblemView, solvers: list[SolverView], floors: pd.Series, pace: pd.Series) -> Steps:
    by_rows = {problem.rows if s.batch_size is None else s.batch_size: s for s in reversed(solvers)}
    rows = sorted(by_rows)
    table = pd.DataFrame({size: floors[problem.name, by_rows[size].solver] for size in rows})
    sound = table.index[np.isfinite(table).all(axis=1)]
    rate = float(sound.max()) if len(sound) else math.nan
    return Steps(
        solver=solvers[0],
        rate=rate,
        rows=np.array(rows, dtype=float),
        seconds=np.array([pace.get((problem.name, by_rows[size].solver), math.nan) for size in rows]),
        floor=table.loc[rate].to_numpy(dtype=float) if len(sound) else np.full(len(rows), math.nan),
        cost=np.array([problem.cost(by_rows[size]).value for size in rows]),
    )
