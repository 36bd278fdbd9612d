"""A results folder: written whole or not at all from the ledger, and read back."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.shown import Shown
from gdbench.suite.execute import COSTS, CURVE, NUMBERS, Record, costs_to_targets, target_label
from gdbench.suite.ledger import NAME, Ledger
from gdbench.writing import whole, write_text

if TYPE_CHECKING:
    import pandas as pd

#: Runs whose curves are written at once.
CHUNK = 2000

#: The columns of a run that its readers rely on, beside what it needed to each target.
RUN = (
    *("run_id", "problem", "dataset", "loss", "penalty", "alpha", "n", "d", "data_bytes", "backend", "solver", "variant"),
    *("batch_size", "optimizer", "schedule", "shuffle", "dtype", "learning_rate", "seed", "stage", "repeat", "timing"),
    *("status", "reason", "note", "epochs", "n_updates", "n_samples", "metric_name", *NUMBERS),
)


@dataclass(frozen=True)
class Results(Shown):
    """What a suite found.

    Attributes
    ----------
    folder : Path
    runs : DataFrame
        A row a run; :func:`gdbench.suite.execute.base_row` and its neighbours say which columns.
    curves : DataFrame
        A row a recorded point: run_id, step, epoch, samples, seconds, objective, gap, gradient_norm.
    machine : dict
        As of :func:`gdbench.suite.machine.describe`.
    spec : dict
        The suite's spec, as resolved.
    planned, finished : int
        Runs of the plan, and those of them that are done.
    facts : dict
        How it was run: jobs, wall_seconds, wall_seconds_total, quick, started.
    """

    folder: Path
    runs: pd.DataFrame
    curves: pd.DataFrame
    machine: dict[str, Any]
    spec: dict[str, Any]
    planned: int
    finished: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[float, ...]:
        """The relative gaps aimed at, the widest first."""
        return tuple(sorted(self.spec["targets"], reverse=True))

    @cached_property
    def tuning(self) -> pd.DataFrame:
        """The grid's runs."""
        return self.runs[self.runs["stage"] == "tuning"]

    @cached_property
    def timed(self) -> pd.DataFrame:
        """The runs of each solver's best rate that were timed alone."""
        return self.runs[self.runs["stage"] == "timed"]


def load(folder: str | Path) -> Results:
    """Read a results folder; one whose suite was killed is first brought up to its ledger.

    Raises
    ------
    GdbenchError
        A folder without results, or a file that cannot be read, with its name.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise GdbenchError(f"{folder} is not a folder: give the --out of a `gdbench run`")
    if (folder / NAME).exists():
        with Ledger(folder, write=False) as ledger:
            if not _current(ledger):
                export(ledger)
    runs, curves = _parquet(folder / "runs.parquet"), _parquet(folder / "curves.parquet")
    machine, spec, facts = (_json(folder / name) for name in ("machine.json", "spec.json", "suite.json"))
    _check_spec(folder / "spec.json", spec)
    costs = [f"{cost}_to_{target_label(target)}" for target in spec["targets"] for cost in COSTS]
    _check_columns(folder / "runs.parquet", runs, [*RUN, *costs])
    _check_columns(folder / "curves.parquet", curves, ["run_id", *CURVE])
    return Results(folder, runs, curves, machine, spec, facts.pop("planned", 0), facts.pop("finished", 0), facts)


def _current(ledger: Ledger) -> bool:
    """Whether the tables are of the ledger as it is: suite.json, which is written after them, says what they hold."""
    written = all((ledger.folder / name).exists() for name in ("runs.parquet", "suite.json"))
    return written and _json(ledger.folder / "suite.json") == _facts(ledger, ledger.meta())


def _facts(ledger: Ledger, meta: dict[str, Any]) -> dict[str, Any]:
    """What suite.json says: how far the suite is, and how it was run."""
    planned, finished = ledger.counts()
    return {"planned": planned, "finished": finished} | {k: v for k, v in meta.items() if k not in ("spec", "machine")}


def damaged(path: Path, error: object = "") -> GdbenchError:
    """The error for a file that is there and cannot be read."""
    why = f" ({one_line(error)})" if str(error) else ""
    return GdbenchError(f"{path} is damaged{why}: run the suite again, which restores it from the ledger")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GdbenchError(f"{path.parent} holds no {path.name}: give the --out of a `gdbench run`") from None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from None
    if not isinstance(found, dict):
        raise damaged(path, "it holds no JSON object")
    return found


def _check_spec(path: Path, spec: dict[str, Any]) -> None:
    """Raise unless the spec says what the readers of results ask it for."""
    targets = spec.get("targets")
    if not isinstance(targets, list) or not all(isinstance(target, float) for target in targets):
        raise damaged(path, "its targets are no list of numbers")
    if not isinstance(spec.get("tuning"), str):
        raise damaged(path, "it does not say how rates were chosen")


def _check_columns(path: Path, table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise unless a table has these columns; one without rows may have none."""
    missing = [column for column in columns if column not in table] if len(table) else []
    if missing:
        raise damaged(path, f"it has no column {missing[0]}")


def _parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise GdbenchError(f"{path.parent} holds no {path.name}: give the --out of a `gdbench run`") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise damaged(path, error) from None


def export(ledger: Ledger) -> None:
    """Write the tables, and machine.json, spec.json and suite.json, from the ledger, each whole or not at all."""
    folder, meta = ledger.folder, ledger.meta()
    facts = _facts(ledger, meta)
    with _explained(folder):
        write_tables(ledger, folder)
        for name, content in (("machine", meta.get("machine")), ("spec", meta.get("spec")), ("suite", facts)):
            write_text(folder / f"{name}.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or one_line(error)
        text = f"cannot write the tables into {folder}: {reason}; all finished runs are safe in {NAME}"
        raise GdbenchError(text) from None


def write_tables(ledger: Ledger, folder: Path) -> None:
    """runs.parquet and curves.parquet of the planned runs, some thousand at a time."""
    import pandas as pd
    import pyarrow.parquet as pq

    frames: list[pd.DataFrame] = []  # a tenth of the memory of their rows as dicts
    best, targets = best_known(ledger.planned()), ledger.meta().get("spec", {}).get("targets", ())
    records = (settled(record, best, targets) for record in ledger.planned())
    with whole(folder / "runs.parquet") as runs_path, whole(folder / "curves.parquet") as curves_path:
        with pq.ParquetWriter(curves_path, _curve_schema()) as writer:
            while chunk := list(islice(records, CHUNK)):
                frames.append(_runs_frame([record.row for record in chunk]))
                writer.write_table(_curve_table(chunk))
        pd.concat(frames or [_runs_frame([])], ignore_index=True).to_parquet(runs_path, index=False)


def best_known(records: Iterable[Record]) -> dict[str, float]:
    """The lowest objective that any recorded point of a network has, by problem."""
    found: dict[str, float] = {}
    for record in records:
        values = record.curve[np.isfinite(record.curve[:, 4]), 4]
        if record.row.get("model", "linear") != "linear" and values.size:
            name = record.row["problem"]
            found[name] = min(float(values.min()), found.get(name, math.inf))
    return found


def settled(record: Record, best: dict[str, float], targets: Iterable[float]) -> Record:
    """The record with its gaps counted from the best value known, where its problem has one."""
    if record.row["problem"] not in best or not len(record.curve):
        return record
    value, curve = best[record.row["problem"]], record.curve.copy()
    with np.errstate(all="ignore"):
        curve[:, 5] = curve[:, 4] - value
        gap, scale = float(curve[-1, 5]), float(curve[0, 5])
        row = record.row | {"optimum": value, "gap": gap, "relative_gap": gap / scale if scale > 0 else math.nan}
        return Record(row | costs_to_targets(curve, tuple(targets), row["status"]), curve)


def _runs_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows)
    return frame.astype({"batch_size": "Int64"}) if rows else frame


def _curve_schema() -> Any:
    import pyarrow as pa

    whole_numbers = {"step", "samples"}
    kinds = [(name, pa.int64() if name in whole_numbers else pa.float64()) for name in CURVE]
    return pa.schema([("run_id", pa.dictionary(pa.int32(), pa.string())), *kinds])


def _curve_table(chunk: list[Record]) -> Any:
    import pyarrow as pa

    lengths = [len(record.curve) for record in chunk]
    points = np.concatenate([record.curve for record in chunk])
    codes = np.repeat(np.arange(len(chunk), dtype=np.int32), lengths)
    ids = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([record.run_id for record in chunk]))
    columns = [pa.array(points[:, j]).cast(kind.type) for j, kind in enumerate(list(_curve_schema())[1:])]
    return pa.Table.from_arrays([ids, *columns], schema=_curve_schema())
