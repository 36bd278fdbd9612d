"""The layout of the ledger's database: made where it is missing, migrated where it is older, refused where it is newer.

Version 1 had no sessions: ``meta`` held the machine and the clocks of the last one. Version 2 has a row a session, and each run
names the one that made it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from gdbench.errors import GdbenchError

VERSION = 2

SCHEMA = (
    "CREATE TABLE runs (run_id TEXT PRIMARY KEY, status TEXT NOT NULL, row TEXT NOT NULL, curve BLOB NOT NULL, session INTEGER)",
    "CREATE TABLE sessions (session INTEGER PRIMARY KEY, facts TEXT NOT NULL)",
    "CREATE TABLE plan (position INTEGER PRIMARY KEY, run_id TEXT NOT NULL)",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
)

#: What version 1 knew of its last session, by its key in ``meta``.
OF_SESSION = ("machine", "jobs", "dask", "quick", "started", "loops_compiled", "compile_seconds", "wall_seconds")


def _from_nothing(db: sqlite3.Connection) -> None:
    for statement in SCHEMA:
        db.execute(statement)


def _from_1(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE runs ADD COLUMN session INTEGER")
    db.execute(SCHEMA[1])
    meta = {key: json.loads(value) for key, value in db.execute("SELECT key, value FROM meta")}
    if meta:
        facts = {key: meta[key] for key in OF_SESSION if key in meta}
        facts |= {"wall_seconds": meta["wall_seconds_total"]} if "wall_seconds_total" in meta else {}
        db.execute("INSERT INTO sessions VALUES (1, ?)", (json.dumps(facts),))
        db.execute("UPDATE runs SET session = 1")
        db.execute("DELETE FROM meta WHERE key <> 'spec'")


#: What brings a version to the next.
STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {0: _from_nothing, 1: _from_1}
NEXT = {0: VERSION, 1: 2}


def version_of(db: sqlite3.Connection, path: Path) -> int:
    """The version of a ledger, 0 for an empty one.

    Raises
    ------
    GdbenchError
        A version that this gdbench does not know.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'runs'").fetchone()
    refuse_newer(version, path)
    return version or int(tables)  # version 1 was killed between its tables and their number


def refuse_newer(version: int, path: Path) -> None:
    """Raise for the version of a layout that came after this one."""
    if version > VERSION:
        told = f"{path} was written by a newer gdbench (layout {version}, this one knows up to {VERSION})"
        raise GdbenchError(f"{told}: upgrade gdbench, or run into another --out")


def bring_up_to_date(db: sqlite3.Connection, path: Path) -> None:
    """Make or migrate the tables, in one transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(db, path)
        while version < VERSION:
            STEPS[version](db)
            version = NEXT[version]
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
