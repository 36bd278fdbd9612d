"""Sentences: each is made from the results, and none holds a number that isn't in them."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from gdbench.analysis import hits, verdicts
from gdbench.analysis.across import Steps
from gdbench.analysis.beside import Parity
from gdbench.analysis.profiles import Line
from gdbench.analysis.ranks import Ranks
from gdbench.analysis.speed import Pair, Speed
from gdbench.analysis.uncertainty import Spread
from gdbench.analysis.verdicts import EQUAL, FASTER, SLOWER, UNDECIDED
from gdbench.analysis.view import ProblemView, SolverView, View, optimizer_name, usable
from gdbench.suite.vocabulary import NO_RATE

SCALES = {
    "seconds": ((1.0, "s", 0.1), (1e3, "ms", 1.0), (1e6, "µs", 1.0), (1e9, "ns", 0.0)),
    "samples": ((1e-9, "G samples", 1.0), (1e-6, "M samples", 1.0), (1e-3, "k samples", 1.0), (1.0, "samples", 0.0)),
    "call seconds": ((1.0, "s", 0.1), (1e3, "ms", 1.0), (1e6, "µs", 1.0), (1e9, "ns", 0.0)),
    "epochs": ((1.0, "epochs", 0.0),),
    "steps": ((1.0, "steps", 0.0),),
    "epochs or steps": ((1.0, "epochs or steps", 0.0),),
}


#: So many reasons why runs failed are told of each problem.
REASONS = 3


def significant(value: float, digits: int = 3) -> str:
    """A number in plain digits: 0.012345 → "0.0123", 12345 → "12,300"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(places, 0)}f}"


def scale(cost: str, value: float) -> tuple[float, str]:
    """Factor and unit in which a cost reads well."""
    for factor, unit, least in SCALES[cost]:
        if value * factor >= least:
            return factor, unit
    return SCALES[cost][-1][:2]


def amount(cost: str, value: float) -> str:
    """A cost with its unit: "0.120 s", "1.20 M samples"."""
    if not math.isfinite(value):
        return "not reached"
    factor, unit = scale(cost, value)
    return f"{significant(value * factor)} {unit}"


def figure(cost: str, value: float) -> str:
    """A cost under a heading that names it: the unit only where it varies ("1.20 k", "34.0 µs")."""
    text = amount(cost, value)
    return text if cost.endswith("seconds") else text.removesuffix(cost).strip()


def ends(cost: str, spread: Spread) -> str:
    """The ends of a spread in the unit of its value: "0.110, 0.130"."""
    factor, _ = scale(cost, spread.value)
    return f"{significant(spread.low * factor)}, {significant(spread.high * factor)}"


def taken(cost: str, spread: Spread) -> str:
    """A cost with its spread: "0.120 s [0.110, 0.130 over 3 seeds]"."""
    text = amount(cost, spread.value)
    if not spread.reached:
        return text
    if spread.seeds == 1:
        return f"{text} [1 seed]"
    if not spread.complete:
        return f"{text} [{spread.hits} of {spread.seeds} seeds]"
    if spread.low == spread.high:
        return text
    return f"{text} [{ends(cost, spread)} over {spread.seeds} seeds]"


def art(cost: str, spread: Spread) -> str:
    """The average run time with its successes: "aRT 12.0 epochs (2/3)"."""
    return f"aRT {amount(cost, spread.art)} ({spread.hits}/{spread.seeds})"


def gap(value: float) -> str:
    """A gap or target: "1e-3", "2.5e-4"."""
    if not math.isfinite(value):
        return "∞"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def rate(value: float) -> str:
    """A learning rate."""
    return f"{value:.3g}"


def answer(problem: ProblemView) -> str:
    """Which solver reached the headline target first on a problem, how sure that is, and what the baseline took."""
    winner = problem.solvers[0]
    if not problem.won:
        none = f"On {problem.name}, no solver reached a gap of {gap(problem.headline)} with every seed"
        closest = f"; the closest, {winner.label}{at(winner)}, ended at {gap(winner.final.value)}"
        return f"{none}{closest if winner.final.reached else ''}."
    close, cost = len(problem.peers), taken(problem.unit, problem.cost(winner))
    place = f"in {cost}, not known to be quicker than {plural(close, 'other')}" if close else f"first, in {cost}"
    first = f"On {problem.name}, {winner.label}{at(winner)} reached gap {gap(problem.headline)} {place}"
    other = contrast(problem)
    return f"{first}." if other is None else f"{first}; {_second(problem, other)}."


def at(solver: SolverView) -> str:
    """At which learning rate a solver ran, with a mark where it lies at the edge of what was tried; nothing if it needs none."""
    if solver.rate == NO_RATE:
        return ""
    return f" at learning rate {rate(solver.rate)}" + (" (at the edge of the rates tried)" if solver.at_edge else "")


def tuned(solver: SolverView) -> str:
    """The learning rate of a solver as a cell of a table."""
    return "none needed" if solver.rate == NO_RATE else rate(solver.rate) if math.isfinite(solver.rate) else "–"


def contrast(problem: ProblemView) -> SolverView | None:
    """The solver contrasted with the winner: the best baseline; the best of our own where a baseline wins."""
    wanted = not problem.solvers[0].baseline
    found = [solver for solver in problem.solvers if solver.baseline == wanted]
    return min(found, key=lambda solver: bool(solver.note), default=None)


def _second(problem: ProblemView, solver: SolverView) -> str:
    cost = problem.cost(solver)
    if cost.reached:
        said = f"{solver.label}{at(solver)} took {taken(problem.unit, cost)}"
        ours, theirs = (one.costs[problem.headline]["call"] for one in (problem.solvers[0], solver))
        if problem.by != "seconds" or not (ours.reached and theirs.reached):
            return said
        calls = [amount("call seconds", one.value) for one in (theirs, ours)]
        return f"{said} (in a whole call {calls[0]}, against {calls[1]})"
    if solver.costs[problem.headline]["samples"].reached:
        return f"{solver.label}{at(solver)} reached it, too, but its time is not known"
    if solver.final.reached:
        budget = amount(problem.called("epochs"), solver.epochs)
        end = f"did not reach it in {budget} (it ended at {gap(solver.final.value)})"
        return f"{solver.label}{at(solver)} {end}"
    if solver.note:
        return f"{solver.label} is not compared: {lower(solver.note)}"
    return f"{solver.label} {solver.status} at every rate"


def lower(text: str) -> str:
    """A note within a sentence."""
    return (text[:1].lower() + text[1:]).rstrip(".")


def doubt(problem: ProblemView) -> str:
    """How sure the first place of a problem is."""
    winner = problem.solvers[0]
    reserve = untimed(problem) + unequal(problem) + edges(problem)
    if not problem.won:
        return f"On {problem.name} there is no first place to be sure of.{reserve}"
    found = {word: [s for s in problem.peers if problem.verdicts[s.solver].word == word] for word in (EQUAL, UNDECIDED, FASTER)}
    if not problem.verdicts:
        return f"On {problem.name} no other solver was measured.{reserve}"
    slower = [v for v in problem.verdicts.values() if v.word == SLOWER]
    parts = [f"{winner.label} is quicker than {len(slower)} of {plural(len(problem.verdicts), 'other')}"]
    parts += [f"equal: {_named(problem, found[EQUAL])}"] if found[EQUAL] else []
    undecided = found[UNDECIDED] + found[FASTER]
    parts += [f"undecided: {_named(problem, undecided)}"] if undecided else []
    return f"On {problem.name}, {'; '.join(parts)}.{_few(problem)}{reserve}"


def _named(problem: ProblemView, solvers: list[SolverView]) -> str:
    named = ", ".join(f"{s.label} ({amount(problem.unit, problem.cost(s).value)})" for s in solvers[:4])
    return named + (f" and {len(solvers) - 4} more" if len(solvers) > 4 else "")


def _few(problem: ProblemView) -> str:
    """Why too few seeds decide nothing."""
    least = next(n for n in range(1, 100) if verdicts.e_value(n, n) >= verdicts.needed(len(problem.verdicts)))
    if problem.shared >= least:
        return ""
    count = f"{'is' if problem.shared == 1 else 'are'} {plural(problem.shared, 'seed')}"
    return f" A verdict on {plural(len(problem.verdicts), 'pair')} needs at least {least} seeds; there {count}."


def edges(problem: ProblemView) -> str:
    """Whose rate lies at the edge of what was tried; nothing where none does."""
    found = [f"{solver.label} ({rate(solver.rate)})" for solver in problem.edges]
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    return f" At the edge of the rates tried: {', '.join(found[:4])}{more}." if found else ""


def unfinished(view: View) -> str:
    """How far the suite is; nothing once it is done."""
    found = view.results
    if found.finished >= found.planned:
        return ""
    done = f"{found.finished:,} of {plural(found.planned, 'run')} are done"
    return f"The suite is not finished: {done}, so every place and every number here is provisional."


def machines(view: View) -> str:
    """On which machines the runs were timed; nothing where it was one."""
    found = view.results.machines
    if len(found) < 2 or view.results.timed.empty:
        return ""
    named = [f"{machine.get('cpu', 'an unknown processor')} ({plural(runs, 'run')})" for machine, runs in found]
    return f"The runs were timed on different machines, so their seconds are not comparable: {listed(named)}."


def untimed(problem: ProblemView) -> str:
    """Why a problem's solvers are compared by epochs or steps; nothing where all of them were timed."""
    if problem.by == "seconds":
        return ""
    able = usable(problem.solvers)
    without = sum(not solver.timed for solver in able)
    were = "was" if without == 1 else "were"
    who = "No solver was timed" if without == len(able) else f"{without} of {plural(len(able), 'solver')} {were} not timed"
    return f" {who}, so all are compared by {problem.unit}."


def unequal(problem: ProblemView) -> str:
    """Over which seeds a problem's solvers are compared; nothing where all of them ran with every seed."""
    if problem.shared == problem.seeds:
        return ""
    return f" Not every solver has run with every seed yet: {problem.shared} of {plural(problem.seeds, 'seed')} are shared."


def summary(view: View) -> str:
    """Who was first how often."""
    decided = [p for p in view.problems if p.won]
    if not decided:
        return f"No solver reached the target on any of {plural(len(view.problems), 'problem')}."
    first = Counter(p.solvers[0].label for p in decided).most_common()
    tied = sum(bool(p.peers) for p in decided)
    if len(decided) == 1:
        alone = "was first" if not tied else "took the least, though others are not known to be slower"
        return f"{capital(first[0][0])} {alone}."
    parts = [f"{label} was first on {times}" for label, times in first[:3]]
    rest = sum(times for _, times in first[3:])
    others = f", and others on {rest}" if rest else ""
    doubtful = f"; on {tied} of them others are not known to be slower" if tied else ""
    return f"Of {plural(len(decided), 'problem')}, {', '.join(parts)}{others}{doubtful}."


def noise(view: View) -> str:
    """The A/A spread of the clocks."""
    if view.results.timed.empty:
        return "Nothing was timed, so that no clock has a spread."
    known = [problem for problem in view.problems if problem.pairs]
    if not known:
        return "Nothing was timed twice, so the spread of the clock is not known, and no verdict rests on seconds."
    pairs = sum(problem.pairs for problem in known)
    each = ", ".join(f"{excess(problem.noise['seconds'])} on {problem.name}" for problem in known)
    wide = f" Where that is more than {percent(hits.WIDEST)}, no two count as equal."
    return (
        f"{plural(pairs, 'solver')} were timed twice with the same seed, far apart in time: nine of ten such pairs differed "
        f"by less than {each}. Solvers whose seconds differ by less, or by less than {percent(verdicts.DELTA)}, count as equal."
        f"{wide if any(problem.noise['seconds'] - 1 > hits.WIDEST for problem in known) else ''}"
    )


def endings(view: View) -> str:
    """How the runs ended."""
    counts = Counter(view.runs.status)
    words = {
        "converged": "stopped by themselves",
        "budget": "used up their budget",
        "diverged": "diverged",
        "timeout": "ran out of time",
        "failed": "failed",
    }
    parts = [f"{counts[status]:,} {said}" for status, said in words.items() if counts[status]]
    return f"Of {plural(len(view.runs), 'run')}, {', '.join(parts)}."


def failures(view: View) -> list[str]:
    """Why runs failed, a sentence a problem."""
    told = []
    for problem, runs in view.runs[view.runs.status == "failed"].groupby("problem", sort=False):
        reasons = [reason for reason, _ in Counter(runs.reason).most_common()]
        more = [f"and {plural(len(reasons) - REASONS, 'other reason')}"] if len(reasons) > REASONS else []
        told.append(f"On {problem}, {plural(len(runs), 'run')} failed: {'; '.join(reasons[:REASONS] + more)}.")
    return told


def certified(view: View) -> str:
    """Which optima are certified, that no run ended below them, and where none is claimed."""
    networks = [problem.name for problem in view.problems if not problem.certified]
    claim = ""
    if networks:
        claim = f"Of {listed(networks)} no minimum is claimed, for the objective of a network is not convex: "
        claim += "gaps count from the best value that any run found. "
    others = [problem for problem in view.problems if problem.certified]
    if not others:
        return claim.strip()
    failed = view.runs.status == "failed"
    known = [p.name for p in others if math.isfinite(p.optimum) and not p.refuted]
    if not known:
        return f"{claim}No optimum is certified."
    count = f"The optimum is certified on {len(known)} of {plural(len(others), 'problem')}"
    every = "Every other optimum is certified" if networks else "Every optimum is certified"
    which = every if len(known) == len(others) else count
    smallest = view.runs.relative_gap[~failed & view.runs.problem.isin(known)].min()
    if not smallest < 0:
        return f"{claim}{which}, and no run went below it."
    return f"{claim}{which}; the lowest relative gap of any run is {gap(smallest)}, which is rounding."


def subject(problem: ProblemView) -> str:
    """What is minimised."""
    least = "its certified minimum" if problem.certified else "the best value known, from which its gaps count,"
    if problem.refuted:
        least = "what was taken for its minimum, though runs went below it,"
    lowest = f"{least} is {problem.optimum:.6g}" if math.isfinite(problem.optimum) else "it has no certified minimum"
    value = f"{lowest}, and it starts at {problem.start:.6g}" if math.isfinite(problem.start) else lowest
    if problem.landscape:
        return f"The landscape {problem.dataset} in {plural(problem.columns, 'dimension')}: {value}."
    penalty = f" + {problem.alpha:g} · {problem.penalty}" if problem.alpha else ""
    data = "" if problem.dataset == problem.name else f"Data {problem.dataset}: "
    network = "" if problem.certified else f"network {problem.model}, "
    return f"{data}{problem.rows:,} rows × {problem.columns:,} columns, {network}loss {problem.loss}{penalty}; {value}."


def alt_convergence(problem: ProblemView) -> str:
    """What the convergence figure of a problem shows, for those who don't see it."""
    named = ", ".join(f"{s.label} {gap(s.final.value)}" for s in problem.featured)
    return f"Relative gap on {problem.name} against cost, on log axes. Final gaps: {named}."


def alt_rates(problem: ProblemView) -> str:
    """What the learning-rate figure of a problem shows."""
    named = ", ".join(f"{s.label} {rate(s.rate)}{_lost(s)}" for s in problem.featured if s.rate != NO_RATE)
    return f"Final gap on {problem.name} against the learning rate, on log axes. Best rates: {named}."


def _lost(solver: SolverView) -> str:
    found = solver.sensitivity
    rates = found.rate[found.diverged > 0]
    return f" (diverges from {rate(rates.min())})" if len(rates) else ""


def steps(problem: ProblemView, found: list[Steps]) -> str:
    """What a step of each size costs and where it ends, for plain gradient descent or else the first optimizer."""
    one = next((steps for steps in found if steps.solver.optimizer == "gd"), found[0])
    name = optimizer_name(one.solver.optimizer)
    sizes = [f"{row:,.0f}" for row in one.rows]
    parts = []
    if all(map(math.isfinite, one.seconds)) and problem.by == "seconds":
        costs = listed([amount("seconds", value) for value in one.seconds])
        parts.append(f"an update of {name} over {listed(sizes)} rows took {costs}")
    if math.isfinite(one.rate):
        gaps = listed([gap(value) for value in one.floor])
        parts.append(f"at the same rate of {rate(one.rate)} the runs of {listed(sizes)} rows ended at gaps of {gaps}")
    return f"On {problem.name}, {'; '.join(parts)}." if parts else ""


def listed(items: list[str]) -> str:
    """Words in a row: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def ranks(found: Ranks) -> str:
    """Which contestant has the lowest average rank."""
    best = found.who[0]
    if len(found.problems) == 1:
        return f"On {found.problems[0].name}, {best.label} has the first rank among {len(found.who)}."
    mean, total = significant(found.mean[0]), plural(len(found.problems), "problem")
    offered = np.array([problem.name in best.on for problem in found.problems])
    missed, apart = int((offered & ~np.isfinite(found.costs[0])).sum()), int((~offered).sum())
    said = f"Over {total}, {best.label} has the lowest average rank, {mean} among {len(found.who)}"
    said += f"; it missed the target on {missed}" if missed else ""
    return f"{said}; it was not offered {apart}." if apart else f"{said}."


def profile(found: list[Line]) -> str:
    """Which contestant is often first, and which solves most."""
    first = max(found, key=lambda line: line.share[0])
    wide = max(found, key=lambda line: line.share[-1])
    said = f"{capital(first.who.label)} is the soonest on {percent(first.share[0])} of the problems"
    widest = "and solves" if wide is first else f"{wide.who.label} solves"
    return f"{said}{' ' if wide is first else '; '}{widest} the largest share of them, {percent(wide.share[-1])}."


def distribution(found: list[Line]) -> str:
    """Which contestant reaches most, and the cost to half of all targets."""
    best = max(found, key=lambda line: line.share[-1])
    said = f"{capital(best.who.label)} reached the largest share of all targets, {percent(best.share[-1])}"
    half = best.x[best.share >= 0.5]
    return f"{said}, and half of them within {significant(half[0])} times the headline cost." if len(half) else f"{said}."


def bandwidth(speed: Speed) -> str:
    """How fast the data was read, against what the machine can."""
    best = max(speed.readings, key=lambda one: one.gb_s)
    said = f"The fastest solver, {best.label} on {best.problem}, went through its data at {significant(best.gb_s)} GB/s"
    if not speed.limit:
        return f"{said}."
    share = percent(best.gb_s / speed.limit)
    return f"{said}; one core of this machine reads {significant(speed.limit)} GB/s from memory, so that is {share} of it."


def peers_of(pairs: list[Pair]) -> str:
    """How many times as long peers take for the same work."""
    parts = []
    for peer in dict.fromkeys(pair.peer for pair in pairs):
        ratios = sorted(pair.ratio for pair in pairs if pair.peer == peer)
        if len(ratios) == 1:
            parts.append(f"{peer} takes {significant(ratios[0])} times as long")
        else:
            parts.append(f"{peer} takes {significant(ratios[0])} to {significant(ratios[-1])} times as long")
    return f"For the same steps, {'; '.join(parts)}."


def absent(names: list[str]) -> str:
    """Who could not be measured or compared; nothing where none is missing."""
    return f"Not installed, and so left out: {listed(names)}." if names else ""


def difference(found: Ranks) -> str:
    """How far average ranks have to be apart, and from how many the first one is."""
    first, others = found.who[0].label, len(found.who) - 1
    if not found.apart:
        apart = f"{first} has no significant difference from any other"
    else:
        apart = f"{first} is significantly better than {found.apart} of the {others} others"
    bound = f"Average ranks over {plural(len(found.problems), 'problem')} have to differ by {significant(found.critical)}"
    return f"{bound} (Nemenyi, at 5%): {apart}{_friedman(found.p)}."


def _friedman(p: float) -> str:
    return (
        "" if math.isnan(p) else f"; that all are alike has p\u00a0=\u00a0{gap(p) if p < 1e-3 else significant(p, 2)} (Friedman)"
    )


def parity(found: Parity) -> str:
    """How many cases of the parity table agree."""
    compared = [row for row in found.summary if row["cases"]]
    left = absent([row["against"] for row in found.summary if row["skipped"]])
    if not compared:
        return left
    cases, failed = sum(row["cases"] for row in compared), sum(row["failed"] for row in compared)
    named = listed([f"{row['against']} {row['version']}".strip() for row in compared])
    verdict = "all of them agree" if not failed else f"{failed} of them disagree{'s' if failed == 1 else ''}"
    return f"{plural(cases, 'case')} against {named}: {verdict}. {left}".strip()


#: Terms of suites that hold data.
OF_ROWS = {
    "epoch": "one pass over the training data",
    "seconds": "the step clock: what one more step costs, times the steps; a long call minus a short one",
    "call seconds": "the call clock: from the arrays to the weights, once all is compiled; of a library's estimator its fit",
    "samples": "rows whose gradient was evaluated",
    "batch": "a step uses every row",
    "stochastic": "a step uses one row",
    "mini-batch": "a step uses a few rows",
    "gap": "(f(w) − f*) ⁄ (f(0) − f*), with f* the certified minimum and f(0) the value at w = 0; of a network the best value "
    "known and the value at its first weights",
}

#: Terms of suites that hold landscapes; a term of both has the meaning above.
OF_LANDSCAPES = {
    "step": "on a landscape, one gradient and the move that follows",
    "gap": "(f(x) − f*) ⁄ (f(x₀) − f*), with f* the value of the global minima and x₀ the start",
}


def glossary(view: View) -> dict[str, str]:
    """The terms of a report with their meanings."""
    landscapes = [problem.landscape for problem in view.problems]
    terms = (OF_LANDSCAPES if any(landscapes) else {}) | ({} if all(landscapes) else OF_ROWS)
    return terms | {"diverged": "the objective left for infinity, or ended above its start"}


TUNING = {
    "time": "The learning rate of each solver is the one that reaches the tightest target soonest among those tried; "
    "their number stands beside each result.",
    "gap": "The learning rate of each solver is the one with the smallest final gap among those tried; their number "
    "stands beside each result.",
    "none": "Each solver ran at its own learning rate; none was tuned.",
}


def method(view: View) -> list[str]:
    """How the numbers were taken."""
    walks = all(problem.landscape for problem in view.problems)
    start = "Every run with seed 0 starts where its landscape says" if walks else "Every run starts at w = 0"
    networks = not all(problem.certified for problem in view.problems)
    start += ", a network at weights drawn from its seed" if networks else ""
    spec, rule = view.results.spec, view.results.spec["tuning"]
    ends = " Of a network it is the one with the lowest final objective." if networks and rule == "time" else ""
    count = "All solvers of a problem are looked at on the same grid of samples. Between two of its points a crossing is "
    count += "narrowed down until its bracket is one step or 2% of the samples; a library's estimator shows whole epochs only. "
    count += "A solver on which no seed has an effect is counted once."
    clock = "Seconds come from uninterrupted calls of the steps that were counted, the solvers of a problem in turn; nothing is "
    clock += "recorded on a clock, and compilation is not counted. A call's own checks are in its seconds, not in those of its "
    clock += "steps."
    if view.results.timed.empty:
        clock = "Nothing was timed, so there is no time on this page."
    if walks:
        count = "Every step is looked at, so that what a target takes is exact."
    seeds = f"Rates are chosen on {plural(len(spec['tuning_seeds']), 'seed')} and reported on {len(spec['seeds'])} others. "
    seeds += f"The target by which solvers are ranked, gap {gap(view.results.headline)}, was declared before the runs."
    return [
        f"{start}. {count} {clock}",
        f"{seeds} {TUNING[rule]}{ends} A grid whose best rate is its lowest or highest goes on there, by two decades at most.",
        "A cost to a target is the median over seeds of the first point at or under it, with the interval of its order "
        "statistics (95%; under six seeds the smallest and the largest). A seed that missed counts as infinite. aRT is what all "
        "seeds spent, to the target or to their end, over the number that reached it.",
        "A verdict on two solvers is a test by betting on the median of their ratios, seed by seed, with a region of practical "
        f"equivalence of {percent(verdicts.DELTA)}, or of the clock's A/A spread where that is wider, and a probability of "
        f"{percent(verdicts.ALPHA)} that any verdict of a problem is wrong. What it cannot decide is called undecided.",
    ]


def excess(factor: float) -> str:
    """A factor as what exceeds 1: "4.10%"; above 2, as it is: "a factor of 5.99"."""
    return percent(factor - 1) if factor < 2 else f"a factor of {significant(factor)}"


def percent(value: float) -> str:
    """A share: 0.041 → "4.10%"."""
    return f"{significant(100 * value)}%"


def describe(value: Any) -> str:
    """A cell of a table from outside (machine.json, parity rows) as text."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {describe(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(describe, value))
    return "–" if value is None else str(value)


def size(count: object) -> str:
    """Bytes in the largest unit that leaves a number of at least 1: 32768 → "32 KiB"."""
    if not isinstance(count, int | float) or not math.isfinite(count):
        return describe(count)
    power = min(max(int(math.log2(count) // 10), 0), 4) if count > 0 else 0
    return f"{round(count / 1024**power, 1):g} {['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}"


def plural(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def capital(text: str) -> str:
    """A text with a sentence's first letter; a name in code stays as it is."""
    return text if "." in text.split(" ")[0] else text[:1].upper() + text[1:]
