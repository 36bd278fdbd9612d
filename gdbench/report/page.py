"""The report as one HTML page that needs nothing else, and as its Markdown twin."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gdbench.analysis.across import Across, Steps
from gdbench.analysis.beside import Beside, Parity
from gdbench.analysis.profiles import Line
from gdbench.analysis.ranks import Ranks
from gdbench.analysis.speed import Pair
from gdbench.analysis.uncertainty import Spread
from gdbench.analysis.view import SMALLEST, ProblemView, SolverView, View, optimizer_name
from gdbench.report import style, words

#: What machine.json counts in bytes.
BYTES = {"caches", "memory_bytes"}

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment(html: bool) -> jinja2.Environment:
    """Jinja with gdbench's filters; HTML escapes what it is given, Markdown escapes in its own way."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    found.filters |= {
        "gap": words.gap,
        "rate": words.rate,
        "figure": lambda spread, cost: words.figure(cost, spread.value),
        "amount": lambda spread, cost: words.amount(cost, spread.value),
        "art": lambda spread, cost: words.art(cost, spread),
        "ends": lambda spread, cost: words.ends(cost, spread),
        "taken": lambda spread, cost: words.taken(cost, spread),
        "describe": words.describe,
        "percent": words.percent,
        "md": markdown,
        "prose": prose,
    }
    found.globals |= {"words": words, "isfinite": math.isfinite}
    return found


def prose(text: str) -> str:
    """A sentence whose numbers stay on one line with their units."""
    joined = re.sub(r"(?<=\d) (?=(?:s|ms|µs|ns|[kMG] samples|epochs|steps|rows|GB/s)\b)", "\u00a0", text)
    return re.sub(r"(?<=\de)-(?=\d)", "\u2011", joined)


def markdown(text: object) -> str:
    """Text in which nothing is markup: neither Markdown's nor HTML's."""
    escaped = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
    for mark in "\\`*_|#~":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped.replace("](", "]\\(").replace("][", "]\\[")


def html(template: str, payload: Any = None, **values: Any) -> str:
    """A page from a template; `payload` is what its figures show."""
    script = Markup((TEMPLATES / "page.js").read_text(encoding="utf-8"))
    return (
        environment(True)
        .get_template(template)
        .render(
            css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            plotly=Markup(get_plotlyjs()),
            script=script,
            payload=embedded(payload),
            **values,
        )
    )


def embedded(payload: Any) -> Markup:
    """JSON that can stand in a script element: no character in it opens or closes a tag."""
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def payload(view: View, across: Across, near: Beside) -> dict[str, Any]:
    """What the figures of a report show, once and compactly."""
    return {
        "palette": palette(),
        "problems": [_problem(problem, across.steps.get(problem.name, [])) for problem in view.problems],
        "unit": across.unit,
        "ranks": _ranks(across.ranks, across.unit) if across.ranks else None,
        "profile": [_line(line) for line in across.profile],
        "distribution": [_line(line) for line in across.distribution],
        "bandwidth": [vars(one) | {"gb_s": _short(one.gb_s, 4)} for one in near.speed.readings],
        "pairs": [_pair(pair) for pair in near.speed.pairs],
        "noise": [{"problem": one.problem, "excess": short(one.excess, 4), "bound": _short(one.bound, 4)} for one in near.noise],
        "difference": _difference(across.ranks) if across.ranks and len(across.ranks.problems) > 1 else None,
    }


def _line(line: Line) -> dict[str, Any]:
    who = line.who
    return _looks(who.label, who.optimizer, who.variant, who.baseline) | {
        "x": short(line.x),
        "curve": {"middle": short(line.share, 4)},
    }


def _ranks(ranks: Ranks, unit: str) -> dict[str, Any]:
    return {
        "who": [one.label for one in ranks.who],
        "problems": [problem.name for problem in ranks.problems],
        "targets": [problem.headline for problem in ranks.problems],
        "rank": [short(row) for row in ranks.ranks],
        "mean": short(ranks.mean, 3),
        "text": [[words.figure(unit, cost) if math.isfinite(cost) else "–" for cost in row] for row in ranks.costs],
    }


def _steps(steps: Steps) -> dict[str, Any]:
    solver = steps.solver
    return _looks(optimizer_name(solver.optimizer), solver.optimizer, "batch", False) | {
        "rate": _short(steps.rate, 6),
        "rows": short(steps.rows),
        "seconds": short(steps.seconds),
        "floor": short(np.maximum(steps.floor, SMALLEST)),
        "cost": short(steps.cost),
    }


def _pair(pair: Pair) -> dict[str, Any]:
    ends = {name: _short(getattr(pair, name), 4) for name in ("ours", "theirs", "ratio", "low", "high")}
    return {"work": pair.work, "peer": pair.peer} | ends


def _difference(found: Ranks) -> dict[str, Any]:
    who = [_looks(one.label, one.optimizer, one.variant, one.baseline) for one in found.who]
    return {"who": who, "mean": short(found.mean, 4), "critical": _short(found.critical, 4)}


def _looks(label: str, optimizer: str, variant: str, baseline: bool) -> dict[str, Any]:
    """What a line or mark looks like, and whose it is."""
    colour, mark = style.look(optimizer)
    return {
        "label": label,
        "optimizer": "" if baseline else optimizer,
        "variant": variant,
        "baseline": baseline,
        "colour": "ink" if baseline else colour,
        "mark": mark,
    }


def palette() -> dict[str, Any]:
    """Colours, light and dark, and the order of the marks."""
    return {
        "light": style.PALETTE,
        "dark": style.PALETTE_DARK,
        "variants": {name: mark for name, (mark, _) in style.VARIANT_MARKS.items()},
        "marks": [mark for mark, _ in style.MARKS],
        "dashes": {variant: dash for variant, (dash, _) in style.DASHES.items()} | {"baseline": style.BASELINE_DASH[0]},
    }


def _problem(problem: ProblemView, steps: list[Steps]) -> dict[str, Any]:
    featured = {id(solver) for solver in problem.featured}
    return {
        "name": problem.name,
        "targets": list(problem.targets),
        "headline": problem.headline,
        "by": problem.by,
        "unit": problem.unit,
        "axes": problem.axes,
        "steps": [_steps(one) for one in steps],
        "solvers": [_solver(solver, id(solver) in featured) for solver in problem.solvers],
    }


def _solver(solver: SolverView, featured: bool) -> dict[str, Any]:
    curve, found = solver.curve, solver.sensitivity
    return _looks(solver.label, solver.optimizer, solver.variant, solver.baseline) | {
        "featured": featured,
        "timed": solver.timed,
        "rate": _short(solver.rate, 6),
        "costs": [_cost(costs) for costs in solver.costs.values()],
        "curve": {
            "epochs": short(curve.epochs),
            "samples": short(curve.samples),
            "seconds": short(curve.seconds) if solver.timed else [],
            "middle": short(curve.middle),
            "low": short(curve.low),
            "high": short(curve.high),
        },
        "rates": {
            "rate": short(found.rate),
            "middle": short(found.middle),
            "low": short(found.low),
            "high": short(found.high),
            "diverged": short(found.diverged),
            "seeds": short(found.seeds),
        },
    }


def _cost(costs: dict[str, Spread]) -> dict[str, list[float | int | None]]:
    """Median and interval of each cost to a target."""
    return {kind: short([cost.value, cost.low, cost.high]) for kind, cost in costs.items()}


def short(values: Iterable[float], digits: int = 6) -> list[float | int | None]:
    """Numbers to six digits, as JSON has them: null for what is not finite."""
    return [_short(float(value), digits) for value in np.asarray(values, dtype=float)]


def _short(value: float, digits: int) -> float | int | None:
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{digits - 1}e}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def report(view: View, across: Across, near: Beside) -> str:
    """The HTML report."""
    return html(
        "report.html",
        payload(view, across, near),
        view=view,
        across=across,
        near=near,
        parity=parity_table(near.parity) if near.parity else None,
        machine=machine_rows(view.machine),
        palette=palette(),
        colour=colour_of,
        targets=targets_of,
        title=f"gdbench: {view.suite}",
    )


def targets_of(problem: ProblemView) -> list[tuple[int, str]]:
    """The choices of the target switch: place in `targets`, and words."""
    return [
        (i, words.gap(target)) for i, target in enumerate(problem.targets) if math.isfinite(problem.least(target, problem.by))
    ]


def colour_of(solver: SolverView) -> str:
    """The name of a solver's colour."""
    return "ink" if solver.baseline else style.look(solver.optimizer)[0]


def machine_rows(machine: dict[str, Any]) -> list[tuple[str, str]]:
    """machine.json as rows, its tables a row an entry."""
    rows = []
    for key, value in machine.items():
        inner = value.items() if isinstance(value, dict) else [(None, value)]
        say = words.size if key in BYTES else words.describe
        rows += [(key if name is None else f"{key}: {name}", say(item)) for name, item in inner]
    return [(name.removesuffix("_bytes").replace("_", " "), value) for name, value in rows]


def cell(problem: ProblemView, costs: dict[str, Spread]) -> str:
    """What a target took, in a Markdown table; the average run time with its successes under it."""
    reached = [(problem.called(kind), costs[kind]) for kind in problem.kinds if costs[kind].reached]
    said = [words.taken(kind, cost).replace(f" over {cost.seeds} seeds", "") for kind, cost in reached]
    first = costs[problem.kinds[0]]
    return "<br>".join([*said, words.art(problem.called(problem.kinds[0]), first)] if first.hits else said) or "–"


def twin(view: View, across: Across, near: Beside, figures: dict[str, list[tuple[str, str]]]) -> str:
    """The Markdown report; `figures` are as of :func:`gdbench.report.figures.draw`."""
    template = environment(False).get_template("report.md")
    return template.render(
        view=view,
        across=across,
        near=near,
        parity=parity_table(near.parity) if near.parity else None,
        figures=figures,
        cell=cell,
        machine=machine_rows(view.machine),
    )


def parity_table(found: Parity) -> tuple[list[str], list[list[str]]]:
    """Header and cells of the table of references."""
    heads = ["against", "version", "cases", "passed", "failed", "absolute", "relative"]
    rows = [row for row in found.summary if row["cases"]]
    return [*heads[:5], "largest difference", "relative to the value"], [
        [words.describe(row[head]) for head in heads] for row in rows
    ]
