"""Which figures a report has, and their files: SVG, and PNG where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from gdbench.report import across, beside, plots, view, words
from gdbench.report.across import Across
from gdbench.report.beside import Beside
from gdbench.report.view import ProblemView, View
from gdbench.suite import warm

#: Of so many problems a report draws figures unasked; each takes about a second.
MANY = 12

#: From so many figures on, more than one process draws them: a process takes as long to start as ten figures.
WORTHWHILE = 24


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
    save([(plot, subject, folder / name, endings) for group in planned.values() for name, plot, subject, _ in group])
    return {slug: [(f"{name}.svg", alt) for name, _, _, alt in group] for slug, group in planned.items()}


def save(todo: list[tuple[Callable[..., Figure], Any, Path, tuple[str, ...]]]) -> None:
    """Draw figures into files: many in several processes, few in this one."""
    processes = warm.processes()
    if len(todo) < WORTHWHILE or processes < 2:
        for one in todo:
            plots.save(*one)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1), warm.closing_pool():
        Parallel(n_jobs=processes, batch_size=2)(delayed(plots.save)(*one) for one in todo)


Planned = tuple[str, Callable[..., Figure], Any, str]


def over_all(shown: View, over: Across, near: Beside) -> Iterator[Planned]:
    """Name, function, subject and alt text of each figure over all problems."""
    if over.ranks and len(shown.problems) > 1:
        yield "ranks", plots.ranks, (over.ranks, over.by), words.ranks(over.ranks)
    if near.difference:
        yield "critical-difference", plots.difference, near.difference, words.difference(near.difference)
    if over.profile:
        yield "performance-profile", plots.profile, (over.profile, over.by), words.profile(over.profile)
    if over.distribution:
        said = words.distribution(over.distribution, over.by)
        yield "run-time-distribution", plots.distribution, (over.distribution, over.by), said
    if near.noise:
        yield "noise", plots.noise, near.noise, words.noise(shown)
    if near.speed.readings:
        yield "bandwidth", plots.bandwidth, near.speed, words.bandwidth(near.speed)
    if near.speed.pairs:
        yield "peers", plots.peers, near.speed.pairs, words.peers_of(near.speed.pairs)


def of_problem(problem: ProblemView, over: Across) -> Iterator[Planned]:
    """Name, function, subject and alt text of each figure of a problem."""
    yield "convergence", plots.convergence, problem, words.alt_convergence(problem)
    yield "learning-rate", plots.rates, problem, words.alt_rates(problem)
    if problem.headline is not None:
        yield "time-to-target", plots.to_target, problem, words.answer(problem)
    found = over.steps.get(problem.name, [])
    if found and words.steps(problem, found):
        yield "steps", plots.steps, (problem, found), words.steps(problem, found)
