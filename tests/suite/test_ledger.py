import errno
import os
import shutil
import sqlite3

import numpy as np
import pandas as pd
import pytest

from gdbench.errors import GdbenchError
from gdbench.suite import load, run_suite
from gdbench.suite.execute import CURVE, Record
from gdbench.suite.ledger import Ledger


def record(run_id="a", status="budget", points=3):
    curve = np.arange(points * len(CURVE), dtype=float).reshape(points, -1)
    curve[-1, 4] = np.inf
    return Record({"run_id": run_id, "status": status, "gap": float("nan"), "objective": float("inf")}, curve)


def test_records_come_back_to_the_bit(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.add([record("a"), record("b")])
        ledger.set_plan(["b", "c", "a"])
        back = list(ledger.planned())
        assert [r.run_id for r in back] == ["b", "a"]
        np.testing.assert_array_equal(back[0].curve, record("b").curve)
        assert np.isnan(back[0].row["gap"])
        assert back[0].row["objective"] == np.inf
        assert ledger.counts() == (3, 2)


def test_failed_runs_are_tried_again(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.add([record("a", "failed"), record("b")])
        assert ledger.done() == {"b"}
        ledger.add([record("a")])
        assert ledger.done() == {"a", "b"}


def test_a_transaction_is_stored_whole_or_not_at_all(tmp_path):
    with Ledger(tmp_path) as ledger:
        broken = Record({"run_id": "b", "status": None}, np.zeros((1, len(CURVE))))
        with pytest.raises(GdbenchError):
            ledger.add([record("a"), broken])
        assert ledger.done() == set()
        ledger.add([record("a")])
        assert ledger.done() == {"a"}


def test_wal_mode(tmp_path):
    with Ledger(tmp_path) as ledger:
        assert ledger.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_two_suites_in_one_folder(tmp_path):
    with Ledger(tmp_path), pytest.raises(GdbenchError, match="another suite is running in"):
        Ledger(tmp_path)
    Ledger(tmp_path).close()


def test_a_read_only_folder(tmp_path, monkeypatch):
    def refuse(*words, **more):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("builtins.open", refuse)  # root may write into any folder but one of a read-only disk
    with pytest.raises(GdbenchError, match=r"cannot write into .*: Read-only file system"):
        Ledger(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GdbenchError, match="cannot make the folder"):
        Ledger(tmp_path / "file" / "out")


def test_a_corrupt_ledger_is_one_line_and_is_kept(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database, and it is long enough to be looked at" * 100)
    with pytest.raises(GdbenchError, match=r"ledger.sqlite is damaged .*--fresh, which keeps it as ledger.sqlite.old"):
        Ledger(tmp_path)
    with Ledger(tmp_path, fresh=True) as ledger:
        assert ledger.done() == set()
    assert (tmp_path / "ledger.sqlite.old").read_bytes().startswith(b"this is no database")


def test_a_ledger_of_another_version(tmp_path):
    Ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(GdbenchError, match="is of another version of gdbench"):
        Ledger(tmp_path)


def test_a_full_disk_loses_only_the_last_run(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.add([record("a")])
        (pages,) = ledger.db.execute("PRAGMA page_count").fetchone()
        ledger.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(GdbenchError, match="the disk is full"):
            ledger.add([record("b", points=5000)])
        assert ledger.done() == {"a"}


def copy_of(results, tmp_path):
    return shutil.copytree(results.folder, tmp_path / "copy")


@pytest.mark.parametrize("name", ["runs.parquet", "curves.parquet", "machine.json", "spec.json", "suite.json"])
def test_a_damaged_file_is_named_and_restored_by_running_again(results, tiny, tmp_path, name):
    folder = copy_of(results, tmp_path)
    (folder / name).write_bytes(b"{ rubbish")
    with pytest.raises(GdbenchError, match=f"{name} is damaged .*restores it"):
        load(folder)
    run_suite(tiny, folder)
    assert len(load(folder).runs) == len(results.runs)


WRONG = {
    "machine.json": ("[]", "it holds no JSON object"),
    "suite.json": ("null", "it holds no JSON object"),
    "spec.json": ("{}", "its targets are no list of numbers"),
    "runs.parquet": ("gap", "it has no column gap"),
    "curves.parquet": ("step", "it has no column step"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_of_another_shape_is_named_and_restored_by_running_again(results, tiny, tmp_path, name):
    folder = copy_of(results, tmp_path)
    path, (content, message) = folder / name, WRONG[name]
    if name.endswith(".json"):
        path.write_text(content)
    else:
        pd.read_parquet(path).drop(columns=content).to_parquet(path)
    with pytest.raises(GdbenchError, match=rf"{name} is damaged \({message}\): run the suite again"):
        load(folder)
    run_suite(tiny, folder)
    assert len(load(folder).runs) == len(results.runs)


@pytest.mark.parametrize("name", ["curves.parquet", "machine.json"])
def test_a_missing_file_is_named(results, tmp_path, name):
    folder = copy_of(results, tmp_path)
    (folder / name).unlink()
    with pytest.raises(GdbenchError, match=f"holds no {name}"):
        load(folder)


def test_a_killed_suite_s_folder_is_read_from_its_ledger(results, tmp_path):
    folder = copy_of(results, tmp_path)
    for path in folder.glob("*.parquet"):
        path.unlink()
    assert len(load(folder).runs) == len(results.runs)


def test_tables_older_than_their_ledger_are_written_anew(results, tiny, tmp_path):
    stopped = run_suite(tiny, tmp_path / "stopped", max_time=0.0).folder
    # a suite that is resumed, or begun afresh, and killed leaves the tables from before beside its ledger
    folder = copy_of(results, tmp_path)
    for name in ("runs.parquet", "curves.parquet", "suite.json"):
        shutil.copy(stopped / name, folder / name)
    found = load(folder)
    assert len(found.runs) == found.finished == results.finished
    assert found.facts == load(results.folder).facts != load(stopped).facts


def test_tables_of_their_ledger_stay_as_they_are(results, tmp_path):
    folder = copy_of(results, tmp_path)
    before = (folder / "runs.parquet").stat()
    load(folder)
    assert (folder / "runs.parquet").stat().st_ino == before.st_ino


def test_no_results_at_all(tmp_path):
    with pytest.raises(GdbenchError, match="is not a folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(GdbenchError, match=r"holds no runs.parquet"):
        load(tmp_path)


def test_exports_leave_no_temporary_files(results):
    names = {path.name for path in results.folder.iterdir()}
    assert not [name for name in names if name.startswith(".")]
    with sqlite3.connect(results.folder / "ledger.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
