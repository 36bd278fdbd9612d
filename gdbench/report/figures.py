"""Which figures a report has, and their files: SVG, and PNG where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from gdbench.analysis import across, beside, view
from gdbench.analysis.across import Across
from gdbench.analysis.beside import Beside
from gdbench.analysis.view import ProblemView, View
from gdbench.report import plots, words

#: Of so many problems a report draws figures unasked; each takes some tenths of a second.
MANY = 8


def write(folder: str | Path, peers: Path | None = None) -> list[Path]:
    """Write every figure of a results folder into its figures/, as SVG and PNG.

    Parameters
    ----------
    folder : path
        With runs.parquet and curves.parquet.
    peers : path, optional
        As of :func:`gdbench.report.write`.

    Returns
    -------
    list of Path
        The files written.
    """
    shown = view.read(folder)
    over = across.build(shown)
    made = draw(shown, over, beside.build(shown, over, peers=peers), Path(folder) / "figures")
    return [Path(folder) / "figures" / file for files in made.values() for svg, _ in files for file in (svg, svg[:-4] + ".png")]


def draw(shown: View, over: Across, near: Beside, folder: Path, every: bool = True) -> dict[str, list[tuple[str, str]]]:
    """Draw the figures: of every problem as SVG and PNG, or else of the first MANY as SVG.

    Returns
    -------
    dict
        SVG files with their alt texts: of each problem by its slug, of those over all problems by "".
    """
    folder.mkdir(parents=True, exist_ok=True)
    planned = {"": list(over_all(shown, over, near))}
    for problem in shown.problems if every else shown.problems[:MANY]:
        planned[problem.slug] = [(f"{problem.slug}-{name}", *rest) for name, *rest in of_problem(problem, over)]
    endings = (".svg", ".png") if every else (".svg",)
    for name, plot, subject, _ in (one for group in planned.values() for one in group):
        plots.save(plot, subject, folder / name, endings)
    return {slug: [(f"{name}.svg", alt) for name, _, _, alt in group] for slug, group in planned.items()}


Planned = tuple[str, Callable[..., Figure], Any, str]


def over_all(shown: View, over: Across, near: Beside) -> Iterator[Planned]:
    """Name, function, subject and alt text of each figure over all problems."""
    if over.ranks and len(shown.problems) > 1:
        yield "ranks", plots.ranks, (over.ranks, over.unit), words.ranks(over.ranks)
    if over.ranks and len(over.ranks.problems) > 1 and len(over.ranks.who) > 2:
        yield "critical-difference", plots.difference, over.ranks, words.difference(over.ranks)
    if over.profile:
        yield "performance-profile", plots.profile, (over.profile, over.unit), words.profile(over.profile)
    if over.distribution:
        said = words.distribution(over.distribution)
        yield "run-time-distribution", plots.distribution, (over.distribution, over.unit), said
    if near.noise:
        yield "noise", plots.noise, near.noise, words.noise(shown)
    if near.speed.readings:
        yield "bandwidth", plots.bandwidth, near.speed, words.bandwidth(near.speed)
    if near.speed.pairs:
        said = f"{words.peers_of(near.speed.pairs)} {words.absent(near.speed.absent)}".strip()
        yield "peers", plots.peers, near.speed.pairs, said


def of_problem(problem: ProblemView, over: Across) -> Iterator[Planned]:
    """Name, function, subject and alt text of each figure of a problem."""
    yield "convergence", plots.convergence, problem, words.alt_convergence(problem)
    yield "learning-rate", plots.rates, problem, words.alt_rates(problem)
    if problem.won:
        yield "time-to-target", plots.to_target, problem, words.answer(problem)
    found = over.steps.get(problem.name, [])
    if found and words.steps(problem, found):
        yield "steps", plots.steps, (problem, found), words.steps(problem, found)
