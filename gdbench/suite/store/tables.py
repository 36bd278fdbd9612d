"""The files of a results folder that are written from the ledger, each whole or not at all: tables, and JSON beside them."""

from __future__ import annotations

import contextlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.suite import hits as hitting
from gdbench.suite.execute.rows import told
from gdbench.suite.store import layout
from gdbench.suite.store.ledger import NAME, Ledger
from gdbench.suite.store.locks import lock
from gdbench.suite.store.shapes import NULLABLE, read_json
from gdbench.suite.vocabulary import CURVE, REPORT, TIMED, Record, crossings
from gdbench.writing import remove_unfinished, whole, write_text

if TYPE_CHECKING:
    import pandas as pd

#: Written in this order: suite.json, by which a reader sees whether all are of the ledger as it is, comes last.
FILES = ("curves.parquet", "runs.parquet", "hits.parquet", "machine.json", "spec.json", "suite.json")

#: Runs whose curves are written at once.
CHUNK = 2000

LOCK = "tables.lock"

#: What a run's row holds for the hits alone.
OF_HITS = ("crossings", "calls")


def export(ledger: Ledger, folder: Path | None = None) -> None:
    """Write all files from the ledger into its folder, or another.

    Raises
    ------
    GdbenchError
        They cannot be written: the disk is full, or read-only.
    """
    folder = folder or ledger.folder
    with _explained(folder), lock(folder / LOCK, wait=True):
        for name in FILES:
            remove_unfinished(folder / name)
        made = write_tables(ledger, folder)
        content = {"machine": machines(ledger.sessions(), made), "spec": ledger.spec(), "suite": facts_of(ledger)}
        for name, values in content.items():
            write_text(folder / f"{name}.json", json.dumps(values, indent=1, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or one_line(error)
        text = f"cannot write the tables into {folder}: {reason}; all finished runs are safe in {NAME}"
        raise GdbenchError(text) from None


def is_current(ledger: Ledger) -> bool:
    """Whether the files of the ledger's folder are of the ledger as it is."""
    folder, revision = ledger.folder, ledger.revision()
    written = all((folder / name).exists() for name in FILES)
    return written and bool(revision) and read_json(folder / "suite.json").get("revision") == revision


def facts_of(ledger: Ledger) -> dict[str, Any]:
    """What suite.json says: how far the suite is, and how its last session ran."""
    planned, finished = ledger.counts()
    sessions = ledger.sessions()
    last = {key: value for key, value in sessions[-1].items() if key != "machine"} if sessions else {}
    total = round(math.fsum(one.get("wall_seconds", 0.0) for one in sessions), 3)
    here = {"layout": layout.VERSION, "revision": ledger.revision(), "planned": planned, "finished": finished}
    return here | last | {"wall_seconds_total": total}


def machines(sessions: list[dict[str, Any]], made: Counter[int]) -> dict[str, Any]:
    """What machine.json says: the machine that most runs were made on, and each session's with the number of its runs."""
    told: list[dict[str, Any]] = []
    for one in sessions:
        told.append({"session": one["session"], "runs": made[one["session"]]} | {"machine": {}} | one)
    most = max(told, key=lambda one: (one["runs"], one["session"])) if told else {"machine": {}}
    return most["machine"] | {"sessions": told}


def write_tables(ledger: Ledger, folder: Path) -> Counter[int]:
    """Write the Parquet files of the planned runs, some thousand runs at a time; returns the runs of each session.

    Where runs were timed, only those are counted: what is compared by seconds is theirs.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames: list[pd.DataFrame] = []  # a tenth of the memory of their rows as dicts
    suite = ledger.spec()
    best, targets = best_known(ledger.planned()), tuple(suite.get("targets", ()))
    paces, hits = paces_of(ledger.planned()), hitting.Hits(suite)
    records = (clocked(with_best_known(record, best, targets), paces) for record in ledger.planned())
    with whole(folder / "curves.parquet") as path, pq.ParquetWriter(path, _curve_schema(), write_page_checksum=True) as writer:
        while chunk := list(islice(records, CHUNK)):
            frames.append(_runs_frame([record.row for record in chunk]))
            writer.write_table(_curve_table(chunk))
            hits.add(chunk)
    runs = pd.concat(frames or [_runs_frame([])], ignore_index=True)
    with whole(folder / "runs.parquet") as path:
        runs.to_parquet(path, index=False, write_page_checksum=True)
    table = pa.Table.from_pandas(hits.table(), hitting.hits_schema(), preserve_index=False)
    with whole(folder / "hits.parquet") as path:
        pq.write_table(table.replace_schema_metadata(hitting.hits_schema().metadata), path, write_page_checksum=True)
    if runs.empty:
        return Counter()
    timed = runs[runs["stage"] == TIMED]
    return Counter((timed if len(timed) else runs)["session"].dropna().astype(int))


def paces_of(records: Iterable[Record]) -> dict[tuple[str, str], float]:
    """Seconds a sample on the step clock, of each problem and solver that was timed: the median of its timings."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        row = record.row
        if row["stage"] == TIMED and row["status"] != "failed" and row["seconds"] > 0 and row["n_samples"]:
            found[row["problem"], row["solver"]].append(row["seconds"] / row["n_samples"])
    return {key: median(values) for key, values in found.items()}


def clocked(record: Record, paces: dict[tuple[str, str], float]) -> Record:
    """The record of a counted run with the seconds that its samples take on the step clock."""
    pace = paces.get((record.row["problem"], record.row["solver"]))
    if pace is None or record.row["stage"] != REPORT:
        return record
    curve = record.curve.copy()
    curve[:, 3] = pace * curve[:, 2]
    return Record(record.row | {"seconds": pace * record.row["n_samples"]}, curve)


def best_known(records: Iterable[Record]) -> dict[str, float]:
    """The lowest objective that any recorded point of a network has, by problem."""
    found: dict[str, float] = {}
    for record in records:
        values = record.curve[np.isfinite(record.curve[:, 4]), 4]
        if record.row.get("model", "linear") != "linear" and values.size:
            name = record.row["problem"]
            found[name] = min(float(values.min()), found.get(name, math.inf))
    return found


def with_best_known(record: Record, best: dict[str, float], targets: Iterable[float]) -> Record:
    """The record with its gaps counted from the best value known, where its problem has one."""
    if record.row["problem"] not in best or record.row["status"] == "failed":
        return record
    value, curve = best[record.row["problem"]], record.curve.copy()
    with np.errstate(all="ignore"):
        curve[:, 5] = curve[:, 4] - value
        gap, scale = (np.float64(record.row[name]) - value for name in ("objective", "objective_start"))
        ends = {"gap": float(gap), "relative_gap": float(gap / scale) if scale > 0 else math.nan}
        row = record.row | {"optimum": value} | ends
        return Record(row | {"crossings": told(crossings(curve, tuple(targets)))}, curve)


def _runs_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame([{key: value for key, value in row.items() if key not in OF_HITS} for row in rows])
    return frame.astype(dict.fromkeys(NULLABLE, "Int64")) if rows else frame


def _curve_schema() -> Any:
    import pyarrow as pa

    whole_numbers = {"step", "samples"}
    kinds = [(name, pa.int64() if name in whole_numbers else pa.float64()) for name in CURVE]
    return pa.schema([("run_id", pa.dictionary(pa.int32(), pa.string())), *kinds])


def _curve_table(chunk: list[Record]) -> Any:
    import pyarrow as pa

    chunk = [record for record in chunk if len(record.curve)]  # of what was only timed there is none
    lengths = [len(record.curve) for record in chunk]
    points = np.concatenate([np.empty((0, len(CURVE))), *(record.curve for record in chunk)])
    codes = np.repeat(np.arange(len(chunk), dtype=np.int32), lengths)
    ids = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([record.run_id for record in chunk]))
    columns = [pa.array(points[:, j]).cast(kind.type) for j, kind in enumerate(list(_curve_schema())[1:])]
    return pa.Table.from_arrays([ids, *columns], schema=_curve_schema())
