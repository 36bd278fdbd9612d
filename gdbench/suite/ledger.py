"""The ledger: every finished run, in SQLite, before the next begins. All other result files are exported from it.

A row is keyed by the digest of everything that determines it, so a run that is in the ledger is never done again, and a
run whose code, data or budget has changed has another key: its old row stays. Curves are raw float64 bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.suite.execute import CURVE, Record

NAME = "ledger.sqlite"
LOCK = "ledger.lock"

#: Of the layout below.
VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, status TEXT NOT NULL, row TEXT NOT NULL, curve BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS states ON runs (run_id, status);
CREATE TABLE IF NOT EXISTS plan (position INTEGER PRIMARY KEY, run_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Ledger:
    """The ledger of a folder, open for one writer.

    Parameters
    ----------
    folder : path
        Made if missing.
    fresh : bool
        Start over; the ledger before is kept as ``ledger.sqlite.old``.
    write : bool
        Hold the folder's lock. A reader needs none.

    Raises
    ------
    GdbenchError
        A folder that cannot be written, a damaged ledger, another suite at work in the folder.
    """

    def __init__(self, folder: str | Path, *, fresh: bool = False, write: bool = True):
        self.folder = Path(folder)
        self.path = self.folder / NAME
        self._lock: Any = None
        if write:
            self._make_folder()
            self._acquire()
        try:
            if fresh and self.path.exists():
                self._set_aside()
            self.db = self._open(write)
        except BaseException:
            self._release()
            raise

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GdbenchError(f"cannot make the folder {self.folder}: {error.strerror}") from None

    def _acquire(self) -> None:
        """Take the folder's lock, which the system frees when the process ends, however it ends."""
        try:
            self._lock = open(self.folder / LOCK, "a+")  # noqa: SIM115
        except OSError as error:
            raise GdbenchError(f"cannot write into {self.folder}: {error.strerror}") from None
        try:
            _lock(self._lock)
        except OSError:
            self._lock.close()
            text = f"another suite is running in {self.folder}: wait for it, or choose another --out"
            raise GdbenchError(text) from None

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _set_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self.path}{suffix}", f"{self.path}.old{suffix}")

    def _open(self, write: bool) -> sqlite3.Connection:
        with self._translated():
            if not write and not self.path.exists():
                raise GdbenchError(f"{self.folder} holds no {NAME}")
            if not write and not os.access(self.folder, os.W_OK):
                # a reader of a WAL file would make files beside it; a ledger that was closed needs none
                db = sqlite3.connect(f"{self.path.absolute().as_uri()}?immutable=1", uri=True)
            else:
                db = sqlite3.connect(self.path, isolation_level=None, timeout=10)
            try:
                if write:
                    db.execute("PRAGMA journal_mode=WAL")
                    # a commit survives the process at once, and the machine once the system has written it
                    db.execute("PRAGMA synchronous=NORMAL")
                    (version,) = db.execute("PRAGMA user_version").fetchone()
                    if version not in (0, VERSION):
                        raise GdbenchError(f"{self.path} is of another version of gdbench: choose another --out")
                    db.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")
                    db.execute("BEGIN IMMEDIATE")
                    db.execute("ROLLBACK")
                db.execute("SELECT count(*) FROM runs").fetchone()
                return db
            except BaseException:
                db.close()
                raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors as one clear line."""
        try:
            yield
        except sqlite3.Error as error:
            raise GdbenchError(self._explain(error)) from error

    def _explain(self, error: sqlite3.Error) -> str:
        text = one_line(error)
        if "full" in text:
            return f"the disk is full: {self.path} lacks the last run, all before it are safe; free space and run again"
        if "readonly" in text or "unable to open" in text:
            return f"cannot write {self.path}: {text}"
        if "locked" in text or "busy" in text:
            return f"{self.path} is locked by another program: close it and run again"
        return f"{self.path} is damaged ({text}): start over with --fresh, which keeps it as {NAME}.old"

    # ---- writing

    def add(self, records: Iterable[Record]) -> None:
        """Store finished runs, all or none."""
        rows = [(r.run_id, r.row["status"], json.dumps(r.row), r.curve.astype(np.float64).tobytes()) for r in records]
        with self._transaction():
            self.db.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", rows)

    def set_plan(self, run_ids: Iterable[str]) -> None:
        """Say which runs belong to the suite as it now is, in order; other rows stay, unseen."""
        with self._transaction():
            self.db.execute("DELETE FROM plan")
            self.db.executemany("INSERT INTO plan VALUES (?, ?)", enumerate(run_ids))

    def extend_plan(self, run_ids: Iterable[str]) -> None:
        """Add runs to the end of the plan."""
        with self._transaction():
            (last,) = self.db.execute("SELECT coalesce(max(position), -1) FROM plan").fetchone()
            self.db.executemany("INSERT INTO plan VALUES (?, ?)", enumerate(run_ids, last + 1))

    def set_meta(self, **values: Any) -> None:
        """Keep facts about the suite, as JSON."""
        pairs = [(key, json.dumps(value)) for key, value in values.items()]
        with self._transaction():
            self.db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", pairs)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    # ---- reading

    def done(self) -> set[str]:
        """Keys of the runs that need not be done again; a failed one is tried anew."""
        with self._translated():
            return {key for (key,) in self.db.execute("SELECT run_id FROM runs WHERE status <> 'failed'")}

    def rows(self, run_ids: Iterable[str]) -> Iterator[Record]:
        """The records of these keys, in order; keys that are not there are left out."""
        with self._translated():
            for run_id in run_ids:
                found = self.db.execute("SELECT row, curve FROM runs WHERE run_id = ?", (run_id,)).fetchone()
                if found:
                    yield _record(*found)

    def planned(self) -> Iterator[Record]:
        """The finished runs of the suite as it now is, in its order."""
        query = "SELECT row, curve FROM plan JOIN runs USING (run_id) ORDER BY position"
        with self._translated():
            for row, curve in self.db.execute(query):
                yield _record(row, curve)

    def counts(self) -> tuple[int, int]:
        """How many runs are planned, and how many of those are finished."""
        with self._translated():
            (planned,) = self.db.execute("SELECT count(*) FROM plan").fetchone()
            (finished,) = self.db.execute("SELECT count(*) FROM plan JOIN runs USING (run_id)").fetchone()
        return planned, finished

    def meta(self) -> dict[str, Any]:
        """The facts kept about the suite."""
        with self._translated():
            return {key: json.loads(value) for key, value in self.db.execute("SELECT key, value FROM meta")}

    def close(self) -> None:
        """Close the file and free the folder."""
        with contextlib.suppress(sqlite3.Error):
            self.db.close()
        self._release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _record(row: str, curve: bytes) -> Record:
    return Record(json.loads(row), np.frombuffer(curve, np.float64).reshape(-1, len(CURVE)))


def _lock(file: Any) -> None:
    """Lock a file for this process; OSError where another holds it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
