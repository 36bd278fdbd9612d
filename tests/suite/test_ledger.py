import errno
import os
import sqlite3

import numpy as np
import pytest

from gdbench.errors import GdbenchError
from gdbench.suite.store import shapes
from gdbench.suite.store.ledger import Ledger
from gdbench.suite.vocabulary import CURVE, Record


def record(run_id="a", status="budget", points=3, **more):
    curve = np.arange(points * len(CURVE), dtype=float).reshape(points, -1)
    curve[-1, 4] = np.inf
    row = dict.fromkeys(shapes.TEXT, "") | dict.fromkeys(shapes.NUMERIC, 0.0) | {"batch_size": None, "crossings": []}
    row |= {"run_id": run_id, "status": status, "gap": float("nan"), "objective": float("inf")}
    return Record(row | more, curve)


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


def test_a_ledger_of_a_newer_layout(tmp_path):
    Ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    for options in ({}, {"write": False}):
        with pytest.raises(GdbenchError, match=r"was written by a newer gdbench \(layout 99, this one knows up to 2\): upgrade"):
            Ledger(tmp_path, **options)


def test_a_full_disk_loses_only_the_last_run(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.add([record("a")])
        (pages,) = ledger.db.execute("PRAGMA page_count").fetchone()
        ledger.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(GdbenchError, match="the disk is full"):
            ledger.add([record("b", points=5000)])
        assert ledger.done() == {"a"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"row": "{ rubbish"}, "it is no JSON"),
        ({"row": "[1]"}, "it holds no JSON object"),
        ({"row": '{"run_id": "a"}'}, "it has no column"),
        ({"row": lambda row: row.replace('"gap": NaN', '"gap": "wide"')}, "its column gap holds 'wide'"),
        ({"row": lambda row: row.replace('"status": "budget"', '"status": "fine"')}, "its status is 'fine'"),
        ({"curve": b"123"}, "its curve is cut short"),
    ],
)
def test_a_damaged_row_is_named_and_done_again(tmp_path, fault, told):
    with Ledger(tmp_path) as ledger:
        ledger.add([record("a"), record("b")])
        ledger.set_plan(["a", "b"])
        ((column, value),) = fault.items()
        if callable(value):
            value = value(*ledger.db.execute("SELECT row FROM runs WHERE run_id = 'a'").fetchone())
        ledger.db.execute(f"UPDATE runs SET {column} = ? WHERE run_id = 'a'", (value,))
        with pytest.raises(GdbenchError, match=rf"ledger.sqlite: the row of run a is damaged \({told}.*\): run the suite again"):
            list(ledger.planned())
        assert ledger.done(["a", "b"]) == {"b"}
        ledger.add([record("a")])
        assert [found.run_id for found in ledger.planned()] == ["a", "b"]


@pytest.mark.parametrize("crossings", [None, 3, [{"target": 0.1}]])
def test_a_row_without_its_crossings_is_done_again(tmp_path, crossings):
    with Ledger(tmp_path) as ledger:
        ledger.add([record("a", crossings=crossings), record("b")])
        assert ledger.done(["a", "b"]) == {"b"}


#: What a ledger has to know of its suite.
SPEC = {"targets": [0.1], "headline": 0.1, "seeds": [0], "tuning_seeds": [1], "tuning": "time"}


def test_a_row_names_its_session(tmp_path):
    for number in (1, 2):
        with Ledger(tmp_path) as ledger:
            ledger.begin(SPEC, ["a1", "a2"], machine={"cpu": f"cpu {number}"})
            ledger.add([record(f"a{number}")])
    with Ledger(tmp_path, write=False) as ledger:
        assert [found.row["session"] for found in ledger.planned()] == [1, 2]
        assert [one["machine"]["cpu"] for one in ledger.sessions()] == ["cpu 1", "cpu 2"]


def test_each_change_has_its_revision(tmp_path):
    with Ledger(tmp_path) as ledger:
        seen = [ledger.revision()]
        for change in (
            lambda: ledger.begin(SPEC, ["a"], machine={}),
            lambda: ledger.add([record("a")]),
            lambda: ledger.tell(jobs=2),
            lambda: ledger.set_plan(["a"]),
        ):
            change()
            seen.append(ledger.revision())
    assert len(set(seen)) == len(seen)


def test_fresh_leaves_a_ledger_that_is_read(tmp_path, monkeypatch):
    """A ledger that another program reads is not renamed under it: it would keep a part of what it holds."""
    with Ledger(tmp_path) as ledger:
        ledger.add([record("a")])
        reader = sqlite3.connect(tmp_path / "ledger.sqlite")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM runs").fetchone()
        ledger.add([record("b")])
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k | {"timeout": 0.1}))
    with pytest.raises(GdbenchError, match="is locked by another program"):
        Ledger(tmp_path, fresh=True)
    reader.close()
    with Ledger(tmp_path, fresh=True) as ledger:
        assert ledger.done() == set()
    with sqlite3.connect(tmp_path / "ledger.sqlite.old") as old:
        assert old.execute("SELECT count(*) FROM runs").fetchone() == (2,)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_is_kept_by_fresh_is_the_ledger_before_it_though_each_was_killed(tmp_path, times):
    """What a killed suite leaves in the write-ahead log goes with its own ledger, never with another."""
    for number in range(times + 1):
        ledger = Ledger(tmp_path, fresh=number > 0)
        ledger.add([record(f"{number}")])
        for suffix in ("", "-wal"):  # as a kill leaves them
            (tmp_path / f"kept{suffix}").write_bytes((tmp_path / f"ledger.sqlite{suffix}").read_bytes())
        ledger.close()
        for suffix in ("", "-wal"):
            os.replace(tmp_path / f"kept{suffix}", tmp_path / f"ledger.sqlite{suffix}")
    Ledger(tmp_path, fresh=True).close()
    with sqlite3.connect(tmp_path / "ledger.sqlite.old") as old:
        assert old.execute("SELECT run_id FROM runs").fetchall() == [(f"{times}",)]


def test_a_killed_suite_s_ledger_is_read_whole_where_nothing_may_be_written(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path)
    ledger.add([record("a")])
    ledger.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.add([record("b")])
    folder = tmp_path / "copy"
    folder.mkdir()
    for suffix in ("", "-wal"):
        (folder / f"ledger.sqlite{suffix}").write_bytes((tmp_path / f"ledger.sqlite{suffix}").read_bytes())
    ledger.close()
    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with Ledger(folder, write=False) as ledger:
        assert ledger.done() == {"a", "b"}
    assert sorted(path.name for path in folder.iterdir()) == before
