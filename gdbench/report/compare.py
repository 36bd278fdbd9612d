"""Two results folders side by side: which solvers got better, worse, or are not distinguishable."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdbench.analysis import verdicts, view
from gdbench.analysis.compare import BETTER, SAME, UNDECIDED, WORSE, compared, decide_clocks, differences, left_out, target_of
from gdbench.analysis.view import View
from gdbench.errors import GdbenchError
from gdbench.report import page, words
from gdbench.suite.results import MACHINE
from gdbench.writing import write_text

#: What each measure is called.
CALLED = {
    "convergence": "{unit} to the target",
    "steps": "seconds a sample in the steps, to the target",
    "call": "seconds a sample of a whole call, to the target",
}


@dataclass(frozen=True)
class Comparison:
    """What changed from A to B.

    Attributes
    ----------
    names : tuple of str
        Of A and B.
    rows : DataFrame
        A row a problem, solver and measure: problem, solver, label, unit (what it is counted in), measure, target, a, b (medians
        over seeds; inf where a target was missed), ratio (B ⁄ A; below 1 is better), low, high (its interval over seeds), seeds
        (those that both have), of (those that either has), pairs (timings of A and B in turn of a clock that may have changed,
        which a, b and what follows from them then are of; 0 where none were taken), verdict.
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
        place = self.rows.verdict.map({WORSE: 0, BETTER: 1, UNDECIDED: 2, SAME: 3})
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


def compare(
    a: str | Path,
    b: str | Path,
    *,
    clocks: bool = False,
    threshold: float = 1.05,
    again: bool = True,
    tell: Callable[[str], Any] = lambda line: None,
) -> Comparison:
    """Compare two results folders, the older one first.

    Only what both hold is compared: problems with the same data and the same budget, at a target that both aim at. Runs are
    paired by seed; the verdict is that of :mod:`gdbench.analysis.verdicts`, with the threshold as region of practical
    equivalence. Clocks that agree within the threshold are equal; all others are timed again, each in a process of the gdbench
    that made its folder, in turn; where that cannot be done, they are undecided.

    Parameters
    ----------
    a, b : path
        Results folders of suites that share problems and solvers.
    clocks : bool, default False
        Compare clocks even if they ran on different machines.
    threshold : float, default 1.05
        The factor under which a change counts as none.
    again : bool, default True
        Time clocks that differ again; without that they are undecided. It starts the interpreters, and loads the packages, that
        the folders name: not for folders of strangers.
    tell : callable, optional
        Hears of the progress.

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
    notes += differences(one, other)
    target = target_of(one, other)
    if target is None:
        raise GdbenchError(f"{names[0]} and {names[1]} share no target; compare runs of one suite")
    common, missing = _common(one, other)
    if not common:
        why = f": {missing[0]}" if missing else ""
        raise GdbenchError(f"{names[0]} and {names[1]} share no problem with a solver{why or '; compare runs of one suite'}")
    notes += missing
    rows = [row for key in common for row in compared(one, other, key, target, used, threshold)]
    if not rows:
        raise GdbenchError(f"{names[0]} and {names[1]} share no seed of any solver")
    notes += decide_clocks(one, other, rows, threshold, tell if again else None)
    table = pd.DataFrame(rows)
    notes += _unpaired(table) + _undecided(table)
    return Comparison(names, table, notes, used, threshold, _changes(one, other))


def _unpaired(rows: pd.DataFrame) -> list[str]:
    """Which comparisons leave out seeds that only one folder has."""
    fewer = rows[rows.seeds < rows.of].groupby(["seeds", "of"]).size()
    return [
        f"{words.plural(count, 'comparison')} went over {seeds} of {words.plural(every, 'seed')}: those that both folders have."
        for (seeds, every), count in fewer.items()
    ]


def _undecided(rows: pd.DataFrame) -> list[str]:
    """Why comparisons got no verdict."""
    told = []
    least = next(n for n in range(1, 100) if verdicts.e_value(n, n) >= verdicts.needed())
    by_seeds = rows[(rows.pairs == 0) & (rows.verdict == UNDECIDED)]
    if (by_seeds.seeds < least).any():
        told.append(f"A verdict on what is drawn from seeds, or timed, needs at least {words.plural(least, 'seed')}.")
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
    first, second = (dict.fromkeys((p.name, s.solver) for p in v.problems for s in p.solvers) for v in (one, other))
    changed = left_out(one, other)
    notes = [f"Left out: {name}, for {why}." for name, why in sorted(changed.items())]
    for name, left in (("A", first.keys() - second), ("B", second.keys() - first)):
        if left:
            notes.append(f"Only {name} holds {words.plural(len(left), 'solver')}: {_few(left)}.")
    return [key for key in first if key in second and key[0] not in changed], notes


def _few(keys: set[tuple[str, str]]) -> str:
    named = [f"{solver} on {problem}" for problem, solver in sorted(keys)]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def _said(measure: Any, rows: pd.DataFrame) -> str:
    """The outcome of a measure in a sentence."""
    counts = rows.verdict.value_counts()
    parts = [f"{counts.get(verdict, 0)} {verdict}" for verdict in (BETTER, WORSE, SAME, UNDECIDED)]
    called = CALLED[str(measure)].format(unit=" or ".join(rows.unit.unique()))
    return f"{words.capital(str(measure))} ({called}): of {len(rows)} solvers, {words.listed(parts)}."


HEADS = ("problem", "solver", "measure", "A", "B", "B ⁄ A", "interval", "verdict")


def cells(row: Any) -> tuple[str, ...]:
    """A row as text."""
    ends, name = (words.amount(row.unit, row.a), words.amount(row.unit, row.b)), f"{row.measure} to {words.gap(row.target)}"
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
