"""Two results folders side by side: what is common to both, whether it can be compared, and what changed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gdbench.analysis.hits import COUNTED
from gdbench.analysis.uncertainty import median
from gdbench.analysis.verdicts import FASTER, SLOWER, Costs, Verdict, judge
from gdbench.analysis.view import ProblemView, View, label

BETTER, WORSE, SAME, UNDECIDED = "better", "worse", "equal", "undecided"

#: What is compared, by the cost that it is counted in: samples to the target, seconds of the steps and of the whole call to it.
MEASURES = {"convergence": "samples", "steps": "seconds", "call": "call"}

#: Words of a verdict on B's cost against A's.
WORDS = {SLOWER: WORSE, FASTER: BETTER, "equal": SAME, "undecided": UNDECIDED}

#: The keys of two specs that have to agree for their runs to be of the same kind; the others are named where they differ.
SPEC = ("targets", "headline", "seeds", "tuning_seeds", "tuning", "learning_rates")


def differences(one: View, other: View) -> list[str]:
    """What of the two suites does not agree, in sentences."""
    a, b = one.results.spec, other.results.spec
    found = []
    for key in SPEC:
        if a.get(key) != b.get(key):
            found.append(f"The suites differ in {key.replace('_', ' ')}: {_short(a.get(key))} in A, {_short(b.get(key))} in B.")
    return found


def _short(value: Any) -> str:
    """A value of a spec in a few words."""
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)} from {value[0]:g} to {value[-1]:g}"
    if isinstance(value, list):
        return ", ".join(f"{item:g}" for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def left_out(one: View, other: View) -> dict[str, str]:
    """The problems of both folders that cannot be compared, with why."""
    found = {}
    for name in budgets(one).keys() & budgets(other).keys():
        a, b = (next(p for p in shown.problems if p.name == name) for shown in (one, other))
        # the best value known of a network may be another in each
        same = [(p.optimum if p.certified else math.nan, p.start, p.rows) for p in (a, b)]
        if not np.allclose(same[0], same[1], rtol=1e-6, equal_nan=True):
            found[name] = "the problem itself is another"
        elif budgets(one)[name] != budgets(other)[name]:
            found[name] = f"the budget is {budgets(one)[name]:g} epochs in A and {budgets(other)[name]:g} in B"
    return found


def budgets(shown: View) -> dict[str, float]:
    """The most epochs that a run of each problem may take."""
    runs = shown.runs
    return runs.groupby("problem").epochs_budget.max().to_dict()


def target_of(one: View, other: View) -> float | None:
    """The target that is compared: the declared headline of both, or else the tightest that both name."""
    shared = set(one.targets) & set(other.targets)
    headlines = {one.results.headline, other.results.headline}
    return headlines.pop() if len(headlines) == 1 and headlines <= shared else min(shared, default=None)


def problem_of(shown: View, name: str) -> ProblemView:
    """A problem of a view."""
    return next(problem for problem in shown.problems if problem.name == name)


def compared(
    one: View, other: View, key: tuple[str, str], target: float, clocks: bool, threshold: float
) -> Iterator[dict[str, Any]]:
    """The rows of one solver on one problem: B's cost against A's, by each measure that both know."""
    problem = problem_of(one, key[0])
    solver = next(solver for solver in problem.solvers if solver.solver == key[1])
    seeds = [shown.hits.seeds(*key) for shown in (one, other)]
    shared, every = sorted(set(seeds[0]) & set(seeds[1])), set(seeds[0]) | set(seeds[1])
    named = {"problem": key[0], "solver": key[1], "label": label(solver.row), "target": target, "of": len(every)}
    if not every:
        return
    for measure, kind in MEASURES.items():
        if kind not in COUNTED and not clocks:
            continue
        sides = [_costs(shown, key, target, kind, shared) for shown in (one, other)]
        known = ~(np.isnan(sides[0].value) | np.isnan(sides[1].value))
        if not known.any():
            continue
        a, b = (Costs(c.low[known], c.value[known], c.high[known], c.exact) for c in sides)
        if kind not in COUNTED:
            a, b = (_pace(shown, key, target, c, known, shared) for shown, c in ((one, a), (other, b)))
        delta = _region(one, other, key[0], kind, threshold)
        verdict = judge(b, a, 1, delta)
        unit = "steps" if problem.landscape else {"seconds": "seconds", "call": "seconds"}.get(kind, kind)
        yield named | {"measure": measure, "unit": unit, "a": median(a.value), "b": median(b.value)} | _told(verdict, delta)


def _costs(shown: View, key: tuple[str, str], target: float, kind: str, seeds: list[int]) -> Costs:
    found = shown.hits.costs(*key, target, kind, seeds)
    # the same seed takes the same path to the same step in both folders, so that a count is compared as it is
    return Costs(found.value, found.value, found.value, found.exact) if kind in COUNTED else found


def _pace(shown: View, key: tuple[str, str], target: float, costs: Costs, known: np.ndarray, seeds: list[int]) -> Costs:
    """Seconds a sample: a change of the count is told by the count."""
    samples = shown.hits.costs(*key, target, "samples", seeds).value[known]
    with np.errstate(invalid="ignore"):
        return Costs.of(np.where(np.isfinite(costs.value), costs.value / samples, costs.value))


def _region(one: View, other: View, problem: str, kind: str, threshold: float) -> float:
    """The region of practical equivalence of a measure: that of both folders, and what counts as no change."""
    regions = [shown.hits.region(problem, kind) for shown in (one, other)]
    return threshold - 1 if kind in COUNTED else max(*regions, threshold - 1)


def _told(verdict: Verdict, delta: float) -> dict[str, Any]:
    told = {"ratio": verdict.ratio, "low": verdict.low, "high": verdict.high, "noise": 1 + delta}
    return told | {"seeds": verdict.seeds, "verdict": WORDS[verdict.word]}


__all__ = ["BETTER", "SAME", "UNDECIDED", "WORSE", "compared", "differences", "left_out", "target_of"]
