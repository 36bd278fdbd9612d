"""The figures of a report as SVG and PNG files, in one style."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from gdbench.report import style, view, words
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
    "text.parse_math": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "gdbench",
    "svg.fonttype": "path",
}
INK = "#1b1f24"
SOFT = "#57606a"

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
    made = draw(view.read(folder), Path(folder) / "figures")
    return [
        Path(folder) / "figures" / file for files in made.values() for svg, _ in files for file in (svg, png_of(svg))
    ]


def draw(shown: View, folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Draw each problem's figures; its SVG files with their alt texts, by its slug."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, list[tuple[str, str]]] = {}
    for problem in shown.problems:
        made[problem.slug] = [
            (save(convergence, problem, folder / f"{problem.slug}-convergence.svg"), words.alt_convergence(problem)),
            (save(rates, problem, folder / f"{problem.slug}-learning-rate.svg"), words.alt_rates(problem)),
        ]
    return made


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


def plain(text: str) -> str:
    """Text in which a dollar sign starts no formula."""
    return text.replace("$", r"\$")


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
    """Log axes with a tick a decade; the nine between cost most of the drawing time."""
    for name in axes:
        getattr(ax, f"set_{name}scale")("log")
        getattr(ax, f"{name}axis").set_minor_locator(NullLocator())


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
    first.set(ylabel="relative gap", title=plain(problem.name))
    legend(figure, first)
    return figure


def _curve(ax: Any, solver: SolverView, kind: str) -> None:
    curve = solver.curve
    x = getattr(curve, kind)
    look = line_of(solver)
    ax.plot(x, curve.middle, label=plain(solver.label), **look)
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
    strip.set(yticks=[], ylim=(0.2, len(shown) + 0.8), title=plain(problem.name), facecolor="#fbefe6")
    strip.set_ylabel("diverged", rotation=0, ha="right", va="center")
    strip.grid(False)
    strip.spines[:].set_visible(False)
    strip.tick_params(length=0, which="both")
    legend(figure, ax, 3)
    return figure


def _rates(ax: Any, strip: Any, solver: SolverView, row: int) -> None:
    found, look = solver.sensitivity, line_of(solver)
    mark = style.MARKS[style.look(solver.optimizer)[1]][1]
    ax.plot(found.rate, found.middle, marker=mark, markersize=4, label=plain(solver.label), **look)
    ax.fill_between(found.rate, found.low, found.high, color=look["color"], alpha=0.15, linewidth=0)
    best = found.rate == solver.rate
    ax.plot(found.rate[best], found.middle[best], mark, markersize=9, color=look["color"], markeredgecolor=INK)
    lost = found.rate[found.diverged > 0]
    strip.plot(lost, np.full(len(lost), row), "x", color=look["color"], markersize=5, markeredgewidth=1.6)
