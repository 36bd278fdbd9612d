"""The ledger: every finished run, in SQLite, before the next begins. All other result files are exported from it.

A row is keyed by the digest of everything that determines it, so a run that is in the ledger is never done again, and a
run whose code, data or budget has changed has another key: its old row stays. Each row names the session that made it, whose
machine and versions are kept beside. Curves are raw float64 bytes. Each method that writes is one transaction.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.suite.store import layout, shapes
from gdbench.suite.store.locks import lock
from gdbench.suite.vocabulary import CURVE, Record

NAME = "ledger.sqlite"
LOCK = "ledger.lock"


class Ledger:
    """The ledger of a folder, open for one writer, or for reading: a reader changes no file.

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
        A folder that cannot be written, a damaged ledger or one of a newer gdbench, another suite at work in the folder.
    """

    def __init__(self, folder: str | Path, *, fresh: bool = False, write: bool = True):
        self.folder = Path(folder)
        self.path = self.folder / NAME
        #: The session whose runs are added.
        self.session: int | None = None
        self._lock: Any = None
        if write:
            self._acquire()
        try:
            if fresh:
                self._set_aside()
            with self._translated():
                self.db = self._open_to_write() if write else self._open_to_read()
        except BaseException:
            self._release()
            raise

    def _acquire(self) -> None:
        """Take the folder's lock."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GdbenchError(f"cannot make the folder {self.folder}: {error.strerror}") from None
        try:
            self._lock = lock(self.folder / LOCK)
        except BlockingIOError:
            text = f"another suite is running in {self.folder}: wait for it, or choose another --out"
            raise GdbenchError(text) from None
        except OSError as error:
            raise GdbenchError(f"cannot write into {self.folder}: {error.strerror}") from None

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _set_aside(self) -> None:
        """Rename the ledger to that before it, each with what SQLite has still beside it folded into its one file."""
        old = self.path.with_name(f"{NAME}.old")
        if not self.path.exists():
            return
        for path in (old, self.path):
            _fold(path)
        for suffix in ("-wal", "-shm"):  # of the one that is replaced: SQLite would replay them into the other
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{old}{suffix}")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self.path}{suffix}", f"{old}{suffix}")

    # ---- opening

    def _open_to_write(self) -> sqlite3.Connection:
        db = _connect(self.path)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            # a commit survives the process at once, and the machine once the system has written it
            db.execute("PRAGMA synchronous=NORMAL")
            layout.bring_up_to_date(db, self.path)
            return db
        except BaseException:
            db.close()
            raise

    def _open_to_read(self) -> sqlite3.Connection:
        """The database, or a temporary copy where reading it would change a file.

        That would one of an older layout, and one of a killed suite in a folder that cannot be written.
        """
        if not self.path.exists():
            raise GdbenchError(f"{self.folder} holds no {NAME}")
        if os.access(self.folder, os.W_OK):
            db = _connect(self.path)
        elif not Path(f"{self.path}-wal").exists():
            db = _connect(f"{self.path.absolute().as_uri()}?immutable=1", uri=True)
        else:
            with tempfile.TemporaryDirectory() as folder:
                for suffix in ("", "-wal"):
                    shutil.copyfile(f"{self.path}{suffix}", f"{folder}/{NAME}{suffix}")
                db = _copy(_connect(Path(folder, NAME)))
        try:
            if layout.version_of(db, self.path) < layout.VERSION:
                db = _copy(db)
                layout.bring_up_to_date(db, self.path)
            db.execute("SELECT count(*) FROM runs").fetchone()
            return db
        except BaseException:
            db.close()
            raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors, and those of JSON in it, as one clear line."""
        try:
            yield
        except (sqlite3.Error, json.JSONDecodeError) as error:
            raise GdbenchError(self._explain(error)) from error

    def _explain(self, error: Exception) -> str:
        text = one_line(error)
        if "full" in text:
            return f"the disk is full: {self.path} lacks the last run, all before it are safe; free space and run again"
        if "readonly" in text or "unable to open" in text:
            return f"cannot write {self.path}: {text}"
        if "locked" in text or "busy" in text:
            return f"{self.path} is locked by another program: close it and run again"
        return f"{self.path} is damaged ({text}): start over with --fresh, which keeps it as {NAME}.old"

    # ---- writing

    def begin(self, spec: dict[str, Any], run_ids: Iterable[str], **facts: Any) -> None:
        """Begin a session: the suite as it now is, its plan, and the facts of the session."""
        with self._transaction():
            self.db.execute("INSERT OR REPLACE INTO meta VALUES ('spec', ?)", (json.dumps(spec),))
            self._write_plan(run_ids)
            written = self.db.execute("INSERT INTO sessions (facts) VALUES (?)", (json.dumps(facts),))
            self.session = written.lastrowid

    def set_plan(self, run_ids: Iterable[str]) -> None:
        """Say which runs belong to the suite as it now is, in order; other rows stay, unseen."""
        with self._transaction():
            self._write_plan(run_ids)

    def _write_plan(self, run_ids: Iterable[str]) -> None:
        self.db.execute("DELETE FROM plan")
        self.db.executemany("INSERT INTO plan VALUES (?, ?)", enumerate(run_ids))

    def tell(self, **facts: Any) -> None:
        """Add facts to the session."""
        with self._transaction():
            (told,) = self.db.execute("SELECT facts FROM sessions WHERE session = ?", (self.session,)).fetchone()
            text = json.dumps(json.loads(told) | facts)
            self.db.execute("UPDATE sessions SET facts = ? WHERE session = ?", (text, self.session))

    def add(self, records: Iterable[Record]) -> None:
        """Store finished runs of the session, all or none."""
        rows = [
            (r.run_id, r.row["status"], json.dumps(r.row), r.curve.astype(np.float64).tobytes(), self.session) for r in records
        ]
        with self._transaction():
            self.db.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)", rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("INSERT OR REPLACE INTO meta VALUES ('revision', ?)", (json.dumps(uuid.uuid4().hex),))
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    # ---- reading

    def states(self, run_ids: Iterable[str] | None = None) -> dict[str, str]:
        """The status of each run that is stored and can be read; of these keys alone where they are given."""
        with self._translated():
            if run_ids is None:
                run_ids = [key for (key,) in self.db.execute("SELECT run_id FROM runs")]
            found = {}
            for run_id in run_ids:
                stored = self.db.execute("SELECT status, row, curve FROM runs WHERE run_id = ?", (run_id,)).fetchone()
                if stored and not isinstance(_row(stored[1], stored[2]), str):
                    found[run_id] = stored[0]
        return found

    def done(self, run_ids: Iterable[str] | None = None) -> set[str]:
        """Keys of the runs that need not be done again; one that failed or that cannot be read is done anew."""
        return {run_id for run_id, status in self.states(run_ids).items() if status != "failed"}

    def rows(self, run_ids: Iterable[str]) -> Iterator[Record]:
        """The records of these keys, in order; keys that are not there are left out."""
        query = "SELECT run_id, row, curve, session FROM runs WHERE run_id = ?"
        with self._translated():
            for run_id in run_ids:
                found = self.db.execute(query, (run_id,)).fetchone()
                if found:
                    yield self._record(*found)

    def planned(self) -> Iterator[Record]:
        """The finished runs of the suite as it now is, in its order."""
        query = "SELECT run_id, row, curve, session FROM plan JOIN runs USING (run_id) ORDER BY position"
        with self._translated():
            for run_id, text, curve, session in self.db.execute(query):
                yield self._record(run_id, text, curve, session)

    def _record(self, run_id: str, text: str, curve: bytes, session: int | None) -> Record:
        row = _row(text, curve)
        if isinstance(row, str):
            told = f"{self.path}: the row of run {run_id} is damaged ({row})"
            raise GdbenchError(f"{told}: run the suite again, which does this run anew")
        return Record(row | {"session": session}, np.frombuffer(curve, np.float64).reshape(-1, len(CURVE)))

    def counts(self) -> tuple[int, int]:
        """How many runs are planned, and how many of those are finished."""
        with self._translated():
            (planned,) = self.db.execute("SELECT count(*) FROM plan").fetchone()
            (finished,) = self.db.execute("SELECT count(*) FROM plan JOIN runs USING (run_id)").fetchone()
        return planned, finished

    def spec(self) -> dict[str, Any]:
        """The suite's spec; empty where no suite has begun."""
        found = self._meta("spec", {})
        if found:
            shapes.check_json(self.path, found, "spec.json")
        return found

    def revision(self) -> str:
        """A name of the ledger's content: another after each change."""
        return self._meta("revision", "")

    def _meta(self, key: str, default: Any) -> Any:
        with self._translated():
            found = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            value = json.loads(found[0]) if found else default
        if not isinstance(value, type(default)):
            raise GdbenchError(self._explain(ValueError(f"its {key} is {one_line(repr(value))}")))
        return value

    def sessions(self) -> list[dict[str, Any]]:
        """The facts of each session, the first first: its number, when it started, its machine, how it was run."""
        with self._translated():
            found = [(n, json.loads(facts)) for n, facts in self.db.execute("SELECT * FROM sessions ORDER BY session")]
        if not all(isinstance(facts, dict) and isinstance(facts.get("machine", {}), dict) for _, facts in found):
            raise GdbenchError(self._explain(ValueError("the facts of a session are no JSON object")))
        return [{"session": number} | facts for number, facts in found]

    def close(self) -> None:
        """Close the file and free the folder."""
        with contextlib.suppress(sqlite3.Error):
            self.db.close()
        self._release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _row(text: str, curve: bytes) -> dict[str, Any] | str:
    """A stored row, or what is wrong with it or with its curve."""
    try:
        row = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        return f"it is no JSON: {one_line(error)}"
    if not isinstance(curve, bytes) or len(curve) % (8 * len(CURVE)):
        return "its curve is cut short"
    return shapes.row_fault(row) or row


def _connect(path: Path | str, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=10, uri=uri)


def _copy(db: sqlite3.Connection) -> sqlite3.Connection:
    """A copy of a database in a temporary file that nobody else sees; the first is closed."""
    with contextlib.closing(db):
        copy = _connect("")
        db.backup(copy)
    return copy


def _fold(path: Path) -> None:
    """Bring what SQLite keeps beside a database into its file; one that is damaged stays as it is.

    Raises
    ------
    GdbenchError
        Another program reads or writes the database.
    """
    if not path.exists() or not Path(f"{path}-wal").exists():
        return
    try:
        with contextlib.closing(_connect(path)) as db:
            (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        busy = "locked" in str(error)
    if busy:
        raise GdbenchError(f"{path} is locked by another program: close it and run again")
