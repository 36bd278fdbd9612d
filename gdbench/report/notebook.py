"""How results show themselves in a notebook: key numbers beside a figure, and a Plotly figure from ``.plot()``.

The classes lie on lower floors and know nothing of figures: they are :class:`gdbench.shown.Shown`, which loads this module
when one is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from gdbench.problems import Problem
from gdbench.solve.fit import Fit, Sweep
from gdbench.solve.paths import Path
from gdbench.suite.results import Results

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Series:
    """A line of a picture; `colour` is one of the palette, by its place where none is given."""

    name: str
    x: np.ndarray
    y: np.ndarray
    joined: bool = True
    colour: str = ""


@dataclass(frozen=True)
class Card:
    """What is shown of one object.

    Attributes
    ----------
    title : str
    facts : list of (name, value)
    series : list of Series
    x, y : str
        Titles of the axes.
    log : str
        The axes that are logarithmic: "", "x", "y" or "xy".
    """

    title: str
    facts: list[tuple[str, str]]
    series: list[Series] = field(default_factory=list)
    x: str = ""
    y: str = ""
    log: str = ""


def card(thing: Any) -> Card:
    """What is shown of an object."""
    return CARDS[type(thing)](thing)


def plot(self: Any) -> go.Figure:
    """Draw the object.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    import plotly.graph_objects as go

    from gdbench.report import style

    shown = card(self)
    figure = go.Figure()
    for i, series in enumerate(shown.series):
        colour = series.colour or list(style.PALETTE.values())[i % len(style.PALETTE)]
        mode = "lines+markers" if series.joined else "markers"
        name = escape(series.name, quote=False)
        figure.add_scatter(x=series.x, y=series.y, name=name, mode=mode, marker={"size": 5}, line={"color": colour})
    kinds = {axis: "log" if axis in shown.log else "linear" for axis in "xy"}
    figure.update_layout(
        title=escape(shown.title, quote=False), template="simple_white", showlegend=len(shown.series) > 1, height=420
    )
    figure.update_xaxes(title=shown.x, type=kinds["x"], exponentformat="power")
    figure.update_yaxes(title=shown.y, type=kinds["y"], exponentformat="power")
    return figure


def html(self: Any) -> str:
    """Show the object as HTML: key numbers, and a picture that needs no JavaScript."""
    shown = card(self)
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in shown.facts
    )
    picture = svg(shown) if shown.series else ""
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start"><div><strong>{escape(shown.title)}'
        f"</strong><table>{rows}</table></div>{picture}</div>"
    )


def svg(shown: Card) -> str:
    """The picture of a card."""
    import io

    from matplotlib.figure import Figure

    from gdbench.report import plots, style

    with plots.styled():
        figure = Figure(figsize=(4.6, 2.9 + 0.1 * len(shown.series)), layout="constrained")
        ax = figure.subplots()
        for i, series in enumerate(shown.series):
            colour = series.colour or list(style.PALETTE.values())[i % len(style.PALETTE)]
            line = "-" if series.joined else "none"
            ax.plot(series.x, series.y, linestyle=line, marker="o", markersize=3, color=colour, label=series.name)
        plots.logarithmic(ax, shown.log)
        ax.set(xlabel=shown.x, ylabel=shown.y)
        if len(shown.series) > 1:
            plots.legend(figure, ax, 2)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(shown.title)}" ', 1)


def _number(value: Any) -> str:
    return f"{float(value):.6g}"


def _curve(name: str, curve: Any) -> Series:
    points = curve[(curve.step > 0) & np.isfinite(curve.objective)]
    return Series(name, points.epoch.to_numpy(), points.objective.to_numpy())


def _scale(series: list[Series]) -> str:
    """A log axis for y where all values are above 0."""
    return "xy" if all((one.y > 0).all() for one in series) else "x"


def _fit(fit: Fit) -> Card:
    series = [_curve("objective", fit.curve)]
    facts = [
        ("status", fit.status + (f": {fit.reason}" if fit.reason else "")),
        ("objective", _number(fit.objective)),
        ("updates", f"{fit.n_updates:,}"),
        ("seconds", _number(fit.seconds)),
        ("compiling", f"{fit.compile_seconds:.3g} s"),
        ("weights", " × ".join(map(str, np.shape(fit.coef)))),
    ]
    return Card("Fit", facts, series, "epochs", "objective", _scale(series))


def _sweep(sweep: Sweep) -> Card:
    ends = np.array([fit.objective for fit in sweep.fits])
    sound = np.isfinite(ends) & (np.array(sweep.status) != "diverged")
    series = [Series("objective at the end", sweep.learning_rates[sound], ends[sound])]
    best = int(np.argmin(np.where(sound, ends, math.inf)))
    facts = [
        ("learning rates", f"{len(ends)}, from {sweep.learning_rates.min():g} to {sweep.learning_rates.max():g}"),
        ("best", f"{sweep.learning_rates[best]:g}, objective {_number(ends[best])}" if sound.any() else "none"),
        ("diverged", ", ".join(f"{rate:g}" for rate in sweep.learning_rates[~sound]) or "none"),
        ("seconds", _number(sweep.seconds)),
    ]
    return Card("Sweep", facts, series, "learning rate", "objective at the end", _scale(series))


def _path(path: Path) -> Card:
    last = path.x[-1]
    facts = [
        ("status", path.status + (f": {path.reason}" if path.reason else "")),
        ("steps", f"{len(path.value) - 1:,}"),
        ("ends at", ", ".join(f"{v:.6g}" for v in last[:6]) + (", …" if len(last) > 6 else "")),
        ("value", _number(path.value[-1])),
        ("gradient norm", _number(np.linalg.norm(path.gradient[-1]))),
    ]
    if path.x.shape[1] == 2:
        return Card("Path", facts, [Series("path", path.x[:, 0], path.x[:, 1])], "x", "y")
    sound = np.isfinite(path.value)
    series = Series("value", np.flatnonzero(sound), path.value[sound])
    return Card("Path", facts, [series], "step", "value", "y" if (series.y > 0).all() else "")


def _problem(problem: Problem) -> Card:
    optimum = problem.optimum
    facts = [
        ("data", f"{problem.dataset.n:,} rows × {problem.dataset.d:,} columns"),
        ("task", str(problem.dataset.task)),
        ("objective", repr(problem).split(": ", 1)[-1].rsplit(",", 1)[0]),
        ("minimum", f"{optimum.value:.10g}"),
        ("gradient norm there", f"{optimum.gradient_norm:.2g}"),
        ("found by", optimum.method),
    ]
    weights = np.sort(np.abs(np.ravel(optimum.w)))[::-1]
    series = [Series("weights", np.arange(1, len(weights) + 1), weights, joined=False)]
    return Card(f"Problem {problem.name}", facts, series, "weight, the largest first", "size at the minimum")


def _results(found: Results) -> Card:
    from gdbench.analysis import view
    from gdbench.report import plots, words

    if not len(found.tuning):
        return Card(f"Results in {found.folder}", [("runs", f"{found.finished} of {found.planned}")])
    shown = view.build(found)
    facts = [(problem.name, words.answer(problem)) for problem in shown.problems]
    first = shown.problems[0]
    series = [Series(s.label, s.curve.epochs, s.curve.middle, colour=str(plots.line_of(s)["color"])) for s in first.featured]
    facts.insert(0, ("runs", f"{found.finished:,} of {found.planned:,}"))
    return Card(f"Results in {found.folder}", facts, series, f"{first.called('epochs')} on {first.name}", "relative gap", "xy")


CARDS: dict[type, Callable[[Any], Card]] = {
    Fit: _fit,
    Sweep: _sweep,
    Path: _path,
    Problem: _problem,
    Results: _results,
}
