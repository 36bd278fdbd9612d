"""What the record has to look like: the columns of runs and curves with their kinds, and the keys of the JSON files.

Whatever is read back passes here, so that its readers find what they ask for, or the user a line that says what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdbench.errors import GdbenchError, one_line
from gdbench.suite.hits import columns_of
from gdbench.suite.store import layout
from gdbench.suite.vocabulary import CURVE, NUMBERS

if TYPE_CHECKING:
    import pyarrow as pa

STATUSES = ("converged", "budget", "diverged", "timeout", "failed")

#: Columns of text that the readers of results rely on.
TEXT = (
    *("run_id", "problem", "dataset", "loss", "penalty", "backend", "solver", "variant", "optimizer", "schedule", "shuffle"),
    *("dtype", "stage", "timing", "status", "reason", "note", "metric_name"),
)

#: Columns of numbers that they rely on, beside what a run needed to each target.
NUMERIC = (
    *("alpha", "n", "d", "data_bytes", "learning_rate", "seed", "repeat", "epochs", "n_updates", "n_samples"),
    *NUMBERS,
)

#: Columns of whole numbers that may be open.
NULLABLE = ("batch_size", "session")

#: Of each table, its columns of text, of numbers, and of whole numbers that may be open.
COLUMNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "curves": (("run_id",), CURVE, ()),
    "runs": (TEXT, NUMERIC, ("batch_size",)),
    "hits": (columns_of("string"), (*columns_of("double"), *columns_of("int64")), columns_of("bool")),
}

#: Keys of the JSON files with the types of their values; those in OPTIONAL may be missing.
SHAPES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "spec.json": {"targets": list, "headline": float, "seeds": list, "tuning_seeds": list, "tuning": str, "name": str},
    "suite.json": {"planned": int, "finished": int, "jobs": int, "quick": bool, "started": str, "layout": int},
    "machine.json": {"versions": dict, "sessions": list, "caches": dict},
}
OPTIONAL = {"name", "jobs", "quick", "started", "layout", "versions", "sessions", "caches"}


# ---- one run


def row_fault(row: Any) -> str:
    """What is wrong with a run's row as stored; empty for nothing."""
    if not isinstance(row, dict):
        return "it holds no JSON object"
    missing = [name for name in (*TEXT, *NUMERIC, "batch_size", "crossings") if name not in row]
    if missing:
        return f"it has no column {missing[0]}"
    wrong = [name for name in TEXT if not isinstance(row[name], str)]
    wrong += [name for name in NUMERIC if not _is_number(row[name])]
    wrong += [] if isinstance(row["crossings"], list) and all(map(_is_crossing, row["crossings"])) else ["crossings"]
    if wrong:
        return f"its column {wrong[0]} holds {row[wrong[0]]!r}"
    return "" if row["status"] in STATUSES else f"its status is {row['status']!r}"


def _is_crossing(value: Any) -> bool:
    keys = ("target", "step", "samples", "low", "left_again")
    return isinstance(value, dict) and all(isinstance(value.get(key), (int, float)) for key in keys)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# ---- a table


def check_table(path: Path, table: pa.Table) -> None:
    """Raise unless a table of runs, curves or hits has the columns of its kind; one without rows may have none."""
    import pyarrow.types as kinds

    if not table.num_rows:
        return
    text, numeric, nullable = COLUMNS[path.stem]
    missing = [name for name in (*text, *numeric, *nullable) if name not in table.column_names]
    if missing:
        raise damaged(path, f"it has no column {missing[0]}")

    def is_text(kind: pa.DataType) -> bool:
        kind = kind.value_type if kinds.is_dictionary(kind) else kind
        return kinds.is_string(kind) or kinds.is_large_string(kind)

    def is_numeric(kind: pa.DataType) -> bool:
        return kinds.is_integer(kind) or kinds.is_floating(kind)

    wrong = [name for name in text if not is_text(table.schema.field(name).type)]
    wrong += [name for name in numeric if not is_numeric(table.schema.field(name).type)]
    if wrong:
        raise damaged(path, f"its column {wrong[0]} is of the type {table.schema.field(wrong[0]).type}")
    if path.stem == "runs":
        strange = set(table.column("status").to_pylist()) - set(STATUSES)
        if strange:
            raise damaged(path, f"it has the status {min(map(str, strange))!r}")


# ---- a JSON file


def read_json(path: Path) -> dict[str, Any]:
    """The content of spec.json, suite.json or machine.json."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GdbenchError(f"{path.parent} holds no {path.name}: give the --out of a `gdbench run`") from None
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, error) from None
    check_json(path, found)
    return found


def check_json(path: Path, found: Any, kind_of: str = "") -> None:
    """Raise unless JSON from a file has the keys of its kind: that of the file's name, or another that it holds."""
    kind_of = kind_of or path.name
    if not isinstance(found, dict):
        raise damaged(path, "it holds no JSON object")
    if isinstance(found.get("layout"), int):
        layout.refuse_newer(found["layout"], path)
    for key, kind in SHAPES[kind_of].items():
        if key not in found and key not in OPTIONAL:
            raise damaged(path, f"it has no {key}")
        if key in found and not (isinstance(found[key], kind) and isinstance(found[key], bool) == (kind is bool)):
            raise damaged(path, f"its {key} is {one_line(repr(found[key]))}")
    if kind_of == "spec.json" and not (found["targets"] and all(_is_number(target) for target in found["targets"])):
        raise damaged(path, "its targets are no list of numbers")
    sessions = found.get("sessions", ())
    if not all(isinstance(one, Mapping) and isinstance(one.get("machine"), dict) for one in sessions):
        raise damaged(path, "a session in it names no machine")


def damaged(path: Path, error: object = "") -> GdbenchError:
    """The error for a file that is there and cannot be read."""
    why = f" ({one_line(error)})" if str(error) else ""
    return GdbenchError(f"{path} is damaged{why}: run the suite again, which restores it from the ledger")
