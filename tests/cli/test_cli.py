"""The command line: what it prints, and its exit codes."""

import json
import os
import subprocess
import sys

import pytest
import typer

import gdbench
from gdbench import cli
from gdbench.kernels import optimizers


@pytest.fixture
def run(capsys):
    """Run a command line in this process; returns exit code, stdout and stderr."""

    def call(*words):
        code = cli.main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def refused(result) -> str:
    """The line of a request that was wrong."""
    code, out, err = result
    assert code == 2, err
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("gdbench: ")
    return err


def test_version(run):
    assert run("--version") == (0, f"gdbench {gdbench.__version__}\n", "")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_names_the_commands(run, words):
    code, out, _ = run(*words)
    assert code == 0
    for command in ("run", "report", "demo", "list"):
        assert command in out


def test_every_command_has_help_with_examples(run):
    for command in commands():
        code, out, _ = run(command, "--help")
        assert code == 0
        assert "Example" in out, command


def commands() -> list[str]:
    return [c.name or c.callback.__name__ for c in cli.app.registered_commands]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nope"], "choose from: run"),
        (["demo", "nope"], "choose from: parabola, line"),
        (["demo", "--nope"], "--nope"),
        (["demo", "line", "extra"], "extra"),
        (["demo", "parabola", "--png", "picture.gif"], ".png"),
        (["demo", "parabola", "--out", "page.txt"], ".html"),
        (["demo", "--all", "--png", "x.png"], "--out"),
        (["run", "--out", ""], "Invalid value for '--out': it is empty: give a folder, '.' for the current one"),
        (["export", "somewhere", "--out", " "], "--out"),
        (["compare", "one", "other", "--out", ""], "--out"),
        (["list", "nope"], "choose from: datasets"),
        (["landscape"], "name"),
        (["landscape", "nope"], "double-well"),
        (["landscape", "rosenbrock", "--optimizers", "gd,nope"], "nesterov"),
        (["landscape", "rosenbrock", "--start=1;2"], "--start"),
        (["landscape", "double-well", "--start=1,2"], "dimension"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(run, words, told):
    assert told in refused(run(*words))


def test_demo(run):
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    assert "1.073741824" in out


def test_demo_json(run):
    code, out, _ = run("demo", "parabola", "--json")
    assert code == 0
    assert json.loads(out)["parabola"]["x"][-1] == pytest.approx(1.073741824)


def test_demo_writes_files(run, tmp_path):
    code, out, err = run("demo", "parabola", "--png", tmp_path / "p.png", "--out", tmp_path / "p.html")
    assert code == 0
    assert out == ""
    assert str(tmp_path / "p.png") in err
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "p.html").read_text()


def test_landscape(run, tmp_path):
    page = tmp_path / "new" / "page.html"
    code, out, err = run("landscape", "double-well", "--optimizers", "gd,adam", "--start=0.5", "--out", page)
    assert code == 0
    assert "minimum" in out
    assert err == f"written: {page}\n"
    assert "<html" in page.read_text()


def test_landscape_json(run, tmp_path):
    words = ("landscape", "himmelblau", "--optimizers", "gd,adam", "--steps", 300)
    code, out, err = run(*words, "--json", "--out", tmp_path / "page.html")
    told = json.loads(out)
    assert code == 0
    assert err == f"written: {tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").exists()
    assert (told["landscape"], told["steps"]) == ("himmelblau", 300)
    assert [end["name"] for end in told["optimizers"]] == ["gd", "adam"]
    for end in told["optimizers"]:
        path = gdbench.minimize("himmelblau", told["start"], end["name"], end["learning_rate"], steps=300)
        assert end["x"] == path.x[-1].tolist()
        assert (end["status"], end["f"], end["step"]) == (path.status, path.value[-1], 300)
        assert end["outcome"] == "is at a global minimum"


def test_landscape_json_has_null_for_what_is_not_finite(run):
    code, out, _ = run("landscape", "himmelblau", "--optimizers", "gd", "--start=1e200,0", "--json")
    (end,) = json.loads(out)["optimizers"]
    assert code == 0
    assert (end["status"], end["x"], end["f"]) == ("diverged", [1e200, 0.0], None)


def test_a_page_that_cannot_be_written_is_left_as_it_was(run, tmp_path, small_files):
    page = tmp_path / "page.html"
    words = ("landscape", "double-well", "--optimizers", "gd", "--start=0.5", "--out", page)
    run(*words)
    before = page.read_bytes()
    with small_files(1000):
        code, _, err = run(*words)
    assert code == 2
    assert err == f"gdbench: cannot write '{page}': File too large\n"
    assert page.read_bytes() == before


def test_lists(run):
    code, out, _ = run("list")
    assert code == 0
    for kind in out.splitlines():
        code, listed, _ = run("list", kind.split()[0])
        assert code == 0
        assert len(listed.splitlines()) == int(kind.split()[1])
        for line in listed.splitlines():
            assert len(line.split(maxsplit=1)) == 2, f"no description: {line}"


def test_list_json_names_every_member(run):
    listed = json.loads(run("list", "optimizers", "--json")[1])
    assert [row["name"] for row in listed] == optimizers.registry.names()


def test_interrupt_says_how_to_go_on(run, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("gdbench.demo.run", interrupt)
    code, out, err = run("demo")
    assert code == 130
    assert out == ""
    assert err == "gdbench: interrupted\n"


def process(*words, **environment) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "gdbench", *words]
    return subprocess.run(command, capture_output=True, env={**os.environ, **environment})


def test_module_runs_and_a_poor_terminal_is_no_error():
    done = process("list", "optimizers", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"w ? w ? ?g" in done.stdout
    assert done.stderr == b""


def test_no_colour_in_a_pipe_and_codes_reach_the_shell():
    done = process("demo", "nope")
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr


def test_a_reader_that_leaves_is_no_error():
    shell = f"{sys.executable} -m gdbench list datasets | head -1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True)
    assert done.stderr == b""


def test_import_is_light():
    heavy = {
        "pandas",
        "sklearn",
        "matplotlib",
        "plotly",
        "gdbench.suite",
        "gdbench.report",
        "gdbench.demo",
        "gdbench.parity",
    }
    code = "import sys, gdbench.cli; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert heavy & set(loaded) == set()


def every_command():
    """Each command with its help."""
    group = typer.main.get_command(cli.app)
    contexts = [(command, type(command).context_class(command, info_name=name)) for name, command in group.commands.items()]
    return [
        (command.name, {one.opts[0]: one.get_help_record(context) for one in command.params}) for command, context in contexts
    ]


@pytest.mark.parametrize(("name", "options"), every_command())
def test_every_command_has_one_habit(name, options):
    assert {"--json", "--quiet", "--verbose"} <= set(options)
    assert options["--json"] == ("--json", "Print JSON on stdout.")
    assert options["--quiet"][0] == "--quiet, -q" or options["--quiet"][0] == "-q, --quiet"
    if "--out" in options:
        words, told = options["--out"]
        assert words.split()[-1] == {"Folder": "DIR", "File": "FILE"}[told.split()[0].rstrip(";")]


def test_quiet_leaves_the_result_and_errors(run, tmp_path):
    words = ("demo", "parabola", "--png", tmp_path / "a.png")
    loud, quiet = run(*words), run(*words, "--quiet")
    assert "written:" in loud[2] and quiet == (0, loud[1], "")
    assert refused(run("demo", "nope", "-q"))
    assert "written:" in run(*words)[2]  # it is no setting that stays


def test_verbose_shows_where_an_error_arose(run):
    code, _, err = run("list", "nope", "-v")
    assert code == 2 and "Traceback" in err and err.splitlines()[-1].startswith("gdbench: unknown kind")
    assert "Traceback" not in run("list", "nope")[2]
