"""The command line: thin. It reads the words, calls the package and prints what that returns.

Results go to stdout, as JSON with --json; all else goes to stderr, and with --quiet only errors do.
Exit codes: 0 done; 1 a check or comparison found a difference; 2 the request was wrong; 130 interrupted.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from gdbench import writing
from gdbench.errors import GdbenchError, unknown


def examples(*lines: str) -> str:
    """The closing lines of a command's help."""
    return "Examples:\n\n" + "\n\n".join(f"  gdbench {line}" for line in lines)


# What a command needs beyond this is imported inside it, so that --help stays quick.

app = typer.Typer(
    name="gdbench",
    help="Which variant, optimizer and learning rate reaches the minimum soonest, at what cost?",
    epilog="Start with:  gdbench demo   ·   gdbench run   ·   gdbench COMMAND --help",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

#: What --quiet and --verbose of the command that runs have set.
VOICE = {"quiet": False, "verbose": False}

#: Options of every command.
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.", show_default=False)]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show where in the code an error arose.", show_default=False)]


def command(*name: str, **words: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command, which takes --quiet and --verbose besides its own options."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def heard(*arguments: Any, quiet: bool = False, verbose: bool = False, **options: Any) -> None:
            VOICE.update(quiet=quiet, verbose=verbose)
            function(*arguments, **options)

        # typer reads the one or the other, and evaluates no text of a signature that it is given
        own = inspect.signature(function, eval_str=True)
        options = {"quiet": Quiet, "verbose": Verbose}
        kind = inspect.Parameter.KEYWORD_ONLY
        added = [inspect.Parameter(key, kind, default=False, annotation=value) for key, value in options.items()]
        heard.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
        heard.__annotations__ = {one.name: one.annotation for one in heard.__signature__.parameters.values()}  # type: ignore[attr-defined]
        app.command(*name, **words)(heard)
        return function

    return register


UsageError: type[Exception] = typer.BadParameter.__mro__[1]

INTERRUPTED = 130


class Interrupted(Exception):
    """Ctrl-C, with a line that says how to go on."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The words after ``gdbench``; those of the process by default.

    Returns
    -------
    int
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without α shows "?" instead of a traceback
    VOICE.update(quiet=False, verbose=False)
    try:
        code = app(args=arguments, prog_name="gdbench", standalone_mode=False) or 0
        return complain("interrupted", INTERRUPTED) if code == INTERRUPTED else code
    except GdbenchError as error:
        return complain(str(error), 2)
    except UsageError as error:
        return complain(usage_message(error), 2)
    except Interrupted as error:
        return complain(str(error), INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        return complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader, say `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, a folder that may not be written
        return complain(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error), 2)


def complain(message: str, code: int) -> int:
    """Print one line on stderr, after the traceback where that is asked for; returns the exit code."""
    if VOICE["verbose"] and sys.exc_info()[1] is not None:
        traceback.print_exc()
    line = " ".join(message.split())
    Console(stderr=True, soft_wrap=True).print(f"[bold red]gdbench:[/] {escape(line)}", highlight=False)
    return code


def usage_message(error: Any) -> str:
    """What is wrong with the words, and where to read more."""
    context = getattr(error, "ctx", None)
    told = error.format_message().strip().rstrip(".")
    if context is None:
        return told
    if told.startswith("No such command"):
        return f"{told}; choose from: {', '.join(context.command.list_commands(context))}"
    return f"{told} (see: {context.command_path} --help)"


def emit(value: Any) -> None:
    """Print JSON on stdout."""
    from gdbench.demo.show import plain

    print(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from gdbench import __version__

        print(f"gdbench {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Measure gradient descent."""
    if context.invoked_subcommand is None:
        print(context.get_help())


# run and plan -------------------------------------------------------------------------------------------------------

Suite = Annotated[str, typer.Argument(help="A built-in suite (gdbench list suites), or a TOML file.")]
Quick = Annotated[bool, typer.Option("--quick", help="One seed, three rates, a fifth of the epochs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Problems = Annotated[
    list[str] | None, typer.Option("--problem", help="Only this problem of the suite; again for more.", metavar="NAME")
]
Solvers = Annotated[
    list[str] | None,
    typer.Option(
        "--solver", help="Only this optimizer, or solver by its label, beside the baselines; again for more.", metavar="NAME"
    ),
]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, help="So many reporting seeds instead of the suite's.", metavar="N")]


def folder_of(text: str) -> Path:
    """The folder that an option names; an empty text, which a path takes for the current folder, names none."""
    if not text.strip():
        raise typer.BadParameter("it is empty: give a folder, '.' for the current one")
    return Path(text)


@command(
    epilog=examples(
        "run", "run --quick --jobs 2", "run mine.toml --out results/mine --max-time 600", "run full --dask tcp://head:8786"
    )
)
def run(
    suite: Suite = "quickstart",
    problem: Problems = None,
    solver: Solvers = None,
    seeds: Seeds = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; reports/SUITE by default, reports/SUITE-quick with --quick.",
            metavar="DIR",
            parser=folder_of,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes; what is compared by seconds is timed alone.")] = 1,
    dask: Annotated[
        str | None,
        typer.Option(help="Send the grid to a Dask scheduler's workers, or to ones started here: local.", metavar="ADDRESS"),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of going on from what is there.")] = False,
    quick: Quick = False,
    max_time: Annotated[
        float | None,
        typer.Option(min=0, help="Stop after so many seconds; the same command goes on.", metavar="SECONDS"),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Leave the report for later: gdbench report DIR.")] = False,
    json_: AsJson = False,
) -> None:
    """Run a suite, or go on with one that was stopped, write its report and print the answer.

    Exit code 1 when runs failed, or are left because the time is over.
    """
    from gdbench.suite import run_suite

    folder = out or Path("reports") / (Path(suite).stem + "-quick" * quick)
    where: dict[str, Any] = {"jobs": jobs, "dask": dask, "quick": quick}
    go_on = again(suite, folder, **where) + filters(problem, solver, seeds)
    chosen = suite_of(suite, problem, solver, seeds)
    try:
        results = run_suite(chosen, folder, **where, fresh=fresh, max_time=max_time, reporter=progress_of_suite())
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; finished runs are kept. Go on with: {go_on}") from None
    page = None if no_report or results.runs.empty else write_report(folder)
    told = answer_of(results)
    if json_:
        emit(summary_of_run(results, page) | told)
    else:
        note(f"{results.finished} of {results.planned} runs are in {folder}")
        for line in [*told["answers"], *told["warnings"], *([str(page)] if page else [])]:
            Console(soft_wrap=True).print(line, markup=False, highlight=False)
    if results.finished < results.planned:
        note(f"the time is over; go on with: {go_on}")
    if told["failures"]:
        note(f"{len(told['failures'])} problems have runs that failed:" if len(told["failures"]) > 1 else "runs failed:")
        for line in told["failures"]:
            note(f"  {line}")
    if told["failures"] or results.finished < results.planned:
        raise typer.Exit(1)


def suite_of(name: str, problems: list[str] | None, solvers: list[str] | None, seeds: int | None) -> Any:
    """The suite of a name or file, or the part of it that the filters leave."""
    from gdbench.suite import spec

    with writing.stdout_to_stderr():
        return spec.part(spec.load(name), problems or (), solvers or (), seeds)


def filters(problems: list[str] | None, solvers: list[str] | None, seeds: int | None) -> str:
    """The options of a part of a suite, as they were given."""
    words = [word for name in problems or () for word in ("--problem", name)]
    words += [word for name in solvers or () for word in ("--solver", name)]
    words += ["--seeds", str(seeds)] if seeds else []
    return f" {shlex.join(words)}" if words else ""


def progress_of_suite() -> Any:
    """A progress bar on stderr, if that is a terminal, and not --quiet."""
    if VOICE["quiet"] or not sys.stderr.isatty():
        return None
    from gdbench.suite.progress import RichReporter

    return RichReporter(Console(stderr=True))


def again(suite: str, folder: Path, jobs: int, dask: str | None, quick: bool) -> str:
    """The command that goes on with a suite."""
    words = ["gdbench", "run", suite, "--out", str(folder)]
    words += ["--jobs", str(jobs)] if jobs > 1 else []
    words += ["--dask", dask] if dask else []
    return shlex.join(words + ["--quick"] * quick)


def write_report(folder: Path) -> Path:
    """Write the report of a results folder."""
    from gdbench import report

    return report.write(folder)


def answer_of(results: Any) -> dict[str, list[str]]:
    """What a suite found, in the sentences of its report: who was first on each problem and how sure that is."""
    from gdbench.analysis import view
    from gdbench.report import words

    if results.runs.empty:
        return {"answers": [], "warnings": [], "failures": []}
    shown = view.build(results)
    answers = [f"{words.answer(problem)} {words.doubt(problem)}" for problem in shown.problems]
    warnings = [words.unfinished(shown), words.machines(shown)]
    return {"answers": answers, "warnings": [line for line in warnings if line], "failures": words.failures(shown)}


def summary_of_run(results: Any, page: Path | None) -> dict[str, Any]:
    """What `run --json` prints."""
    return {
        "folder": str(results.folder),
        "report": str(page) if page else None,
        "planned": results.planned,
        "finished": results.finished,
        "status": results.runs["status"].value_counts().to_dict() if len(results.runs) else {},
        "facts": results.facts,
    }


@command(epilog=examples("plan", "plan quickstart --quick", "plan mine.toml --json"))
def plan(
    suite: Suite = "quickstart",
    problem: Problems = None,
    solver: Solvers = None,
    seeds: Seeds = None,
    quick: Quick = False,
    json_: AsJson = False,
) -> None:
    """Show what a suite would run and how long it should take, without running it."""
    from gdbench.suite import plan as plans
    from gdbench.suite import spec, warm

    chosen = suite_of(suite, problem, solver, seeds)
    with writing.stdout_to_stderr():
        made = plans.make(spec.quick(chosen) if quick else chosen)
    rows = plans.overview(made)
    compiling = warm.estimate(made)
    if json_:
        emit(
            {"suite": chosen.name, "runs": made.n_runs, "seconds": made.estimate, "compile_seconds": compiling, "problems": rows}
        )
        return
    counted = ("solvers", "rates", "seeds", "runs")
    times = [row["error"] or plans.describe(row["seconds"]) for row in rows]
    cells = [[row["problem"], *size(row), *(row[h] for h in counted), time] for row, time in zip(rows, times, strict=True)]
    show_table(("problem", "rows", "columns", *counted, "time"), cells)
    before = f", and about {plans.describe(compiling)} of compiling before it" if compiling else ": all loops are compiled"
    note(f"{made.n_runs} runs, in about {plans.describe(made.estimate)}{before}")


def size(row: dict[str, Any]) -> tuple[Any, Any]:
    """Rows and columns of a planned problem; a landscape has none of the first and dimensions for the second."""
    return ("–", f"{row['columns']}-d") if row["rows"] is None else (row["rows"], row["columns"])


#: Characters in a line of a table that goes elsewhere than to a terminal, where nothing is folded.
WIDE = 200


def show_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table on stdout."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", overflow="fold", no_wrap=not number)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    (Console() if sys.stdout.isatty() else Console(width=WIDE)).print(table)


def note(line: str) -> None:
    """Print a line beside the result: on stderr, unless --quiet."""
    if VOICE["quiet"]:
        return
    Console(stderr=True, soft_wrap=True).print(line, highlight=False, markup=False)


# report -------------------------------------------------------------------------------------------------------------


@command(epilog=examples("report reports/quickstart", "report reports/quickstart --figures"))
def report(
    folder: Annotated[Path, typer.Argument(help="A results folder, as gdbench run leaves it.", metavar="DIR")],
    figures: Annotated[bool, typer.Option("--figures", help="Write the figures only, as SVG and PNG.")] = False,
    parity: Annotated[
        Path | None, typer.Option(help="Of gdbench validate --out; DIR/parity.json by default.", metavar="FILE")
    ] = None,
    peers: Annotated[
        Path | None, typer.Option(help="Of benchmarks/peers.py --json; DIR/peers.json by default.", metavar="FILE")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Write report.html, report.md and the figures of a results folder."""
    from gdbench import report as reporting
    from gdbench.report import figures as drawing

    show_files(list(drawing.write(folder, peers)) if figures else [reporting.write(folder, parity, peers)], json_)


def show_files(files: Iterable[Path], as_json: bool) -> None:
    """Print the paths of what was written."""
    if as_json:
        emit({"files": [str(file) for file in files]})
        return
    for file in files:
        print(file)


# compare and export ----------------------------------------------------------------------------------------------------


@command(epilog=examples("compare reports/before reports/after", "compare before after --fail-on-regression --out reports/diff"))
def compare(
    a: Annotated[Path, typer.Argument(help="The older results folder.", metavar="DIR_A")],
    b: Annotated[Path, typer.Argument(help="The newer results folder.", metavar="DIR_B")],
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit code 1 when anything got worse.")
    ] = False,
    clocks: Annotated[bool, typer.Option("--clocks", help="Compare seconds even from different machines.")] = False,
    threshold: Annotated[float, typer.Option(min=1.0, help="The factor under which a change counts as none.")] = 1.05,
    time_again: Annotated[
        bool, typer.Option("--again", help="Time clocks that differ again. Runs the programs that the folders name: trust them.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page, its twin and JSON.", metavar="DIR", parser=folder_of)
    ] = None,
    json_: AsJson = False,
) -> None:
    """Compare two results folders: which solvers got better, worse, or are not distinguishable.

    A clock that differs is undecided until --again has timed it: each folder's solver by the gdbench that made it, in turn.
    """
    from gdbench.report import compare as comparing

    found = comparing.compare(a, b, clocks=clocks, threshold=threshold, again=time_again, tell=note)
    if json_:
        print(found.to_json())
    else:
        show_comparison(found, comparing)
    if out:
        note(f"written: {written(found, out)}")
    if fail_on_regression and found.regressed:
        raise typer.Exit(1)


def show_comparison(found: Any, comparing: Any) -> None:
    """Print what changed, and what a reader has to know."""
    for line in [*found.notes, *found.said]:
        Console(soft_wrap=True).print(line, markup=False, highlight=False)
    for row in found.ordered[found.ordered.verdict != comparing.SAME].itertuples():
        Console(soft_wrap=True).print(f"  {comparing.line(row)}", markup=False, highlight=False)


def written(found: Any, folder: Path) -> Path:
    """The page of a comparison, written."""
    try:
        return found.write(folder)
    except OSError as error:
        raise GdbenchError(f"cannot write into '{folder}': {error.strerror or error}") from None


@command(epilog=examples("export reports/quickstart --format csv", "export reports/quickstart --format benchopt --out b"))
def export(
    folder: Annotated[Path, typer.Argument(help="A results folder.", metavar="DIR")],
    kind: Annotated[str, typer.Option("--format", help="csv, parquet, latex or benchopt.", metavar="FORMAT")] = "csv",
    out: Annotated[
        Path | None, typer.Option(help="Folder; DIR/export/FORMAT by default.", metavar="DIR", parser=folder_of)
    ] = None,
    json_: AsJson = False,
) -> None:
    """Export results for other tools."""
    from gdbench.report import export as exporting

    show_files(exporting.write(folder, kind, out), json_)


# validate -----------------------------------------------------------------------------------------------------------


@command(epilog=examples("validate", "validate --against sklearn", "validate --against torch --out parity.json"))
def validate(
    against: Annotated[str, typer.Option(help="sklearn, torch, optax, keras, numpy, … or all.", metavar="NAME")] = "all",
    out: Annotated[Path | None, typer.Option(help="File for every case, as JSON.", metavar="FILE")] = None,
    json_: AsJson = False,
    quick: Annotated[bool, typer.Option("--quick", help="A part of the cases that still holds every rule.")] = False,
    every: Annotated[bool, typer.Option("--every", help="Print every case, not only a summary.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a processor.", show_default=False)] = None,
) -> None:
    """Compare gdbench step by step with reference implementations; exit code 1 when anything disagrees."""
    from gdbench import parity

    if out:
        with to_write(out):  # before the minutes that the cases take
            writing.check_writable(out)
    with bar("comparing") as progress:
        rows = parity.validate(against, progress, quick=quick, jobs=jobs or (1 if quick else os.cpu_count() or 1))
    if out:
        write_text(out, parity.to_json(rows))
    if json_:
        print(parity.to_json(rows))
    else:
        show_cases(rows, every)
    wrong = parity.disagreements(rows)
    if wrong:
        note(f"{len(wrong)} of {len(rows)} cases disagree")
        raise typer.Exit(1)


def show_cases(rows: list[Any], every: bool) -> None:
    """Print the summary of a comparison, what disagrees, and what was left out; every case where that is asked for."""
    from gdbench import parity

    if every:
        show_table(parity.table.HEADS, map(parity.table.cells, rows))
    show_table(SUMMARY_HEADS, (summary_cells(r) for r in parity.summary(rows, by_tolerance=True) if not r["skipped"]))
    for row in rows:
        if row.status == "skipped":
            note(f"{row.against} is not installed, so it was left out: {row.reason}")
    wrong = parity.disagreements(rows)
    if wrong:
        show_table(parity.table.HEADS, map(parity.table.cells, wrong))


SUMMARY_HEADS = ("against", "version", "cases", "failed", "largest difference", "relative", "tolerance", "seconds")


def summary_cells(record: dict[str, Any]) -> Sequence[str]:
    """A line of the summary: a reference's cases of one tolerance, which is on the relative difference."""
    from gdbench.parity.table import number

    counts = [str(record[key]) for key in ("cases", "failed")]
    differences = [number(record[key]) for key in ("absolute", "relative", "tolerance")]
    return (record["against"], record["version"], *counts, *differences, f"{record['seconds']:.1f}")


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int, str], None] | None]:
    """A progress bar with the time left on stderr, if that is a terminal, and not --quiet."""
    if VOICE["quiet"] or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[now]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(title, total=None, now="")
        yield lambda done, total, now: shown.update(task, completed=done, total=total, now=now)


def write_text(path: Path, text: str) -> None:
    """Write a file that the user asked for."""
    with to_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        writing.write_text(path, text)


@contextmanager
def to_write(path: Path) -> Iterator[None]:
    """Tell of a file that cannot be written."""
    try:
        yield
    except OSError as error:
        raise GdbenchError(f"cannot write '{path}': {error.strerror or error}") from None


# info ---------------------------------------------------------------------------------------------------------------


@command(epilog=examples("info", "info --json", "info --tune"))
def info(
    json_: AsJson = False,
    tune: Annotated[
        bool, typer.Option("--tune", help="Measure anew how rows are read fastest on this machine, and keep that for all runs.")
    ] = False,
) -> None:
    """Describe the machine: processor, versions, threads, read bandwidth, shapes of reading rows, environment variables."""
    from gdbench.suite import environment, machine

    if tune:
        from gdbench.kernels import shapes
        from gdbench.solve import tuning

        with to_write(shapes.kept_in()):
            shapes.keep(tuning.measure())
    found, variables = machine.describe(), environment.settings()
    if json_:
        emit(found | {"environment": variables})
        return
    lines = [(name.replace("_", " "), in_words(value)) for name, value in found.items()]
    lines += [(name, "not set" if value is None else value) for name, value in variables.items()]
    for name, text in lines:
        Console(soft_wrap=True).print(f"[bold]{name.ljust(22)}[/]{escape(text)}", highlight=False)


def in_words(value: Any) -> str:
    """A value of the machine's description on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {in_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(map(in_words, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}" if isinstance(value, float) else str(value)


# demo ---------------------------------------------------------------------------------------------------------------


@command(epilog=examples("demo line", "demo optimizers --png race.png", "demo --all --out demo.html"))
def demo(
    name: Annotated[
        str, typer.Argument(help="parabola, line, … (gdbench list demos names them all)", show_default=True)
    ] = "parabola",
    all_: Annotated[bool, typer.Option("--all", help="Every demo, in the order in which they are best read.")] = False,
    png: Annotated[Path | None, typer.Option(help="Draw the pictures into a .png, .svg or .pdf file.", metavar="FILE")] = None,
    out: Annotated[Path | None, typer.Option(help="File for a page to teach from: .html.", metavar="FILE")] = None,
    json_: AsJson = False,
) -> None:
    """Show an item of a first course on gradient descent: numbers, a picture, a sentence."""
    from gdbench import demo as demos
    from gdbench.demo import figure, page, terminal

    if all_ and png:
        raise GdbenchError("--png draws one demo; for all of them use --out FILE.html")
    shows = [demos.run(each) for each in (demos.NAMES if all_ else [name])]
    files = [figure.save(shows[0], png)] if png else []
    files += [page.write(shows, out)] if out else []
    if json_:
        emit({show.name: show.numbers for show in shows})
    elif not out:
        for show in shows:
            terminal.show_on(Console(), show)
    for file in files:
        note(f"written: {file}")


# landscape -------------------------------------------------------------------------------------------------------------


@command(
    epilog=examples(
        "landscape double-well",
        "landscape rosenbrock --optimizers adam,momentum --start=-1.2,1 --out page.html",
        "landscape himmelblau --json",
    )
)
def landscape(
    name: Annotated[str, typer.Argument(help="A landscape: gdbench list landscapes names them all.")],
    optimizers: Annotated[str, typer.Option(help="Names, with commas between.")] = "gd,momentum,nesterov,rmsprop,adam",
    start: Annotated[
        str | None, typer.Option(help="Where all begin: --start=-1.2,1. The landscape's own by default.", metavar="X,Y")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each walk.")] = 200,
    out: Annotated[Path | None, typer.Option(help="File for the walks as a page: map, paths, sliders.", metavar="FILE")] = None,
    json_: AsJson = False,
) -> None:
    """Walk over a landscape with several optimizers from the same start, each at its best learning rate."""
    from gdbench.report import landscapes

    begin = None if start is None else numbers("start", start)
    chosen = [each.strip() for each in optimizers.split(",") if each.strip()]
    scene = landscapes.scene(name, chosen or landscapes.OPTIMIZERS, begin, steps=steps)
    if json_:
        emit(landscapes.facts(scene))
    else:
        show_table(("optimizer", "learning rate", "ends at", "f", "which"), landscapes.ends(scene))
    if out:
        write_text(out, landscapes.html([scene]))
        note(f"written: {out}")


def numbers(option: str, text: str) -> list[float]:
    """Numbers with commas between."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise GdbenchError(f"--{option} takes numbers with commas between, such as -1.2,1; not '{text}'") from None


# list ---------------------------------------------------------------------------------------------------------------


@command("list", epilog=examples("list optimizers", "list datasets --json"))
def list_(
    kind: Annotated[str, typer.Argument(help="What to list; the kinds themselves by default.")] = "kinds",
    json_: AsJson = False,
) -> None:
    """List the names that a request can use: data sets, losses, optimizers and so on."""
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    rows = dict(KINDS[kind]())
    if json_:
        emit([{"name": name, "description": text} for name, text in rows.items()])
        return
    width = max(map(len, rows), default=0)
    for name, text in rows.items():
        Console(soft_wrap=True).print(f"[bold]{escape(name.ljust(width))}[/]  {escape(text)}", highlight=False)


def from_registry(kind: str) -> Callable[[], Iterator[tuple[str, str]]]:
    """A lister of a registry of kernels, with the first line of each class's docstring."""

    def rows() -> Iterator[tuple[str, str]]:
        from importlib import import_module

        registry = import_module(f"gdbench.kernels.{kind}").registry
        return ((name, summary(registry[name])) for name in registry.names())

    return rows


def summary(documented: Any) -> str:
    """The first line of a docstring."""
    return (documented.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def datasets() -> Iterator[tuple[str, str]]:
    """The catalog's data sets, with task and size."""
    from gdbench.problems import catalog

    for name in catalog.names():
        entry = catalog.entry(name)
        yield name, f"{entry.description.rstrip('.')} ({entry.task}, {entry.size[0]:,} × {entry.size[1]:,})"


def suites() -> Iterator[tuple[str, str]]:
    """The built-in suites, with their titles."""
    from gdbench.suite import builtin_names, spec

    return ((name, spec.load(name).title) for name in builtin_names())


def demos() -> Iterator[tuple[str, str]]:
    """The demos."""
    from gdbench import demo

    return ((name, summary(demo.find(name))) for name in demo.NAMES)


def kinds() -> Iterator[tuple[str, str]]:
    """What can be listed, with the number of each."""
    return ((kind, f"{len(list(rows()))}") for kind, rows in KINDS.items() if kind != "kinds")


KINDS: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
    "datasets": datasets,
    "losses": from_registry("losses"),
    "penalties": from_registry("penalties"),
    "optimizers": from_registry("optimizers"),
    "schedules": from_registry("schedules"),
    "landscapes": from_registry("landscapes"),
    "suites": suites,
    "demos": demos,
    "kinds": kinds,
}
