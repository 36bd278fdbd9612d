"""run, plan, report, compare, export, info: from a TOML file to a folder with a report, and on from there."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from gdbench import cli
from gdbench.analysis import view
from gdbench.errors import GdbenchError
from gdbench.kernels import shapes
from gdbench.report import words
from gdbench.solve import tuning
from gdbench.suite import environment, load, warm
from gdbench.suite.execute import data as execute

SUITE = """
title = "tiny"
seeds = 1
targets = [1e-1, 1e-2]
learning_rates = [0.01, 0.1]
repeats = 1
baselines = []
[budget]
epochs = 3
record = 10
[[problems]]
data = "diabetes"
[[solvers]]
variant = "mini-batch"
optimizer = "gd"
"""

#: Two rates on three tuning seeds; the larger one is best, so two more on each; what was chosen, counted, and timed.
RUNS = 2 * 3 + 2 * 3 + 1 + 1


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    path = tmp_path_factory.mktemp("suite") / "tiny.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture(scope="module")
def results(suite):
    """A results folder."""
    out = suite.parent / "out"
    assert cli.main(["run", str(suite), "--out", str(out)]) == 0
    return out


def test_run_writes_the_report_and_prints_the_answer_and_its_path(suite, results, capsys):
    assert cli.main(["run", str(suite), "--out", str(results)]) == 0
    captured = capsys.readouterr()
    answer, path = captured.out.splitlines()
    (problem,) = view.read(results).problems
    assert answer == f"{words.answer(problem)} {words.doubt(problem)}"
    assert "On diabetes, mini-batch" in answer
    assert path == f"{results / 'report.html'}"
    assert f"{RUNS} of {RUNS} runs" in captured.err
    for name in ("ledger.sqlite", "runs.parquet", "curves.parquet", "machine.json", "report.html", "report.md"):
        assert (results / name).is_file()


def test_run_json(suite, results, capsys):
    assert cli.main(["run", str(suite), "--out", str(results), "--json", "--no-report"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["planned"] == told["finished"] == RUNS
    assert told["report"] is None
    assert sum(told["status"].values()) == RUNS
    assert told["failures"] == []
    assert [line.startswith("On diabetes, ") for line in told["answers"]] == [True]


def test_run_exits_with_1_when_runs_failed_and_says_which_and_why(tmp_path, capsys, monkeypatch):
    real = execute.reference

    def without(case, dtype):
        if case.name == "breast_cancer":
            raise GdbenchError("no finite optimum found")
        return real(case, dtype)

    monkeypatch.setattr(execute, "reference", without)
    path = tmp_path / "both.toml"
    path.write_text(SUITE + '[[problems]]\ndata = "breast_cancer"\n')
    assert cli.main(["run", str(path), "--out", str(tmp_path / "out"), "--no-report"]) == 1
    captured = capsys.readouterr()
    assert "On breast_cancer, 6 runs failed: no finite optimum found." in captured.err
    assert "On diabetes, mini-batch" in captured.out
    assert cli.main(["run", str(path), "--out", str(tmp_path / "out"), "--no-report", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["failures"] == ["On breast_cancer, 6 runs failed: no finite optimum found."]
    assert told["status"]["failed"] == 6


def test_run_exits_with_1_when_its_time_is_over(tmp_path, capsys):
    path = tmp_path / "two.toml"
    path.write_text(SUITE + '[[problems]]\ndata = "linnerud"\n')
    command = ["run", str(path), "--out", str(tmp_path / "out"), "--no-report"]
    assert cli.main([*command, "--max-time", "0"]) == 1
    told = capsys.readouterr()
    assert "the time is over; go on with: gdbench run" in told.err
    assert "The suite is not finished" in told.out
    assert cli.main(command) == 0


def test_quick_has_a_folder_of_its_own(suite, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", str(suite), "--no-report"]) == 0
    before = (tmp_path / "reports" / "tiny" / "runs.parquet").read_bytes()
    assert cli.main(["run", str(suite), "--quick", "--no-report"]) == 0
    assert (tmp_path / "reports" / "tiny-quick" / "runs.parquet").is_file()
    assert (tmp_path / "reports" / "tiny" / "runs.parquet").read_bytes() == before
    capsys.readouterr()
    assert cli.main(["run", "--help"]) == 0
    assert "reports/SUITE-quick" in " ".join(capsys.readouterr().out.split())


def test_ctrl_c_says_how_to_go_on_and_that_command_does(suite, tmp_path, monkeypatch, capsys):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("gdbench.suite.run.execute", interrupt)
        assert cli.main(["run", str(suite), "--out", str(tmp_path / "out"), "--quick"]) == 130
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    words = shlex.split(told.partition("Go on with: ")[2])
    assert words[0] == "gdbench"
    assert cli.main([*words[1:], "--no-report"]) == 0
    assert (tmp_path / "out" / "runs.parquet").is_file()


def test_the_command_that_goes_on_says_all_that_was_asked():
    where = {"jobs": 2, "dask": "tcp://10.0.0.1:8786", "quick": True}
    words = ["gdbench", "run", "a suite.toml", "--out", "out", "--jobs", "2", "--dask", "tcp://10.0.0.1:8786", "--quick"]
    assert shlex.split(cli.again("a suite.toml", Path("out"), **where)) == words


def test_plan(suite, capsys):
    assert cli.main(["plan", str(suite)]) == 0
    captured = capsys.readouterr()
    assert "diabetes" in captured.out
    assert "6 runs" in captured.err
    assert cli.main(["plan", str(suite), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"][0]["solvers"] == 1


def test_a_plan_shows_the_dimensions_of_a_landscape(suite, tmp_path, capsys):
    path = tmp_path / "both.toml"
    path.write_text(SUITE + '[[problems]]\nlandscape = "himmelblau"\n')
    assert cli.main(["plan", str(path)]) == 0
    lines = {line.split()[0]: line.split()[1:3] for line in capsys.readouterr().out.splitlines()}
    assert lines["himmelblau"] == ["–", "2-d"]
    assert lines["diabetes"] == ["354", "10"]
    assert cli.main(["plan", str(path), "--json"]) == 0
    problems = {row["problem"]: row for row in json.loads(capsys.readouterr().out)["problems"]}
    assert (problems["himmelblau"]["rows"], problems["himmelblau"]["columns"]) == (None, 2)


def test_a_plan_says_what_compiling_adds(suite, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(warm, "marker", lambda loop: tmp_path / "nothing-is-compiled")
    assert cli.main(["plan", str(suite), "--json"]) == 0
    cold = json.loads(capsys.readouterr().out)
    assert cold["compile_seconds"] > cold["seconds"] > 0
    assert cli.main(["plan", str(suite)]) == 0
    assert f"and about {cold['compile_seconds']:.0f} s of compiling before it" in capsys.readouterr().err
    monkeypatch.setattr(warm, "marker", lambda loop: tmp_path)
    assert cli.main(["plan", str(suite)]) == 0
    assert "all loops are compiled" in capsys.readouterr().err


def test_report_and_figures(results, capsys):
    (results / "report.html").unlink()
    assert cli.main(["report", str(results)]) == 0
    assert (results / "report.html").is_file()
    capsys.readouterr()
    assert cli.main(["report", str(results), "--figures"]) == 0
    files = capsys.readouterr().out.split()
    assert {name.rpartition(".")[2] for name in files} == {"svg", "png"}


def test_compare_a_folder_with_itself_finds_nothing(results, tmp_path, capsys):
    words = ["compare", str(results), str(results), "--fail-on-regression"]
    assert cli.main([*words, "--out", str(tmp_path / "diff")]) == 0
    assert "worse" not in capsys.readouterr().out.replace("0 worse", "").replace("none worse", "")
    assert (tmp_path / "diff" / "compare.html").is_file()
    assert cli.main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regressed"] is False


def test_compare_finds_what_got_worse(tmp_path, capsys):
    for name, rate in (("a", 0.1), ("b", 0.0001)):
        path = tmp_path / f"{name}.toml"
        path.write_text(SUITE.replace("[0.01, 0.1]", f"[{rate}]").replace("seeds = 1", "seeds = 9"))
        assert cli.main(["run", str(path), "--out", str(tmp_path / name), "--no-report"]) == 0
    capsys.readouterr()
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b")]
    assert cli.main(words) == 0
    assert "worse" in capsys.readouterr().out
    assert cli.main([*words, "--fail-on-regression"]) == 1


@pytest.mark.parametrize("kind", ["csv", "parquet", "latex", "benchopt"])
def test_export(results, tmp_path, capsys, kind):
    assert cli.main(["export", str(results), "--format", kind, "--out", str(tmp_path)]) == 0
    files = capsys.readouterr().out.split()
    assert files
    for file in files:
        assert (tmp_path / file).exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "nope"], "quickstart"),
        (["plan", "nope"], "quickstart"),
        (["run", "--jobs", "0"], "--jobs"),
        (["run", "--max-time", "soon"], "--max-time"),
        (["report", "no-such-folder"], "no-such-folder"),
        (["compare", "no-such-folder", "nor-this"], "no-such-folder"),
        (["compare", "a", "b", "--threshold", "0.5"], "--threshold"),
        (["export", "no-such-folder"], "no-such-folder"),
        (["export", "no-such-folder", "--format", "xls"], "csv, parquet, latex, benchopt"),
    ],
)
def test_a_wrong_request_is_one_line(words, told, capsys):
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line(results, tmp_path, capsys):
    folder = shutil.copytree(results, tmp_path / "copy", ignore=shutil.ignore_patterns("figures"))
    (folder / "figures").write_text("in the way")
    assert cli.main(["report", str(folder)]) == 2
    told = capsys.readouterr().err
    assert f"{folder / 'figures'}: File exists" in told.replace("\n", "")
    assert told.startswith("gdbench: ")
    assert "Traceback" not in told


def test_a_part_of_a_suite(capsys, suite, results):
    words = ["--problem", "diabetes", "--solver", "gd", "--seeds", "2"]
    assert cli.main(["plan", str(suite), *words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["problems"]
    assert (row["problem"], row["seeds"]) == ("diabetes", 2)
    assert cli.main(["plan", str(suite), "--solver", "adam"]) == 2
    assert "unknown solver 'adam'; choose from: gd, mini-batch gd" in capsys.readouterr().err
    # finished runs are not run again: one more seed, and one more timing
    before = {*load(results).runs.run_id}
    assert cli.main(["run", str(suite), *words, "--out", str(results), "--no-report", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    after = {*load(results).runs.run_id}
    assert before < after and len(after) == RUNS + 2
    assert shlex.split(cli.filters(["diabetes"], ["gd"], 2)) == words


def test_report_and_export_say_in_json_what_they_wrote(capsys, results):
    for command in ("report", "export"):
        assert cli.main([command, str(results), "--json"]) == 0
        files = json.loads(capsys.readouterr().out)["files"]
        assert files and all(Path(file).exists() for file in files)


def test_info(capsys):
    assert cli.main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cores"] >= 1
    assert found["read_bandwidth_gb_s"] > 0
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    assert found.pop("environment").keys() == environment.VARIABLES.keys()
    for key in found:
        assert key.replace("_", " ") in out
    assert all(name in out for name in environment.VARIABLES)


def test_info_measures_shapes_anew_and_keeps_them(capsys, tmp_path, monkeypatch):
    measured = {name: shape._replace(near=1000) for name, shape in shapes.DEFAULT.items()}
    monkeypatch.setattr(shapes, "kept_in", lambda: tmp_path / "shapes.json")
    monkeypatch.setattr(tuning, "measure", lambda: measured)
    monkeypatch.delenv("GDBENCH_SHAPES", raising=False)
    shapes.forget()
    try:
        assert cli.main(["info", "--json", "--tune"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["shapes"]["source"] == str(tmp_path / "shapes.json")
        assert told["shapes"]["memory short random"]["near"] == 1000
        assert shapes.read(tmp_path / "shapes.json") == measured
        assert set(told["read_bandwidth_by_level_gb_s"]) == {"L2", "L3", "memory"}
    finally:
        shapes.forget()
