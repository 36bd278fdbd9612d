"""What holds over all problems: ranks, profiles and run-time distributions; what a step costs; how fast data was read."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gdbench.analysis import profiles, ranks
from gdbench.analysis.profiles import Line
from gdbench.analysis.ranks import Ranks
from gdbench.analysis.view import SOLVER, ProblemView, SolverView, View
from gdbench.suite.results import Results
from gdbench.suite.vocabulary import LOST


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
        An update, on the step clock.
    floor : ndarray of shape (k,)
        The relative gap at which runs at `rate` circle or end.
    cost : ndarray of shape (k,)
        To the problem's headline target, at the chosen rate of each size; inf for a miss.
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
        What is compared: seconds of the steps where every problem has them.
    ranks, own : Ranks or None
        With the baselines, and of gdbench's own optimizers alone; the second is None where there are no baselines.
    profile, distribution : list of Line
    steps : dict of problem → list of Steps
    bandwidth : DataFrame
        problem, solver, gb_s, nanoseconds_a_row, share (of what the machine reads).
    """

    by: str
    ranks: Ranks | None
    own: Ranks | None
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
    decided = [problem for problem in shown.problems if problem.won]
    by = "seconds" if all(problem.by == "seconds" for problem in decided) else "epochs"
    found = ranks.ranking(decided, by) if decided else None
    baselines = found is not None and any(one.baseline for one in found.who)
    who = found.who if found else []
    return Across(
        by=by,
        ranks=found,
        own=ranks.ranking(decided, by, baselines=False) if baselines else None,
        profile=profiles.performance_profile(found) if found and len(decided) > 1 else [],
        distribution=profiles.run_time_distribution(shown.hits, who, decided, by),
        steps=step_costs(shown),
        bandwidth=bandwidth(shown.results),
    )


def bandwidth(found: Results) -> pd.DataFrame:
    """How fast timed solvers read their data, by the step clock."""
    timed = found.timed[found.timed["seconds"] > 0].copy()
    timed["gb_s"] = timed["data_bytes"] * timed["epochs"] / timed["seconds"] / 1e9
    timed["nanoseconds_a_row"] = timed["seconds"] / timed["n_samples"] * 1e9
    table = timed.groupby(SOLVER, sort=False)[["gb_s", "nanoseconds_a_row"]].median().reset_index()
    table["share"] = table["gb_s"] / (found.machine.get("read_bandwidth_gb_s") or math.nan)
    return table


def noise_floor(found: Results) -> pd.DataFrame:
    """Where the grid's runs at a constant rate circle: the median relative gap over the last half of their epochs.

    Returns
    -------
    DataFrame
        A row a run with status "budget" and a constant schedule: run_id, problem, solver, learning_rate, seed, floor.
    """
    runs = found.tuning
    runs = runs[(runs["status"] == "budget") & (runs["schedule"] == "constant") & runs["gap"].notna()]
    ends = runs.set_index("run_id")["n_samples"]
    points = found.curves[found.curves["run_id"].isin(ends.index)]
    ids = points["run_id"].astype(str)
    late = points[(points["samples"] >= 0.5 * ids.map(ends).astype(float)).to_numpy()]
    floors = late.groupby(late["run_id"].astype(str))["gap"].median()
    table = runs[["run_id", *SOLVER, "learning_rate", "seed"]].copy()
    scale = runs["objective_start"] - runs["optimum"]
    table["floor"] = table["run_id"].map(floors).astype(float) / scale  # of no rows, a map has another kind
    return table.reset_index(drop=True)


def step_costs(shown: View) -> dict[str, list[Steps]]:
    """Of each problem, the optimizers that ran with more than one number of rows a step."""
    floors = ends(shown)
    timed = shown.results.timed
    timed = timed[timed.n_updates > 0]
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
    floors = noise_floor(shown.results).set_index("run_id").floor
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
