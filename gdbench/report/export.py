"""Results for other tools: CSV, Parquet, LaTeX, and a benchmark that ``benchopt plot`` opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from gdbench.analysis import tables, view
from gdbench.analysis.uncertainty import Spread
from gdbench.analysis.view import ProblemView, View
from gdbench.errors import GdbenchError, one_line, unknown
from gdbench.report import words
from gdbench.suite.vocabulary import NO_RATE
from gdbench.writing import whole, write_text

#: Words of a run that a row of its curve is told with.
WORDS = [
    *("problem", "dataset", "loss", "penalty", "alpha", "solver", "backend", "variant", "batch_size", "optimizer"),
    *("schedule", "shuffle", "dtype", "learning_rate", "seed", "stage", "repeat", "timing", "status"),
]


def write(folder: str | Path, kind: str, out: str | Path | None = None) -> list[Path]:
    """Export a results folder.

    Parameters
    ----------
    folder : path
    kind : {"csv", "parquet", "latex", "benchopt"}
        ``csv``: runs.csv, curves.csv, hits.csv, summary.csv, a row a solver and problem, intervals.csv, the interval and aRT of
        each cost to each target, and comparisons.csv, each solver beside the first of its problem, with the verdict.
        ``parquet``: the last three, and points.parquet, every curve with the words of its run.
        ``latex``: tables.tex, a booktabs table a problem.
        ``benchopt``: a benchmark folder with its result file, for ``benchopt plot OUT``.
    out : path, optional
        A folder; FOLDER/export/KIND by default.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    GdbenchError
        An unknown format, a folder without results or one that cannot be written.
    """
    if kind not in FORMATS:
        raise unknown("format", kind, FORMATS)
    shown = view.read(folder)
    target = Path(out) if out is not None else Path(folder) / "export" / kind
    try:
        target.mkdir(parents=True, exist_ok=True)
        return FORMATS[kind](shown, target)
    except OSError as error:
        raise GdbenchError(f"cannot write into {target}: {error.strerror or one_line(error)}") from None


def _csv(shown: View, out: Path) -> list[Path]:
    found = shown.results
    made = {"runs": found.runs, "curves": found.curves, "hits": found.hits} | _tables(shown)
    for name, table in made.items():
        with whole(out / f"{name}.csv") as path:
            table.to_csv(path, index=False)
    return [out / f"{name}.csv" for name in made]


def _parquet(shown: View, out: Path) -> list[Path]:
    made = _tables(shown) | {"points": points(shown)}
    for name, table in made.items():
        _write_parquet(table, out / f"{name}.parquet")
    return [out / f"{name}.parquet" for name in made]


def _write_parquet(table: pd.DataFrame, file: Path) -> None:
    with whole(file) as path:
        table.to_parquet(path, index=False)


def _tables(shown: View) -> dict[str, pd.DataFrame]:
    return {"summary": tables.summary(shown), "intervals": tables.intervals(shown), "comparisons": tables.comparisons(shown)}


def points(shown: View) -> pd.DataFrame:
    """Every recorded point with the words of its run."""
    curves = shown.results.curves
    every = shown.results.runs
    runs = every[["run_id", *[word for word in WORDS if word in every]]]
    return curves.assign(run_id=curves.run_id.astype(str)).merge(runs, on="run_id", how="left")


def _latex(shown: View, out: Path) -> list[Path]:
    path = out / "tables.tex"
    head = "% Needs \\usepackage{booktabs}. Made by gdbench.\n"
    write_text(path, head + "\n".join(latex_table(problem) for problem in shown.problems))
    return [path]


def latex_table(problem: ProblemView) -> str:
    """The solvers of a problem as a booktabs table: the cost to each target."""
    heads = ["solver", "$\\alpha$", "final gap", *[f"to {_power(target)}" for target in problem.targets]]
    rows = []
    for solver in problem.solvers:
        rate = words.tuned(solver).replace("–", "--") + r"$^*$" * solver.at_edge
        final = _power(solver.final.value) if solver.final.reached else "--"
        costs = [_cost(problem.by, solver.costs[target][problem.by]) for target in problem.targets]
        rows.append(" & ".join([escaped(solver.label), rate, final, *costs]) + r" \\")
    caption = f"{escaped(problem.name)}: {problem.unit} to each relative gap, the median over seeds with its interval."
    caption += " $^*$: at the edge of the rates tried." if problem.edges else ""
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            r"\toprule",
            " & ".join(heads) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _power(value: float) -> str:
    mantissa, _, exponent = words.gap(value).partition("e")
    power = f"10^{{{exponent}}}"
    return f"${power}$" if mantissa == "1" else f"${mantissa} \\cdot {power}$"


def _cost(kind: str, cost: Spread) -> str:
    if not cost.reached:
        return "--"
    text = words.figure(kind, cost.value) + (f" [{words.ends(kind, cost)}]" if cost.complete and cost.seeds > 1 else "")
    return text.replace("µ", r"\textmu ").replace("%", r"\%")


def escaped(text: str) -> str:
    """Text in which no character is LaTeX's own."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {"<": r"\textless{}", ">": r"\textgreater{}"}
    special |= {mark: f"\\{mark}" for mark in "&%$#_{}"}
    return "".join(special.get(mark, mark) for mark in text)


OBJECTIVE = '''"""Results of a gdbench suite, for ``benchopt plot``; nothing can be run here."""

from benchopt import BaseObjective


class Objective(BaseObjective):
    name = "gdbench"
    min_benchopt_version = "1.5"

    def set_data(self, **data):
        pass

    def get_objective(self):
        return {}

    def evaluate_result(self, **result):
        return {"value": 0.0}

    def get_one_result(self):
        return {}
'''


def _benchopt(shown: View, out: Path) -> list[Path]:
    write_text(out / "objective.py", OBJECTIVE)
    for name in ("datasets", "solvers", "outputs"):
        (out / name).mkdir(exist_ok=True)
    result = out / "outputs" / "gdbench.parquet"
    _write_parquet(benchopt_table(shown), result)
    return [out / "objective.py", result]


def benchopt_table(shown: View) -> pd.DataFrame:
    """The curves of each solver at its best rate, in benchopt's columns: a row a recorded point."""
    chosen = pd.concat(shown.chosen.values()) if shown.chosen else shown.runs.iloc[:0]
    curves = shown.results.curves
    keys = ["run_id", "problem", "solver", "loss", "penalty", "alpha", "seed", "learning_rate", "objective_start", "optimum"]
    joined = curves.assign(run_id=curves.run_id.astype(str)).merge(chosen[keys], on="run_id")
    penalty = joined.penalty.where(joined.alpha > 0, "none")
    machine, versions = shown.machine, shown.machine.get("versions", {})
    return pd.DataFrame(
        {
            "objective_name": "gdbench[loss=" + joined.loss + ",penalty=" + penalty + "]",
            "obj_description": "Objectives of gdbench, with their distance from the minimum (of a network, the best value known)",
            # a slash would be a folder in the names of its figures
            "dataset_name": joined.problem.str.replace("/", "-"),
            "solver_name": joined.solver + joined.learning_rate.map(_configuration),
            "solver_description": "",
            "idx_rep": joined.seed.astype("int64"),
            "stop_val": joined.step.astype("int64"),
            "time": joined.seconds,
            "objective_value": joined.objective,
            "objective_gap": joined.gap,
            "objective_relative_gap": joined.gap / (joined.objective_start - joined.optimum),
            "run_date": str(shown.results.facts.get("started", "")),
            "platform": str(machine.get("os", "")),
            "platform-release": "",
            "platform-architecture": str(machine.get("architecture", "")),
            "system-cpus": machine.get("cores") or 0,
            "system-processor": str(machine.get("cpu", "")),
            "system-ram (GB)": round((machine.get("memory_bytes") or 0) / 2**30),
            "version-numpy": str(versions.get("numpy", "")),
            "version-scipy": str(versions.get("scipy", "")),
        }
    )


FORMATS: dict[str, Callable[[View, Path], list[Path]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "latex": _latex,
    "benchopt": _benchopt,
}


def _configuration(rate: float) -> str:
    """A learning rate behind a solver's name; nothing where none is needed."""
    return "" if rate == NO_RATE else f"[learning_rate={words.rate(rate)}]"
