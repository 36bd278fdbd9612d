"""Two results folders side by side: which solvers got better, worse, or are not distinguishable."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from gdbench.errors import GdbenchError
from gdbench.report import page, view, words
from gdbench.report.view import ProblemView, View
from gdbench.suite.execute import target_label
from gdbench.suite.results import MACHINE
from gdbench.writing import write_text

#: What is compared: whether a clock takes it, and what it is called.
MEASURES = {
    "convergence": (False, "{unit} to the target"),
    "speed": (True, "seconds a sample"),
    "time": (True, "seconds to the target"),
}

BETTER, WORSE, SAME = "better", "worse", "not distinguishable"

#: Resamples of the seeds behind an interval, and its confidence.
RESAMPLES = 999
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """What changed from A to B.

    Attributes
    ----------
    names : tuple of str
        Of A and B.
    rows : DataFrame
        A row a problem, solver and measure: problem, solver, label, unit (what convergence is counted in: samples, or a
        landscape's steps), measure, target, a, b (medians over seeds; inf where a target was missed), ratio (B ⁄ A; below 1 is
        better), low, high (its interval over seeds), noise (the factor that a change of a clock has to exceed; NaN where it is
        not known), seeds (those that both have), of (those that either has), verdict.
    notes : list of str
        What a reader has to know: other machines, versions, solvers that only one folder holds.
    clocks : bool
        Whether clocks were compared.
    threshold : float
        The factor under which a change counts as none.
    """

    names: tuple[str, str]
    rows: pd.DataFrame
    notes: list[str]
    clocks: bool
    threshold: float
    changes: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def regressions(self) -> pd.DataFrame:
        """The rows that got worse."""
        return self.rows[self.rows.verdict == WORSE]

    @property
    def ordered(self) -> pd.DataFrame:
        """The rows as a reader wants them: first what got worse, then what got better."""
        place = self.rows.verdict.map({WORSE: 0, BETTER: 1, SAME: 2})
        return self.rows.assign(place=place).sort_values("place", kind="stable").drop(columns="place")

    @property
    def regressed(self) -> bool:
        """Whether anything got worse."""
        return len(self.regressions) > 0

    @property
    def said(self) -> list[str]:
        """The outcome in sentences, one a measure."""
        return [_said(measure, rows) for measure, rows in self.rows.groupby("measure", sort=False)]

    def to_json(self) -> str:
        """The comparison as JSON; what is not finite is null."""
        rows = [{key: _plain(value) for key, value in row.items()} for row in self.rows.to_dict("records")]
        told = {"a": self.names[0], "b": self.names[1], "clocks": self.clocks, "threshold": self.threshold}
        told |= {"regressed": self.regressed, "notes": self.notes, "changes": self.changes, "rows": rows}
        return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)

    def to_markdown(self) -> str:
        """The comparison as Markdown: what changed, then every row."""
        return page.environment(False).get_template("compare.md").render(comparison=self, cells=cells)

    def to_html(self) -> str:
        """The comparison as one HTML page that needs nothing else."""
        rows = [_shown(row) for row in self.rows.to_dict("records")]
        title = f"gdbench: {self.names[0]} and {self.names[1]}"
        payload = {"palette": page.palette(), "problems": [{"rows": rows}]}
        return page.html("compare.html", payload, comparison=self, cells=cells, heads=HEADS, title=title)

    def write(self, folder: str | Path) -> Path:
        """Write compare.html, compare.md and compare.json; the path of the first."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        texts = {"json": self.to_json() + "\n", "md": self.to_markdown(), "html": self.to_html()}
        for ending, text in texts.items():
            write_text(folder / f"compare.{ending}", text)
        return folder / "compare.html"


def compare(a: str | Path, b: str | Path, *, clocks: bool = False, threshold: float = 1.05) -> Comparison:
    """Compare two results folders, the older one first.

    Runs are paired by seed. A measure is worse where the whole interval of the ratio B ⁄ A lies above the threshold
    (for clocks also above the A/A noise of both folders), better where it lies below its inverse. Clocks of a single seed, or
    of a problem whose noise one of the folders does not know, get no verdict.

    Parameters
    ----------
    a, b : path
        Results folders of suites that share problems and solvers.
    clocks : bool, default False
        Compare clocks even if they ran on different machines.
    threshold : float, default 1.05
        The factor under which a change counts as none.

    Returns
    -------
    Comparison

    Raises
    ------
    GdbenchError
        Nothing is common to both.
    """
    if threshold < 1:
        raise GdbenchError(f"the threshold is a factor of at least 1, not {threshold:g}")
    one, other = view.read(a), view.read(b)
    names = (str(a), str(b))
    notes, same = _machines(one, other)
    used = same or clocks
    if not used:
        notes.insert(0, "The machines differ, so clocks are not compared; ask for it to do so all the same.")
    elif not same:
        notes.insert(0, "The machines differ: ratios of clocks say as much about the machines as about the solvers.")
    common, missing = _common(one, other)
    if not common:
        raise GdbenchError(f"{names[0]} and {names[1]} share no problem with a solver; compare runs of one suite")
    notes += missing
    rows = [row for key in common for row in _compared(one, other, key, used, threshold)]
    if not rows:
        raise GdbenchError(f"{names[0]} and {names[1]} share no seed of any solver")
    table = pd.DataFrame(rows)
    notes += _unpaired(table) + _unsure(table)
    return Comparison(names, table, notes, used, threshold, _changes(one, other))


def _unpaired(rows: pd.DataFrame) -> list[str]:
    """Which comparisons leave out seeds that only one folder has."""
    fewer = rows[rows.seeds < rows.of].groupby(["seeds", "of"]).size()
    return [
        f"{words.plural(count, 'comparison')} went over {seeds} of {words.plural(every, 'seed')}: those that both folders have."
        for (seeds, every), count in fewer.items()
    ]


def _unsure(rows: pd.DataFrame) -> list[str]:
    """Why clocks got no verdict."""
    clocks = rows[rows.measure.isin([measure for measure, (clock, _) in MEASURES.items() if clock])]
    told = []
    for which, why in ((clocks.seeds < 2, "rest on one seed"), (clocks.noise.isna(), "were not timed twice in both folders")):
        if which.any():
            told.append(f"{words.plural(int(which.sum()), 'comparison')} of clocks {why}, so that no verdict is given.")
    return told


def _machines(one: View, other: View) -> tuple[list[str], bool]:
    """How the machines differ, and whether they are the same."""
    notes = []
    for key in MACHINE:
        first, second = one.machine.get(key), other.machine.get(key)
        if first != second:
            notes.append(f"{key.replace('_', ' ')}: {first} in A, {second} in B")
    notes += [f"{name}: {told}" for name, told in (("A", words.machines(one)), ("B", words.machines(other))) if told]
    return notes, not notes


def _changes(one: View, other: View) -> list[tuple[str, str, str]]:
    """Versions and commits that differ."""
    before, after = dict(page.machine_rows(one.machine)), dict(page.machine_rows(other.machine))
    told = [key for key in {**before, **after} if key.startswith("versions") or key in ("git commit", "python", "os")]
    pairs = [(key, before.get(key, "–"), after.get(key, "–")) for key in told]
    return [change for change in pairs if change[1] != change[2]]


def _common(one: View, other: View) -> tuple[list[tuple[str, str]], list[str]]:
    """Problem and solver that both hold, on the same problem; and what is left out."""
    first, second = (set(zip(v.summary.problem, v.summary.solver, strict=True)) for v in (one, other))
    notes = []
    # The best value known of a network may be another in each.
    optima = [{p.name: (p.optimum if p.certified else np.nan, p.start) for p in v.problems} for v in (one, other)]
    changed = {
        name
        for name in optima[0].keys() & optima[1].keys()
        if not np.allclose(optima[0][name], optima[1][name], rtol=1e-6, equal_nan=True)
    }
    if changed:
        notes.append(f"Left out, for the problem itself is another: {', '.join(sorted(changed))}.")
    for name, left in (("A", first - second), ("B", second - first)):
        if left:
            notes.append(f"Only {name} holds {words.plural(len(left), 'solver')}: {_few(left)}.")
    keys = zip(one.summary.problem, one.summary.solver, strict=True)
    return [key for key in keys if key in second and key[0] not in changed], notes


def _few(keys: set[tuple[str, str]]) -> str:
    named = [f"{solver} on {problem}" for problem, solver in sorted(keys)]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def _compared(one: View, other: View, key: tuple[str, str], clocks: bool, threshold: float) -> Iterator[dict[str, Any]]:
    """The rows of one solver on one problem."""
    before, after = _runs(one, key), _runs(other, key)
    label = view.label(one.summary[(one.summary.problem == key[0]) & (one.summary.solver == key[1])].iloc[0])
    unit = "steps" if _problem(one, key[0]).landscape else "samples"
    named: dict[str, Any] = {"problem": key[0], "solver": key[1], "label": label, "unit": unit}
    if before.empty != after.empty:
        yield from _only_one_usable(named, before, after, set(one.targets) & set(other.targets))
        return
    if not before.empty and not after.empty and before.stage.iloc[0] != after.stage.iloc[0]:
        # a timed run records more points than the grid's, and so meets a target sooner
        before, after = _of_grid(one, before), _of_grid(other, after)
    seeds, every = before.index.intersection(after.index), before.index.union(after.index)
    if not len(seeds):
        return
    before, after = before.loc[seeds], after.loc[seeds]
    target = _target(set(one.targets) & set(other.targets), before, after)
    noise = float(np.max([_problem(shown, key[0]).noise for shown in (one, other)]))  # NaN where one is
    alone = (before.timing == "alone").all() and (after.timing == "alone").all()
    for measure, (clock, _) in MEASURES.items():
        if clock and not (clocks and alone):
            continue
        a, b = (_values(measure, runs, target) for runs in (before, after))
        if np.isnan(a).any() or np.isnan(b).any():
            continue
        aim = {"measure": measure, "target": target if measure != "speed" else math.nan, "seeds": len(seeds), "of": len(every)}
        verdict = judge(a, b, noise if clock else 1.0, threshold)
        yield named | aim | verdict | ({"verdict": SAME} if clock and len(seeds) < 2 else {})


def _only_one_usable(
    named: dict[str, Any], before: pd.DataFrame, after: pd.DataFrame, targets: set[float]
) -> Iterator[dict[str, Any]]:
    """The row of a solver that has no usable rate in A or in B, and one in the other."""
    usable = after if before.empty else before
    target = _target(targets, usable)
    values = _values("convergence", usable, target)
    if np.isnan(values).any():  # another objective, which has no gap
        return
    middle = float(np.median(values))
    a, b = (math.inf, middle) if before.empty else (middle, math.inf)
    told = {"measure": "convergence", "target": target, "a": a, "b": b, "noise": 1.0}
    told |= {"seeds": len(usable), "of": len(usable)}
    yield named | told | dict.fromkeys(("ratio", "low", "high"), math.nan) | {"verdict": BETTER if before.empty else WORSE}


def _runs(shown: View, key: tuple[str, str]) -> pd.DataFrame:
    """The runs of a solver at its best rate, by seed."""
    found = shown.chosen.get(key)
    return pd.DataFrame() if found is None else found.drop_duplicates("seed").set_index("seed")


def _of_grid(shown: View, runs: pd.DataFrame) -> pd.DataFrame:
    """The grid's runs of the solver and rate of these, by seed."""
    grid, first = shown.results.tuning, runs.iloc[0]
    same = [grid[name] == first[name] for name in ("problem", "solver", "learning_rate")]
    return grid[np.logical_and.reduce(same)].drop_duplicates("seed").set_index("seed")


def _target(targets: set[float], *sides: pd.DataFrame) -> float:
    """The tightest target that all seeds reached in A or in B; NaN if there is none."""
    for target in sorted(targets):
        column = f"samples_to_{target_label(target)}"
        if any(np.isfinite(runs[column]).all() for runs in sides):
            return target
    return math.nan


def _problem(shown: View, name: str) -> ProblemView:
    return next(problem for problem in shown.problems if problem.name == name)


def _values(measure: str, runs: pd.DataFrame, target: float) -> np.ndarray:
    """The costs of each seed: inf for a miss, NaN where the measure does not apply."""
    if measure == "speed":
        return (runs.seconds / runs.n_samples.where(runs.n_samples > 0)).to_numpy(dtype=float)
    if math.isnan(target):
        return runs.relative_gap.to_numpy(dtype=float) if measure == "convergence" else np.full(len(runs), math.nan)
    cost = "samples" if measure == "convergence" else "seconds"
    return runs[f"{cost}_to_{target_label(target)}"].to_numpy(dtype=float)


def judge(a: np.ndarray, b: np.ndarray, noise: float, threshold: float) -> dict[str, Any]:
    """Verdict on costs paired by seed.

    Returns
    -------
    dict
        a, b (medians), ratio, low, high, noise, verdict.
    """
    middle = [float(np.median(values)) for values in (a, b)]
    found: dict[str, Any] = {"a": middle[0], "b": middle[1], "noise": noise}
    hits = [int(np.isfinite(values).sum()) for values in (a, b)]
    both = np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0)
    ratio, low, high = interval(np.log(b[both] / a[both])) if both.any() else (math.nan,) * 3
    found |= {"ratio": ratio, "low": low, "high": high}
    if hits[0] != hits[1]:
        return found | {"verdict": WORSE if hits[1] < hits[0] else BETTER}
    limit = math.inf if math.isnan(noise) else max(noise, threshold)
    verdict = WORSE if low > limit else BETTER if high < 1 / limit else SAME
    return found | {"verdict": verdict}


def interval(logs: np.ndarray) -> tuple[float, float, float]:
    """Geometric mean of ratios with its bootstrap interval over seeds, from their logarithms."""
    middle = float(np.exp(logs.mean()))
    if len(logs) < 2 or np.ptp(logs) == 0:
        return middle, middle, middle
    generator = np.random.default_rng(0)
    found = stats.bootstrap(
        (logs,), np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=generator
    )
    low, high = np.exp(found.confidence_interval)
    return middle, float(low), float(high)


def _said(measure: Any, rows: pd.DataFrame) -> str:
    """The outcome of a measure in a sentence."""
    counts = rows.verdict.value_counts()
    parts = [f"{counts.get(verdict, 0)} {verdict}" for verdict in (BETTER, WORSE, SAME)]
    called = MEASURES[str(measure)][1].format(unit=" or ".join(rows.unit.unique()))
    return f"{words.capital(str(measure))} ({called}): of {len(rows)} solvers, {words.listed(parts)}."


HEADS = ("problem", "solver", "measure", "A", "B", "B ⁄ A", "interval", "verdict")


def cells(row: Any) -> tuple[str, ...]:
    """A row as text."""
    kind = row.unit if row.measure == "convergence" else "seconds"
    target = "" if math.isnan(row.target) else f" to {words.gap(row.target)}"
    if row.measure == "convergence" and math.isnan(row.target):
        ends, name = (words.gap(row.a), words.gap(row.b)), "final gap"
    else:
        ends, name = (words.amount(kind, row.a), words.amount(kind, row.b)), f"{row.measure}{target}"
    ratio = [words.significant(value) if math.isfinite(value) else "–" for value in (row.ratio, row.low, row.high)]
    return (row.problem, row.label, name, *ends, ratio[0], f"{ratio[1]}, {ratio[2]}", row.verdict)


def line(row: Any) -> str:
    """A row as a line for the terminal."""
    problem, solver, measure, a, b, ratio, ends, verdict = cells(row)
    times = f", {ratio} times [{ends}]" if math.isfinite(row.ratio) else ""
    return f"{verdict}: {problem}, {solver}, {measure}: {a} → {b}{times}"


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("problem", "label", "measure", "verdict", "ratio", "low", "high")
    return {key: _plain(row[key]) for key in keys}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
