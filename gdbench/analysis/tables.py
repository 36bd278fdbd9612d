"""What a report shows, as tables: a row a solver, a row a target, a row a pair."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gdbench.analysis.hits import COSTS
from gdbench.analysis.view import ProblemView, SolverView, View
from gdbench.suite.vocabulary import target_label

#: What a solver is called by, in each table.
WORDS = ("backend", "variant", "batch_size", "optimizer")


def summary(shown: View) -> pd.DataFrame:
    """A row a problem and solver.

    Returns
    -------
    DataFrame
        problem, solver, backend, variant, batch_size, optimizer; learning_rate, rates (tried), at_edge, seeds, deterministic,
        comparable; for each target T, such as 1e-3: reached_T (seeds that did), art_T (in epochs), and for each cost C of epochs,
        samples, seconds, call: C_to_T, C_to_T_low and C_to_T_high; relative_gap (final) with _low and _high; test_metric,
        metric_name, status, note.
    """
    rows = [_summary(problem, solver) for problem in shown.problems for solver in problem.solvers]
    return pd.DataFrame(rows).astype({"batch_size": "Int64"})


def _summary(problem: ProblemView, solver: SolverView) -> dict[str, Any]:
    row: dict[str, Any] = {"problem": problem.name, "solver": solver.solver} | {key: getattr(solver, key) for key in WORDS}
    row |= {"learning_rate": solver.rate, "rates": solver.tried, "at_edge": solver.at_edge, "seeds": solver.seeds}
    row |= {"deterministic": solver.deterministic, "comparable": solver.comparable}
    for target, costs in solver.costs.items():
        label = target_label(target)
        row |= {f"reached_{label}": costs["epochs"].hits, f"art_{label}": costs["epochs"].art}
        for kind, cost in costs.items():
            ends = {"": cost.value, "_low": cost.low, "_high": cost.high}
            row |= {f"{kind}_to_{label}{end}": value for end, value in ends.items()}
    final = solver.final
    row |= {"relative_gap": final.value, "relative_gap_low": final.low, "relative_gap_high": final.high}
    return row | {
        "test_metric": solver.metric,
        "metric_name": problem.metric_name,
        "status": solver.status,
        "note": solver.note,
    }


def intervals(shown: View) -> pd.DataFrame:
    """A row a problem, solver, target and cost: value, low, high, art, successes, seeds."""
    rows = []
    for problem in shown.problems:
        for solver in problem.solvers:
            for target, costs in solver.costs.items():
                same = (problem.name, solver.solver, solver.rate, solver.at_edge, target)
                rows += [(*same, kind, c.value, c.low, c.high, c.art, c.hits, c.seeds) for kind, c in costs.items()]
    names = ["problem", "solver", "learning_rate", "at_edge", "target", "cost"]
    return pd.DataFrame(rows, columns=[*names, "value", "low", "high", "art", "successes", "seeds"])


def comparisons(shown: View) -> pd.DataFrame:
    """A row a problem, target, cost and solver: how many times as much as the problem's first it needed, with the verdict."""
    rows = []
    for problem in shown.problems:
        winner = problem.solvers[0].solver
        others = list(problem.verdicts)
        for target in problem.targets:
            for kind in COSTS if problem.by == "seconds" else ("epochs", "samples"):
                for other in others:
                    found = shown.hits.verdict(problem.name, (other, winner), target, kind, len(others))
                    told = (found.ratio, found.low, found.high, found.seeds, found.word)
                    rows.append((problem.name, winner, other, target, kind, *told))
    return pd.DataFrame(
        rows, columns=["problem", "first", "solver", "target", "cost", "ratio", "low", "high", "seeds", "verdict"]
    )
