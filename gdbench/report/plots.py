"""Each figure of a report as a Matplotlib figure, in one style."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from gdbench.analysis.across import Steps
from gdbench.analysis.beside import Noise
from gdbench.analysis.profiles import Line
from gdbench.analysis.ranks import Ranks
from gdbench.analysis.speed import Pair, Speed
from gdbench.analysis.view import ProblemView, SolverView, optimizer_name
from gdbench.report import style, words
from gdbench.writing import whole

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # no search for a place above the ticks
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
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

INK = "#1b1f24"
SOFT = "#57606a"
RANKS = LinearSegmentedColormap.from_list("ranks", ["#0072b2", "#eef4f9"])

#: Below so much, two times are the same: a log axis needs an end.
SMALL_NOISE = 1e-4

#: A log axis that spans less than this factor has too few powers of ten on it.
SHORT = 50


#: Of each kind of file: what keeps it the same from one drawing to the next, and its resolution.
FILES: dict[str, dict[str, Any]] = {".svg": {"metadata": {"Date": None}}, ".png": {"metadata": {"Software": None}, "dpi": 144}}


def save(plot: Callable[..., Figure], subject: object, path: Path, endings: Iterable[str]) -> None:
    """Draw one figure into a file of each ending."""
    with styled():
        figure = plot(subject)
        FigureCanvasAgg(figure)
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)
        figure.set_layout_engine("none")  # laid out once, for all files
        for ending in endings:
            with whole(path.with_name(path.name + ending)) as file:
                figure.savefig(file, format=ending[1:], **FILES[ending])


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


def logarithmic(ax: Any, axes: str = "xy", clock: str = "") -> None:
    """Log axes of what has been plotted, their numbers plain text; those of `clock` are times.

    A tick a decade, as the nine between cost much of the drawing time; at 1, 2 and 5 where there is little more than one.
    """
    for name in axes:
        axis = getattr(ax, f"{name}axis")
        low, high = axis.get_data_interval()
        if not 0 < high < math.inf:  # nothing was plotted that a log axis has a place for
            continue
        getattr(ax, f"set_{name}scale")("log")
        axis.set_minor_locator(NullLocator())
        short = 0 < low < high < SHORT * low
        if short:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(time if name in clock else plain if short else power))


def time(value: float, _: object = None) -> str:
    """Seconds in the unit in which they read well: 2e-3 → "2 ms"."""
    factor, unit = words.scale("seconds", value * 1.001)  # 1e-3 may be a little less
    return f"{round(value * factor, 6):g} {unit}"


def plain(value: float, _: object = None) -> str:
    """A number in its digits, or as 5·10⁻⁴ where it is small or large."""
    return f"{value:g}" if 0.01 <= value < 1000 else power(value)


def power(value: float, _: object = None) -> str:
    """A power of ten as text, 10⁻³, 1, 10, 10², and its multiples, 5·10⁻⁴."""
    if value <= 0:
        return f"{value:g}"
    digit, exponent = f"{value:.2e}".split("e")
    raised = f"10{str(int(exponent)).translate(RAISED)}"
    if float(digit) == 1:
        return f"{value:g}" if exponent in ("+00", "+01") else raised
    return f"{float(digit):g}·{raised}"


def convergence(problem: ProblemView) -> Figure:
    """The gap against epochs, samples and, where clocks were taken, seconds; on a landscape against steps."""
    kinds = problem.axes
    figure = Figure(figsize=(max(3.3 * len(kinds), 4.4), 3.6), layout="constrained")
    for ax, kind in zip(np.atleast_1d(figure.subplots(1, len(kinds), sharey=True)), kinds, strict=True):
        for solver in problem.featured:
            if kind != "seconds" or solver.timed:
                _curve(ax, solver, kind)
        logarithmic(ax, clock="x" if kind == "seconds" else "")
        ax.set(xlabel=kinds[kind])
        for target in problem.targets if problem.featured else ():  # alone they would span no axis
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
    logarithmic(ax, "x", "x" if problem.by == "seconds" else "")
    ax.set(xlabel=f"{problem.unit} to gap {words.gap(problem.headline)}", title=problem.name)
    named(ax, [solver.label for solver in shown])
    return figure


def _variant(solver: SolverView) -> str:
    """The key of a solver's mark."""
    return "baseline" if solver.baseline else solver.variant


def steps(subject: tuple[ProblemView, list[Steps]]) -> Figure:
    """What a step of each size costs, the gap it ends at, and the cost to the target."""
    problem, found = subject
    panels = [("seconds", "seconds an update"), ("floor", "gap it ends at"), ("cost", f"{problem.unit} to the target")]
    panels = [(key, title) for key, title in panels if any(np.isfinite(getattr(one, key)).any() for one in found)]
    figure = Figure(figsize=(3.3 * len(panels), 3.4), layout="constrained")
    for ax, (key, title) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        for one in found:
            _steps(ax, one, getattr(one, key))
        timed = key == "seconds" or (key == "cost" and problem.by == "seconds")
        logarithmic(ax, clock="y" if timed else "")
        ax.set(xlabel="rows a step", title=title)
    legend(figure, figure.axes[0], 7)
    return figure


def _steps(ax: Any, one: Steps, values: np.ndarray) -> None:
    colour, mark = style.look(one.solver.optimizer)
    sound = np.isfinite(values) & (values > 0)
    label = optimizer_name(one.solver.optimizer)
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
    found, unit = subject
    rows, columns = found.ranks.shape
    figure = Figure(figsize=(2.4 + 1.05 * columns, 0.9 + 0.36 * rows), layout="constrained")
    ax = figure.subplots()
    ax.imshow(found.ranks, cmap=RANKS, vmin=1, vmax=rows, aspect="auto")
    for i, j in itertools.product(range(rows), range(columns)):
        cost = words.figure(unit, float(found.costs[i, j])) if np.isfinite(found.costs[i, j]) else "–"
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
    """Performance profiles."""
    found, unit = subject
    return stairs(found, f"τ: {unit} to the target, as a multiple of the best solver's", "share of problems")


def distribution(subject: tuple[list[Line], str]) -> Figure:
    """Run-time distributions."""
    found, unit = subject
    return stairs(found, f"{unit}, as a multiple of the best solver's to the headline target", "share of targets reached")


def stairs(found: list[Line], x: str, y: str) -> Figure:
    """Lines of shares as steps."""
    figure = Figure(figsize=(6.6, 4.2), layout="constrained")
    ax = figure.subplots()
    for line in found:
        who = line.who
        colour = INK if who.baseline else style.PALETTE[style.look(who.optimizer)[0]]
        dash = style.BASELINE_DASH[1] if who.baseline else style.DASHES.get(who.variant, ("", "-"))[1]
        ax.step(line.x, line.share, where="post", color=colour, linestyle=dash, label=who.label)
    logarithmic(ax, "x")
    ax.set(xlabel=x, ylabel=y, ylim=(-0.02, 1.02))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    legend(figure, ax, 3)
    return figure


KINDS = {"batch": "blue", "mini-batch": "vermillion", "stochastic": "green", "baseline": ""}


def bandwidth(speed: Speed) -> Figure:
    """How fast each solver went through its data, under the roof of what the machine reads."""
    names = speed.problems[::-1]
    figure = Figure(figsize=(6.6, 1.3 + 0.36 * len(names)), layout="constrained")
    ax = figure.subplots()
    for kind, colour in KINDS.items():
        found = [(one.gb_s, names.index(one.problem)) for one in speed.readings if one.kind == kind]
        if found:
            mark = style.VARIANT_MARKS[kind][1]
            ax.plot(*zip(*found, strict=True), mark, color=style.PALETTE.get(colour, INK), label=kind, markersize=5, alpha=0.8)
    logarithmic(ax, "x")
    if speed.limit:
        ax.axvline(speed.limit, color=SOFT, linestyle="--", linewidth=1.2, label="memory, one core")
    ax.set(xlabel="GB of data a second", ylim=(-0.6, len(names) - 0.4))
    named(ax, names)
    legend(figure, ax, 3)
    return figure


def named(ax: Any, names: list[str]) -> None:
    """Names beside the rows of a figure, the first at the bottom."""
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)


def peers(pairs: list[Pair]) -> Figure:
    """How many times as long a peer takes for the same work."""
    shown = pairs[::-1]
    figure = Figure(figsize=(7.6, 1.1 + 0.26 * len(shown)), layout="constrained")
    ax = figure.subplots()
    for place, pair in enumerate(shown):
        ax.plot([pair.low, pair.high], [place, place], color=SOFT, linewidth=1.2)
        ax.plot(pair.ratio, place, "o", color=style.PALETTE["blue"], markersize=6)
    logarithmic(ax, "x")
    ax.axvline(1.0, color=INK, linewidth=1.0)
    ax.set(xlabel="times as long as gdbench", ylim=(-0.7, len(shown) - 0.3))
    named(ax, [f"{pair.work}: {pair.peer}" for pair in shown])
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    return figure


def noise(found: list[Noise]) -> Figure:
    """How far apart identical runs were timed, on each problem."""
    shown = found[::-1]
    figure = Figure(figsize=(6.6, 1.3 + 0.36 * len(shown)), layout="constrained")
    ax = figure.subplots()
    for place, one in enumerate(shown):
        x = np.maximum(one.excess, SMALL_NOISE)
        label = "a solver, timed twice" if not place else None
        ax.plot(x, np.full(len(x), place), "o", color=style.PALETTE["blue"], markersize=5, alpha=0.55, label=label)
        bound, label = max(one.bound, SMALL_NOISE), "nine of ten stay under" if not place else None
        ax.plot(bound, place, "|", color=style.PALETTE["vermillion"], markersize=17, markeredgewidth=2.4, label=label)
    logarithmic(ax, "x")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    ax.set(xlabel="slower run over the faster", ylim=(-0.6, len(shown) - 0.4))
    named(ax, [one.problem for one in shown])
    legend(figure, ax, 2)
    return figure


def difference(found: Ranks) -> Figure:
    """Average ranks with half the critical difference to both sides."""
    count = len(found.who)
    figure = Figure(figsize=(6.6, 1.1 + 0.3 * count), layout="constrained")
    ax = figure.subplots()
    for place, (who, mean) in enumerate(zip(found.who, found.mean, strict=True)):
        colour = INK if who.baseline else style.PALETTE[style.look(who.optimizer)[0]]
        reach = [mean - found.critical / 2, mean + found.critical / 2]
        ax.plot(reach, [place, place], color=colour, linewidth=3, alpha=0.35, solid_capstyle="butt")
        mark = style.VARIANT_MARKS.get("baseline" if who.baseline else who.variant, ("circle", "o"))[1]
        ax.plot(mean, place, mark, color=colour, markersize=7)
    ax.axvline(found.mean[0] + found.critical / 2, color=SOFT, linestyle=":", linewidth=1.2)
    ax.set(xlabel="average rank", ylim=(count - 0.4, -0.6))
    named(ax, [who.label for who in found.who])
    return figure
