"""The figures of a report as SVG and PNG files, in one style."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from gdbench.report import across, style, view, words
from gdbench.report.across import Across, Line, Ranks, Steps
from gdbench.report.view import ProblemView, SolverView, View

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": "#57606a",
    "axes.edgecolor": "#d0d7de",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8ebef",
    "grid.linewidth": 0.8,
    "xtick.color": "#57606a",
    "ytick.color": "#57606a",
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "text.parse_math": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "gdbench",
    "svg.fonttype": "path",
}
#: Of so many problems a report draws figures unasked; each takes about a second.
MANY = 12

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

INK = "#1b1f24"
SOFT = "#57606a"
RANKS = LinearSegmentedColormap.from_list("ranks", ["#0072b2", "#eef4f9"])

AXES = {"epochs": "epochs", "samples": "samples", "seconds": "seconds"}


def write(folder: str | Path) -> list[Path]:
    """Write every figure of a results folder into its figures/, as SVG and PNG.

    Parameters
    ----------
    folder : path
        With runs.parquet and curves.parquet.

    Returns
    -------
    list of Path
        The files written.
    """
    shown = view.read(folder)
    made = draw(shown, across.build(shown), Path(folder) / "figures")
    return [Path(folder) / "figures" / file for files in made.values() for svg, _ in files for file in (svg, png_of(svg))]


def draw(shown: View, over: Across, folder: Path, every: bool = True) -> dict[str, list[tuple[str, str]]]:
    """Draw the figures: of every problem, or else of the first MANY.

    Returns
    -------
    dict
        SVG files with their alt texts: of each problem by its slug, of those over all problems by "".
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, list[tuple[str, str]]] = {"": []}
    for name, plot, subject, alt in over_all(shown, over):
        made[""].append((save(plot, subject, folder / f"{name}.svg"), alt))
    for problem in shown.problems if every else shown.problems[:MANY]:
        made[problem.slug] = [
            (save(plot, subject, folder / f"{problem.slug}-{name}.svg"), alt)
            for name, plot, subject, alt in of_problem(problem, over)
        ]
    return made


Planned = tuple[str, Callable[..., Figure], Any, str]


def over_all(shown: View, over: Across) -> Iterator[Planned]:
    """Name, function, subject and alt text of each figure over all problems."""
    if over.ranks and len(shown.problems) > 1:
        yield "ranks", ranks, (over.ranks, over.by), words.ranks(over.ranks)
    if over.profile:
        yield "performance-profile", profile, (over.profile, over.by), words.profile(over.profile)
    if over.distribution:
        said = words.distribution(over.distribution, over.by)
        yield "run-time-distribution", distribution, (over.distribution, over.by), said
    if words.bandwidth(shown, over):
        yield "bandwidth", bandwidth, (shown, over), words.bandwidth(shown, over)


def of_problem(problem: ProblemView, over: Across) -> Iterator[Planned]:
    """Name, function, subject and alt text of each figure of a problem."""
    yield "convergence", convergence, problem, words.alt_convergence(problem)
    yield "learning-rate", rates, problem, words.alt_rates(problem)
    if problem.headline is not None:
        yield "time-to-target", to_target, problem, words.answer(problem)
    found = over.steps.get(problem.name, [])
    if found and words.steps(problem, found):
        yield "steps", steps, (problem, found), words.steps(problem, found)


def png_of(svg: str) -> str:
    """The PNG beside an SVG file."""
    return f"{svg.removesuffix('.svg')}.png"


def save(plot: Callable[..., Figure], subject: object, path: Path) -> str:
    """Draw one figure into an SVG and a PNG file; the SVG's name."""
    with styled():
        figure = plot(subject)
        FigureCanvasAgg(figure)
        figure.savefig(path, metadata={"Date": None})
        figure.set_layout_engine("none")  # laid out once, for both files
        figure.savefig(path.with_name(png_of(path.name)), dpi=144, metadata={"Software": None})
    return path.name


@contextmanager
def styled() -> Iterator[None]:
    """gdbench's style, for the figures made inside."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield


def line_of(solver: SolverView) -> dict:
    """Colour, dash and width of a solver's line."""
    if solver.baseline:
        return {"color": INK, "linestyle": style.BASELINE_DASH[1], "linewidth": 2.2}
    colour, _ = style.look(solver.optimizer)
    return {"color": style.PALETTE[colour], "linestyle": style.DASHES.get(solver.variant, ("", "-"))[1]}


def legend(figure: Figure, ax: Any, columns: int = 4) -> None:
    """One legend for a figure, under its axes."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, handlelength=3.2, columnspacing=1.6)


def logarithmic(ax: Any, axes: str = "xy") -> None:
    """Log axes with a tick a decade, as the nine between cost much of the drawing time, its number plain text."""
    for name in axes:
        getattr(ax, f"set_{name}scale")("log")
        axis = getattr(ax, f"{name}axis")
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(power))


def power(value: float, _: object = None) -> str:
    """A power of ten as text, 10⁻³; other numbers as they are."""
    exponent = math.log10(value) if value > 0 else math.nan
    return f"10{str(round(exponent)).translate(RAISED)}" if exponent == math.floor(exponent) else f"{value:g}"


def convergence(problem: ProblemView) -> Figure:
    """The gap against epochs, samples and, where clocks were taken, seconds."""
    kinds = ["epochs", "samples"] + (["seconds"] if problem.by == "seconds" else [])
    figure = Figure(figsize=(3.3 * len(kinds), 3.6), layout="constrained")
    for ax, kind in zip(np.atleast_1d(figure.subplots(1, len(kinds), sharey=True)), kinds, strict=True):
        for solver in problem.featured:
            if kind != "seconds" or solver.timed:
                _curve(ax, solver, kind)
        logarithmic(ax)
        ax.set(xlabel=AXES[kind])
        for target in problem.targets:
            ax.axhline(target, color=SOFT, linewidth=0.7, linestyle=":", alpha=0.6, zorder=1)
    first = figure.axes[0]
    first.set(ylabel="relative gap", title=problem.name)
    legend(figure, first)
    return figure


def _curve(ax: Any, solver: SolverView, kind: str) -> None:
    curve = solver.curve
    x = getattr(curve, kind)
    look = line_of(solver)
    ax.plot(x, curve.middle, label=solver.label, **look)
    ax.fill_between(x, curve.low, curve.high, color=look["color"], alpha=0.15, linewidth=0)


def rates(problem: ProblemView) -> Figure:
    """The final gap against the learning rate, with a strip of the rates that diverged."""
    shown = problem.featured
    figure = Figure(figsize=(6.6, 4.4), layout="constrained")
    strip, ax = figure.subplots(2, 1, sharex=True, height_ratios=[0.4 + 0.12 * len(shown), 4])
    for row, solver in enumerate(shown):
        _rates(ax, strip, solver, len(shown) - row)
    logarithmic(ax)
    ax.set(xlabel="learning rate", ylabel="final relative gap")
    strip.set(yticks=[], ylim=(0.2, len(shown) + 0.8), title=problem.name, facecolor="#fbefe6")
    strip.set_ylabel("diverged", rotation=0, ha="right", va="center")
    strip.grid(False)
    strip.spines[:].set_visible(False)
    strip.tick_params(length=0, which="both")
    legend(figure, ax, 3)
    return figure


def _rates(ax: Any, strip: Any, solver: SolverView, row: int) -> None:
    found, look = solver.sensitivity, line_of(solver)
    mark = style.MARKS[style.look(solver.optimizer)[1]][1]
    ax.plot(found.rate, found.middle, marker=mark, markersize=4, label=solver.label, **look)
    ax.fill_between(found.rate, found.low, found.high, color=look["color"], alpha=0.15, linewidth=0)
    best = found.rate == solver.rate
    ax.plot(found.rate[best], found.middle[best], mark, markersize=9, color=look["color"], markeredgecolor=INK)
    lost = found.rate[found.diverged > 0]
    strip.plot(lost, np.full(len(lost), row), "x", color=look["color"], markersize=5, markeredgewidth=1.6)


def to_target(problem: ProblemView) -> Figure:
    """The cost to the headline target of each solver that reached it, the soonest on top."""
    shown = [solver for solver in problem.solvers if problem.cost(solver).reached][::-1]
    figure = Figure(figsize=(6.6, 1.1 + 0.24 * len(shown)), layout="constrained")
    ax = figure.subplots()
    for place, solver in enumerate(shown):
        cost, colour = problem.cost(solver), line_of(solver)["color"]
        high = cost.high if np.isfinite(cost.high) else cost.value
        ax.plot([cost.low, high], [place, place], color=SOFT, linewidth=1.2)
        ax.plot(cost.value, place, style.VARIANT_MARKS[_variant(solver)][1], color=colour, markersize=6)
    logarithmic(ax, "x")
    ax.set(xlabel=f"{problem.by} to gap {words.gap(problem.headline or 0)}", title=problem.name)
    ax.set_yticks(range(len(shown)), [solver.label for solver in shown])
    ax.tick_params(axis="y", length=0)
    return figure


def _variant(solver: SolverView) -> str:
    """The key of a solver's mark."""
    return "baseline" if solver.baseline else solver.variant


def steps(subject: tuple[ProblemView, list[Steps]]) -> Figure:
    """What a step of each size costs, the gap it ends at, and the cost to the target."""
    problem, found = subject
    panels = [("seconds", "seconds an update"), ("floor", "gap it ends at"), ("cost", f"{problem.by} to the target")]
    panels = [(key, title) for key, title in panels if any(np.isfinite(getattr(one, key)).any() for one in found)]
    figure = Figure(figsize=(3.3 * len(panels), 3.4), layout="constrained")
    for ax, (key, title) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        for one in found:
            _steps(ax, one, getattr(one, key))
        logarithmic(ax)
        ax.set(xlabel="rows a step", title=title)
    legend(figure, figure.axes[0], 7)
    return figure


def _steps(ax: Any, one: Steps, values: np.ndarray) -> None:
    colour, mark = style.look(one.solver.optimizer)
    sound = np.isfinite(values) & (values > 0)
    label = style.optimizer_name(one.solver.optimizer)
    ax.plot(
        one.rows[sound],
        values[sound],
        marker=style.MARKS[mark][1],
        markersize=5,
        color=style.PALETTE[colour],
        label=label,
    )


def ranks(subject: tuple[Ranks, str]) -> Figure:
    """Ranks of the contestants on each problem, as a heat map."""
    found, by = subject
    rows, columns = found.ranks.shape
    figure = Figure(figsize=(2.4 + 1.05 * columns, 0.9 + 0.36 * rows), layout="constrained")
    ax = figure.subplots()
    ax.imshow(found.ranks, cmap=RANKS, vmin=1, vmax=rows, aspect="auto")
    for i, j in itertools.product(range(rows), range(columns)):
        cost = words.figure(by, float(found.costs[i, j])) if np.isfinite(found.costs[i, j]) else "–"
        colour = "white" if found.ranks[i, j] < (1 + rows) / 2 else INK
        ax.text(j, i, f"{found.ranks[i, j]:g}   {cost}", ha="center", va="center", color=colour, fontsize=8)
    ax.set_yticks(range(rows), [f"{one.label}  ({mean:.1f})" for one, mean in zip(found.who, found.mean, strict=True)])
    ax.set_xticks(range(columns), [problem.name for problem in found.problems])
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
    ax.grid(False)
    ax.grid(which="minor", color="white", linewidth=3)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set_visible(False)
    return figure


def profile(subject: tuple[list[Line], str]) -> Figure:
    """Performance profiles with bands."""
    found, by = subject
    return stairs(found, f"τ: {by} to the target, as a multiple of the best solver's", "share of problems")


def distribution(subject: tuple[list[Line], str]) -> Figure:
    """Run-time distributions with bands."""
    found, by = subject
    return stairs(found, by, "share of targets reached")


def stairs(found: list[Line], x: str, y: str) -> Figure:
    """Lines of shares as steps."""
    figure = Figure(figsize=(6.6, 4.2), layout="constrained")
    ax = figure.subplots()
    for line in found:
        who = line.who
        colour = INK if who.baseline else style.PALETTE[style.look(who.optimizer)[0]]
        dash = style.BASELINE_DASH[1] if who.baseline else style.DASHES.get(who.variant, ("", "-"))[1]
        ax.step(line.x, line.middle, where="post", color=colour, linestyle=dash, label=who.label)
        ax.fill_between(line.x, line.low, line.high, step="post", color=colour, alpha=0.13, linewidth=0)
    logarithmic(ax, "x")
    ax.set(xlabel=x, ylabel=y, ylim=(-0.02, 1.02))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    legend(figure, ax, 3)
    return figure


def bandwidth(subject: tuple[View, Across]) -> Figure:
    """How fast each solver went through its data."""
    shown, over = subject
    names = [problem.name for problem in shown.problems][::-1]
    kinds = {"batch": "blue", "mini-batch": "vermillion", "stochastic": "green", "baseline": ""}
    solvers = {(problem.name, one.solver): one for problem in shown.problems for one in problem.solvers}
    points: dict[str, list[tuple[float, int]]] = {kind: [] for kind in kinds}
    for row in over.bandwidth[over.bandwidth.gb_s > 0].itertuples():
        points[_variant(solvers[row.problem, row.solver])].append((row.gb_s, names.index(row.problem)))
    figure = Figure(figsize=(6.6, 1.3 + 0.36 * len(names)), layout="constrained")
    ax = figure.subplots()
    for kind, found in points.items():
        if found:
            colour = style.PALETTE.get(kinds[kind], INK)
            ax.plot(
                *zip(*found, strict=True),
                style.VARIANT_MARKS[kind][1],
                color=colour,
                label=kind,
                markersize=5,
                alpha=0.8,
            )
    logarithmic(ax, "x")
    if limit := shown.machine.get("read_bandwidth_gb_s"):
        ax.axvline(limit, color=SOFT, linestyle="--", linewidth=1.2, label="memory, one core")
    ax.set(xlabel="GB of data a second", ylim=(-0.6, len(names) - 0.4))
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    legend(figure, ax, 5)
    return figure
