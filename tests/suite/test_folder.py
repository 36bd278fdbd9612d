"""A results folder through all that can happen to it: each way into the next state is a row of one table."""

import json
import os
import re
import shutil
import sqlite3
import sys
import traceback

import numpy as np
import pandas as pd
import pytest

from gdbench import cli, report
from gdbench.errors import GdbenchError
from gdbench.report import compare
from gdbench.suite import load, machine, run_suite
from gdbench.suite.store import layout, ledger, tables

SUITE = """
seeds = 1
tuning_seeds = 1
learning_rates = [0.01]
tuning = "none"
repeats = 2
targets = [1e-1, 1e-2]
problems = [{ data = "diabetes" }]
solvers = [{ optimizer = "gd" }]
budget = { epochs = 3, record = 5 }
"""

TABLES = ("runs.parquet", "curves.parquet", "hits.parquet", "machine.json", "spec.json", "suite.json")


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Nothing is measured of the machine."""
    monkeypatch.setattr(machine, "read_bandwidth", lambda: 10.0)


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    path = tmp_path_factory.mktemp("suite") / "tiny.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture(scope="module")
def complete(suite):
    """A complete folder; not to be changed."""
    return run_suite(suite, suite.parent / "complete")


@pytest.fixture(scope="module")
def stopped(suite, complete):
    """A folder whose suite was stopped before its last run."""
    calls = [run_suite(suite, suite.parent / "stopped", max_time=0.0) for _ in range(3)]  # a run each
    return calls[-1]


# States ----------------------------------------------------------------------------------------------------------------

LAYOUT_1 = """
CREATE TABLE runs (run_id TEXT PRIMARY KEY, status TEXT NOT NULL, row TEXT NOT NULL, curve BLOB NOT NULL);
CREATE INDEX states ON runs (run_id, status);
CREATE TABLE plan (position INTEGER PRIMARY KEY, run_id TEXT NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
ATTACH '{now}' AS now;
INSERT INTO runs SELECT run_id, status, row, curve FROM now.runs;
INSERT INTO plan SELECT * FROM now.plan;
INSERT INTO meta SELECT key, value FROM now.meta WHERE key = 'spec';
PRAGMA user_version = 1;
"""


def to_layout_1(folder):
    """Bring a folder into the layout before sessions."""
    now, path = folder / "now", folder / "ledger.sqlite"
    os.replace(path, now)
    told = json.loads((folder / "machine.json").read_text())
    sessions = told.pop("sessions")
    facts = {"started": "2020-01-01", "jobs": 1, "dask": None, "quick": False, "wall_seconds": 1.0, "wall_seconds_total": 5.0}
    db = sqlite3.connect(path)
    db.executescript(LAYOUT_1.format(now=now))
    for key, value in (facts | {"machine": told | {"cpu": "an older one"}}).items():
        db.execute("INSERT INTO meta VALUES (?, ?)", (key, json.dumps(value)))
    db.commit()
    db.close()
    now.unlink()
    assert sessions
    (folder / "machine.json").write_text(json.dumps(told | {"cpu": "an older one"}))
    (folder / "suite.json").write_text(json.dumps({"planned": 4, "finished": 4} | facts))
    runs = pd.read_parquet(folder / "runs.parquet")
    runs.drop(columns="session").to_parquet(folder / "runs.parquet", index=False)


def to_layout_3(folder):
    """Bring a folder into a layout that is not known yet."""
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 3")
    db.close()
    (folder / "suite.json").write_text(json.dumps({"layout": 3, "anything": "else"}))


def leave_unfinished(folder):
    """Leave what a kill in the middle of writing leaves."""
    for name in TABLES:
        (folder / f".{name}-abcd_123").write_text("half of i")


def drop(*names):
    """What removes files."""

    def change(folder):
        for name in names:
            (folder / name).unlink()

    return change


def begin_nothing(folder):
    """Leave a ledger in which no suite has begun."""
    for path in folder.iterdir():
        path.unlink()
    ledger.Ledger(folder).close()


#: name: (the folder that it begins with, what is done to it)
STATES = {
    "nothing": (None, None),
    "stopped": ("stopped", None),
    "complete": ("complete", None),
    "layout 1": ("complete", to_layout_1),
    "layout 1, tables alone": ("complete", lambda folder: (to_layout_1(folder), drop("ledger.sqlite")(folder))),
    "layout 3": ("complete", to_layout_3),
    "layout 3, tables alone": ("complete", lambda folder: (to_layout_3(folder), drop("ledger.sqlite")(folder))),
    "unfinished files": ("complete", leave_unfinished),
    "without tables": ("complete", drop(*TABLES)),
    "without one table": ("complete", drop("curves.parquet")),
    "tables alone": ("complete", drop("ledger.sqlite")),
    "not begun": ("complete", begin_nothing),
}


@pytest.fixture
def folder_in(tmp_path, complete, stopped):
    """A function that makes a folder in a state."""

    def make(state):
        base, change = STATES[state]
        folder = tmp_path / "out"
        if base:
            shutil.copytree({"complete": complete, "stopped": stopped}[base].folder, folder)
        if change:
            change(folder)
        return folder

    return make


# Ways --------------------------------------------------------------------------------------------------------------------


def run(suite, folder):
    return run_suite(suite, folder)


def fresh(suite, folder):
    return run_suite(suite, folder, fresh=True)


def fresh_twice(suite, folder):
    fresh(suite, folder)
    return fresh(suite, folder)


def read(suite, folder):
    return load(folder)


ALL = 4
NEWER = r"was written by a newer gdbench \(layout 3, this one knows up to 2\): upgrade gdbench"
NO_RUN = "holds no finished run yet"

#: state, way: how many runs are found, of how many sessions; or the refusal.
WAYS = [
    ("nothing", run, ALL, 1),
    ("nothing", fresh, ALL, 1),
    ("nothing", read, "is not a folder", None),
    ("stopped", run, ALL, 4),
    ("stopped", fresh_twice, ALL, 1),
    ("stopped", read, 3, 3),
    ("complete", run, ALL, 2),
    ("complete", fresh, ALL, 1),
    ("complete", fresh_twice, ALL, 1),
    ("complete", read, ALL, 1),
    ("layout 1", run, ALL, 2),
    ("layout 1", fresh, ALL, 1),
    ("layout 1", read, ALL, 1),
    ("layout 1, tables alone", read, ALL, 1),
    ("layout 1, tables alone", run, ALL, 1),
    ("layout 3", run, NEWER, None),
    ("layout 3", fresh, ALL, 1),
    ("layout 3", read, NEWER, None),
    ("layout 3, tables alone", read, NEWER, None),
    ("unfinished files", run, ALL, 2),
    ("unfinished files", fresh, ALL, 1),
    ("without tables", run, ALL, 2),
    ("without tables", read, ALL, 1),
    ("without one table", run, ALL, 2),
    ("without one table", read, ALL, 1),
    ("tables alone", read, ALL, 1),
    ("tables alone", run, ALL, 1),
    ("not begun", read, NO_RUN, None),
    ("not begun", run, ALL, 1),
]


def numbers(runs):
    """The runs without what no two runs share."""
    return runs[
        [c for c in runs.columns if not c.startswith(("seconds", "compile_seconds", "step_seconds", "call_seconds", "session"))]
    ]


@pytest.mark.parametrize(("state", "way", "found", "sessions"), WAYS, ids=[f"{row[0]}: {row[1].__name__}" for row in WAYS])
def test_ways(suite, complete, folder_in, state, way, found, sessions):
    folder = folder_in(state)
    if isinstance(found, str):
        before = contents(folder)
        with pytest.raises(GdbenchError, match=found) as raised:
            way(suite, folder)
        assert "\n" not in str(raised.value)
        assert contents(folder) == before
        return
    got = way(suite, folder)
    pd.testing.assert_frame_equal(numbers(got.runs), numbers(complete.runs)[:found])
    assert (got.planned, got.finished, len(got.sessions)) == (ALL, found, sessions)
    assert set(got.runs["session"]) <= {one["session"] for one in got.sessions}
    if way is not read:
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
        again = load(folder)
        pd.testing.assert_frame_equal(again.runs, got.runs)
        assert again.facts == got.facts


def contents(folder):
    """The files that are not SQLite's own notes on who reads."""
    names = [] if not folder.is_dir() else [p for p in folder.iterdir() if p.suffix in (".json", ".parquet", ".sqlite", ".old")]
    return {path.name: path.read_bytes() for path in names}


@pytest.mark.parametrize("state", ["layout 3", "layout 3, tables alone"])
@pytest.mark.parametrize(
    "words", [["report"], ["compare", "{}"], ["export"], ["report", "--figures"]], ids=lambda words: " ".join(words)
)
def test_every_command_refuses_a_newer_layout_in_one_line(folder_in, capsys, state, words):
    folder = str(folder_in(state))
    assert cli.main([word.format(folder) for word in (words[0], folder, *words[1:])]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert re.search(NEWER, told)


def test_the_machine_of_rows_stays_theirs(suite, complete, tmp_path, monkeypatch):
    """A resume elsewhere names its own machine beside the one on which the runs were timed."""
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    described = machine.describe()
    monkeypatch.setattr(machine, "describe", lambda: described | {"cpu": "another"})
    found = run_suite(suite, folder)
    assert found.machine["cpu"] == described["cpu"]
    assert [one["machine"]["cpu"] for one in found.sessions] == [described["cpu"], "another"]
    assert [one["runs"] for one in found.sessions] == [2, 0]
    assert set(found.runs["session"]) == {1}
    told = json.loads((folder / "machine.json").read_text())
    assert told["cpu"] == described["cpu"]
    assert told["sessions"] == found.sessions
    assert found.facts["wall_seconds_total"] > complete.facts["wall_seconds_total"]


def test_rows_timed_on_two_machines_are_said_to_be(suite, stopped, tmp_path, monkeypatch):
    folder = shutil.copytree(stopped.folder, tmp_path / "out")
    described = machine.describe()
    monkeypatch.setattr(machine, "describe", lambda: described | {"cpu": "another"})
    found = run_suite(suite, folder)
    assert sorted((told["cpu"], runs) for told, runs in found.machines) == sorted([("another", 1), (described["cpu"], 1)])
    report.write(folder)
    for name in ("report.html", "report.md"):
        assert "timed on different machines, so their seconds are not comparable" in (folder / name).read_text()
    notes = compare.compare(folder, folder).notes
    assert any("timed on different machines" in note for note in notes)


def test_a_migrated_ledger_keeps_what_it_knew(folder_in):
    found = load(folder_in("layout 1"))
    assert found.machine["cpu"] == "an older one"
    assert found.sessions[0]["started"] == "2020-01-01"
    assert found.facts["wall_seconds_total"] == 5.0


@pytest.mark.parametrize("way", [run, fresh])
def test_a_ledger_of_an_older_layout_is_migrated_on_disk_by_a_run(suite, folder_in, way):
    folder = folder_in("layout 1")
    way(suite, folder)
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (layout.VERSION,)


def test_what_may_not_be_written_is_read_all_the_same(folder_in, monkeypatch):
    folder = folder_in("layout 1")
    before = contents(folder)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert len(load(folder).runs) == ALL
    assert contents(folder) == before


# Kills -------------------------------------------------------------------------------------------------------------------


def killed_at(moment, suite, folder, **options):
    """Run a suite in a process of its own that dies before its so many-th write; whether it had to die."""
    child = os.fork()
    if child == 0:
        try:
            die_at(moment)
            run_suite(suite, folder, **options)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(3)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def die_at(moment):
    """End this process before its so many-th change of a file: one renamed, removed or opened to write, or a transaction."""
    left = [moment]

    def count(*_):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)

    def hook(event, arguments):
        if event in ("os.rename", "os.remove") or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            count()

    connect = ledger._connect

    def connected(*arguments, **words):
        db = connect(*arguments, **words)
        db.set_trace_callback(lambda statement: statement.startswith(("BEGIN", "COMMIT", "PRAGMA")) and count())
        return db

    ledger._connect = connected
    sys.addaudithook(hook)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("state", "options", "least"),
    [
        ("nothing", {}, 30),
        ("complete", {}, 25),
        ("complete", {"fresh": True}, 30),
        ("layout 1", {}, 25),
    ],
    ids=["first run", "resume", "fresh", "migration"],
)
def test_a_kill_between_any_two_writes(request, suite, complete, folder_in, tmp_path, state, options, least):
    start, moment = folder_in(state), 0
    stride = 1 if request.config.getoption("--slow") else 3  # each kill starts three processes
    while True:
        folder = tmp_path / f"{moment}"
        if start.exists():
            shutil.copytree(start, folder)
        if not killed_at(moment, suite, folder, **options):
            break
        check_killed(suite, complete, folder, must_be_whole=state != "nothing" and not options)
        shutil.rmtree(folder)
        moment += stride
    assert moment >= least


def check_killed(suite, complete, folder, must_be_whole):
    """What a killed suite leaves is read without a wrong number, loses no run, and comes to the same end when resumed."""
    expected = numbers(complete.runs)
    if folder.exists():
        try:
            found = load(folder)
        except GdbenchError as error:
            assert not must_be_whole
            assert re.search(rf"{NO_RUN}|holds no (suite.json|ledger.sqlite)", str(error))
        else:
            if must_be_whole:
                pd.testing.assert_frame_equal(numbers(found.runs), expected)
            elif len(found.runs):
                known = expected[expected["run_id"].isin(found.runs["run_id"])].reset_index(drop=True)
                pd.testing.assert_frame_equal(numbers(found.runs), known)
            recorded = found.runs[found.runs["stage"] != "timed"] if len(found.runs) else found.runs
            assert set(found.curves["run_id"]) == set(recorded.get("run_id", ()))
    ended = run_suite(suite, folder)
    pd.testing.assert_frame_equal(numbers(ended.runs), expected)
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_an_interruption_before_the_timing_keeps_the_timed_rows(suite, complete, tmp_path, monkeypatch):
    """Stopped at any moment, a suite that is resumed exports the timed runs that it had."""
    folder = shutil.copytree(complete.folder, tmp_path / "out")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gdbench.suite.run.warm.compile_all", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_suite(suite, folder)
    pd.testing.assert_frame_equal(numbers(load(folder).runs), numbers(complete.runs))


# Damage ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_file_is_named_and_restored_by_running_again(suite, complete, tmp_path, name):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    (folder / name).write_bytes(b"{ rubbish")
    with pytest.raises(GdbenchError, match=f"{name} is damaged .*restores it"):
        load(folder)
    assert len(run_suite(suite, folder).runs) == ALL


#: What a spec has to say.
SPEC = {"targets": [0.1], "headline": 0.1, "seeds": [0], "tuning_seeds": [1], "tuning": "none"}

SHAPES = [
    ("machine.json", [], "it holds no JSON object"),
    ("machine.json", {"versions": []}, r"its versions is \[\]"),
    ("machine.json", {"sessions": [1]}, "a session in it names no machine"),
    ("spec.json", {}, "it has no targets"),
    ("spec.json", SPEC | {"targets": ["a"]}, "its targets are no list of numbers"),
    ("spec.json", SPEC | {"tuning": 1}, "its tuning is 1"),
]

#: Of suite.json: the ledger does not count on it, so that it is asked only in a folder of tables alone.
SUITE_SHAPES = [
    (None, "it holds no JSON object"),
    ({}, "it has no planned"),
    ({"planned": "x", "finished": 1}, "its planned is 'x'"),
    ({"planned": 1, "finished": 1, "jobs": []}, r"its jobs is \[\]"),
    ({"planned": 1, "finished": True}, "its finished is True"),
    ({"planned": 1, "finished": 1, "layout": "new"}, "its layout is 'new'"),
]


@pytest.mark.parametrize(("name", "content", "told"), SHAPES)
def test_a_file_of_another_shape_is_named_and_restored_by_running_again(suite, complete, tmp_path, name, content, told):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(GdbenchError, match=rf"{name} is damaged \({told}\): run the suite again"):
        load(folder)
    assert len(run_suite(suite, folder).runs) == ALL


@pytest.mark.parametrize(("content", "told"), SUITE_SHAPES)
@pytest.mark.parametrize("command", ["report", "export"])
def test_a_suite_json_of_another_shape_is_one_line(complete, tmp_path, capsys, content, told, command):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    (folder / "suite.json").write_text(json.dumps(content))
    assert cli.main([command, str(folder)]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert re.search(rf"suite.json is damaged \({told}\)", said)


@pytest.mark.parametrize(("table", "column"), [("runs", "gap"), ("hits", "samples"), ("curves", "step")])
def test_a_table_without_a_column_is_named(complete, tmp_path, table, column):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    path = folder / f"{table}.parquet"
    pd.read_parquet(path).drop(columns=column).to_parquet(path)
    with pytest.raises(GdbenchError, match=rf"{table}.parquet is damaged \(it has no column {column}\)"):
        load(folder)


def test_a_table_with_a_column_of_another_kind_is_named(complete, tmp_path):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    path = folder / "runs.parquet"
    pd.read_parquet(path).assign(gap="wide").to_parquet(path)
    with pytest.raises(GdbenchError, match=r"runs.parquet is damaged \(its column gap is of the type"):
        load(folder)


def test_damaged_metadata_of_pandas_is_not_asked(complete, tmp_path):
    import pyarrow.parquet as pq

    folder = shutil.copytree(complete.folder, tmp_path / "out")
    path = folder / "runs.parquet"
    for broken in (b"{ rubbish", b'{"columns": 3}', b"[]", b"\xff"):
        pq.write_table(pq.read_table(path).replace_schema_metadata({b"pandas": broken}), path)
        pd.testing.assert_frame_equal(load(folder).runs, complete.runs)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["runs.parquet", "curves.parquet"])
def test_no_damage_of_a_table_is_taken_for_a_number(complete, tmp_path, name):
    """A byte that has changed is noticed, or changes nothing."""
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    path, random = folder / name, np.random.default_rng(0)
    whole = path.read_bytes()
    refused = 0
    for place in random.integers(0, len(whole), 300):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ random.integers(1, 256)]) + whole[place + 1 :])
        try:
            found = load(folder)
        except GdbenchError as error:
            assert f"{name} is damaged" in str(error)
            refused += 1
        else:
            pd.testing.assert_frame_equal(found.runs, complete.runs)
            pd.testing.assert_frame_equal(found.curves, complete.curves)
    assert refused > 30


def test_a_row_that_is_no_json_is_one_line_and_is_done_again(suite, complete, tmp_path, capsys):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        db.execute("UPDATE runs SET row = 'rubbish' WHERE run_id = ?", (complete.runs["run_id"][0],))
    db.close()
    tables_before = contents(folder)
    assert len(load(folder).runs) == ALL  # the tables are of before
    (folder / "runs.parquet").unlink()
    assert cli.main(["report", str(folder)]) == 2
    assert "is no JSON" in capsys.readouterr().err
    pd.testing.assert_frame_equal(numbers(run_suite(suite, folder).runs), numbers(complete.runs))
    assert tables_before


def test_a_missing_file_is_named_where_no_ledger_restores_it(complete, tmp_path):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    (folder / "ledger.sqlite").unlink()
    for name in TABLES:
        os.replace(folder / name, folder / "away")
        with pytest.raises(GdbenchError, match=f"holds no {name}"):
            load(folder)
        os.replace(folder / "away", folder / name)


def test_tables_of_their_ledger_stay_as_they_are(complete, tmp_path):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    before = (folder / "runs.parquet").stat()
    load(folder)
    assert (folder / "runs.parquet").stat().st_ino == before.st_ino


def test_tables_of_another_revision_are_written_anew(complete, stopped, tmp_path):
    folder = shutil.copytree(complete.folder, tmp_path / "out")
    for name in TABLES:
        shutil.copy(stopped.folder / name, folder / name)
    pd.testing.assert_frame_equal(load(folder).runs, complete.runs)


def test_no_results_at_all(tmp_path):
    with pytest.raises(GdbenchError, match="is not a folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(GdbenchError, match=r"holds no suite.json"):
        load(tmp_path)


def test_the_order_of_the_files(complete):
    """suite.json, which says what the others are of, is written after them."""
    assert tables.FILES[-1] == "suite.json"
    assert set(tables.FILES) == set(TABLES)
