"""Two results folders side by side: what is common to both, whether it can be compared, and what changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gdbench.analysis import again
from gdbench.analysis.hits import COUNTED
from gdbench.analysis.uncertainty import median
from gdbench.analysis.verdicts import FASTER, SLOWER, Costs, Verdict, judge
from gdbench.analysis.view import ProblemView, View, label
from gdbench.suite.again import CALL, STEPS

BETTER, WORSE, SAME, UNDECIDED = "better", "worse", "equal", "undecided"

#: What is compared, by the cost that it is counted in: samples to the target, seconds of the steps and of the whole call to it.
MEASURES = {"convergence": "samples", STEPS: "seconds", CALL: "call"}

#: Those that are timed.
CLOCKS = (STEPS, CALL)

#: Words of a verdict on B's cost against A's.
WORDS = {SLOWER: WORSE, FASTER: BETTER, "equal": SAME, "undecided": UNDECIDED}

#: The keys of two specs that have to agree for their runs to be of the same kind; the others are named where they differ.
SPEC = ("targets", "headline", "seeds", "tuning_seeds", "tuning", "learning_rates")


def differences(one: View, other: View) -> list[str]:
    """What of the two suites, and of the versions that ran them, does not agree, in sentences."""
    a, b = one.results.spec, other.results.spec
    found = []
    for key in SPEC:
        if a.get(key) != b.get(key):
            found.append(f"The suites differ in {key.replace('_', ' ')}: {_short(a.get(key))} in A, {_short(b.get(key))} in B.")
    versions = [{"python": shown.machine.get("python"), **shown.machine.get("versions", {})} for shown in (one, other)]
    for name in sorted(versions[0].keys() | versions[1].keys()):
        first, second = (str(side.get(name) or "none") for side in versions)
        if first != second:
            found.append(f"The versions of {name} differ: {first} in A, {second} in B.")
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
    shared, every = _shared_seeds(one, other, key), {*one.hits.seeds(*key), *other.hits.seeds(*key)}
    named = {"problem": key[0], "solver": key[1], "label": label(solver.row), "target": target, "of": len(every)}
    if not every:
        return
    for measure, kind in MEASURES.items():
        if kind not in COUNTED and not clocks:
            continue
        sides = [_costs(shown, key, target, kind, shared) for shown in (one, other)]
        # a clock says how long the same steps take; that they do not lead to the target is told by the count
        unknown = np.isnan if kind in COUNTED else lambda values: ~np.isfinite(values)
        known = ~(unknown(sides[0].value) | unknown(sides[1].value))
        if not known.any():
            continue
        a, b = (Costs(c.low[known], c.value[known], c.high[known], c.exact) for c in sides)
        if kind not in COUNTED:
            a, b = (_pace(shown, key, target, c, known, shared) for shown, c in ((one, a), (other, b)))
        verdict = judge(b, a, 1, threshold - 1)
        unit = "steps" if problem.landscape else {"seconds": "seconds", "call": "seconds"}.get(kind, kind)
        ends = {"a": median(a.value), "b": median(b.value), "seeds": verdict.seeds, "pairs": 0}
        yield named | {"measure": measure, "unit": unit} | ends | _told(verdict)


def _costs(shown: View, key: tuple[str, str], target: float, kind: str, seeds: list[int]) -> Costs:
    found = shown.hits.costs(*key, target, kind, seeds)
    # the same seed takes the same path to the same step in both folders, so that a count is compared as it is
    return Costs(found.value, found.value, found.value, found.exact) if kind in COUNTED else found


def _pace(shown: View, key: tuple[str, str], target: float, costs: Costs, known: np.ndarray, seeds: list[int]) -> Costs:
    """Seconds a sample: a change of the count is told by the count."""
    samples = shown.hits.costs(*key, target, "samples", seeds).value[known]
    return Costs.of(costs.value / samples)


def decide_clocks(
    one: View, other: View, rows: list[dict[str, Any]], threshold: float, tell: Callable[[str], Any] | None
) -> list[str]:
    """Give the rows of clocks that may have changed the verdict of timing both again; returns notes on those that have none.

    Only clocks that agree within the threshold are equal as they are: on a noisy machine no more can be said of two folders
    that were timed one after the other.

    Parameters
    ----------
    rows : list of dict
        As of :func:`compared`; those that are timed again get the medians, the interval and the verdict of the pairs.
    tell : callable, optional
        Hears of the progress. Without it nothing is timed again.
    """
    changed = [row for row in rows if row["measure"] in CLOCKS and row["verdict"] != SAME]
    for row in changed:
        row["verdict"] = UNDECIDED
    if not changed:
        return []
    if tell is None:
        return [f"Clocks that differ were not timed again, so that there is no verdict on them: {len(changed)}."]
    seeds = {(row["problem"], row["solver"]): _shared_seeds(one, other, (row["problem"], row["solver"])) for row in changed}
    keys = [(row["problem"], row["solver"]) for row in changed]
    clocks = [
        again.paired_of(one, other, key, row["target"], seeds[key], row["measure"])
        for key, row in zip(keys, changed, strict=True)
    ]
    again.time_again(one, other, clocks, threshold - 1, tell)
    for row, clock in zip(changed, clocks, strict=True):
        if clock.a:
            a, b = clock.medians
            row |= {"a": a, "b": b, "pairs": len(clock.a)} | _told(clock.verdict(len(clocks), threshold - 1))
    timed = sum(bool(clock.a) for clock in clocks)
    told = [f"Clocks that differ were timed again, A and B in turn, and have the verdict of that: {timed}."] if timed else []
    reasons = Counter(clock.why for clock in clocks if clock.why)
    return told + [
        f"No verdict on {count} of the clocks that differ: they cannot be timed again, for {why}."
        for why, count in reasons.items()
    ]


def _shared_seeds(one: View, other: View, key: tuple[str, str]) -> list[int]:
    """The seeds on which both reported a solver."""
    return sorted(set(one.hits.seeds(*key)) & set(other.hits.seeds(*key)))


def _told(verdict: Verdict) -> dict[str, Any]:
    told = {"ratio": verdict.ratio, "low": verdict.low, "high": verdict.high}
    return told | {"verdict": WORDS[verdict.word]}


__all__ = ["BETTER", "SAME", "UNDECIDED", "WORSE", "compared", "decide_clocks", "differences", "left_out", "target_of"]
