"""A results folder, read back."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdbench.errors import GdbenchError, one_line
from gdbench.shown import Shown
from gdbench.suite.store import tables
from gdbench.suite.store.ledger import NAME, Ledger
from gdbench.suite.store.shapes import NULLABLE, check_table, damaged, read_json
from gdbench.suite.vocabulary import REPORT, TIMED, TUNING

if TYPE_CHECKING:
    import pandas as pd


#: What makes a machine the same as another for clocks.
MACHINE = ("cpu", "architecture", "cores", "cpus_usable", "memory_bytes")


@dataclass(frozen=True)
class Results(Shown):
    """What a suite found.

    Attributes
    ----------
    folder : Path
    runs : DataFrame
        A row a run; :func:`gdbench.suite.execute.rows.base_row` and its neighbours say which columns. ``session`` numbers the
        session that made it.
    curves : DataFrame
        A row a recorded point: run_id, step, epoch, samples, seconds, objective, gap, gradient_norm. No clock runs while points
        are recorded: seconds are the samples' share of what the same steps took on the step clock, where it was taken.
    hits : DataFrame
        A row a run and target, as of :func:`gdbench.suite.hits.hits_schema`.
    machine : dict
        As of :func:`gdbench.suite.machine.describe`: that of the session which made most of the runs timed alone, or of all
        runs where none was.
    sessions : list of dict
        A dict a session: its number ``session``, ``started``, its ``machine``, how it was run, and the number of its ``runs``
        that the machine was chosen by.
    spec : dict
        The suite's spec, as resolved.
    planned, finished : int
        Runs of the plan, and those of them that are done.
    facts : dict
        How its last session was run: jobs, wall_seconds, quick, started; and wall_seconds_total of all.
    """

    folder: Path
    runs: pd.DataFrame
    curves: pd.DataFrame
    hits: pd.DataFrame
    machine: dict[str, Any]
    spec: dict[str, Any]
    planned: int
    finished: int
    facts: dict[str, Any] = field(default_factory=dict)
    sessions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def targets(self) -> tuple[float, ...]:
        """The relative gaps aimed at, the widest first."""
        return tuple(sorted(self.spec["targets"], reverse=True))

    @property
    def headline(self) -> float:
        """The target that solvers are ranked by, as declared before the runs."""
        return float(self.spec["headline"])

    @cached_property
    def tuning(self) -> pd.DataFrame:
        """The grid's runs."""
        return self.runs[self.runs["stage"] == TUNING]

    @cached_property
    def reported(self) -> pd.DataFrame:
        """The runs of each solver's chosen rate on the reporting seeds."""
        return self.runs[self.runs["stage"] == REPORT]

    @cached_property
    def machines(self) -> list[tuple[dict[str, Any], int]]:
        """The different machines that runs were timed on, each with the number of those runs, the most first."""
        found: list[tuple[dict[str, Any], int]] = []
        for session in sorted(self.sessions, key=lambda one: -one.get("runs", 0)):
            here, runs = session["machine"], session.get("runs", 0)
            same = [i for i, (other, _) in enumerate(found) if all(here.get(key) == other.get(key) for key in MACHINE)]
            if same:
                found[same[0]] = (found[same[0]][0], found[same[0]][1] + runs)
            elif runs or not found:
                found.append((here, runs))
        return found

    @cached_property
    def timed(self) -> pd.DataFrame:
        """The same, on the clock."""
        return self.runs[self.runs["stage"] == TIMED]


def load(folder: str | Path) -> Results:
    """Read a results folder; one whose suite was killed is first brought up to its ledger.

    Parameters
    ----------
    folder : str or path
        As ``gdbench run`` leaves it.

    Returns
    -------
    Results
        Its tables, the machine and the suite.

    Raises
    ------
    GdbenchError
        A folder without results, a file that cannot be read, with its name, or one of a newer gdbench.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise GdbenchError(f"{folder} is not a folder: give the --out of a `gdbench run`")
    if not (folder / NAME).exists():
        return _read(folder, folder)
    with Ledger(folder, write=False) as ledger:
        if not ledger.spec():
            raise GdbenchError(f"{folder} holds no finished run yet: let `gdbench run` go on")
        if tables.is_current(ledger):
            return _read(folder, folder)
        if os.access(folder, os.W_OK):
            tables.export(ledger)
            return _read(folder, folder)
        with tempfile.TemporaryDirectory() as elsewhere:
            tables.export(ledger, Path(elsewhere))
            return _read(Path(elsewhere), folder)


def _read(place: Path, folder: Path) -> Results:
    """The results that the files in a place hold, said to be in a folder."""
    facts, spec, machine = (read_json(place / name) for name in ("suite.json", "spec.json", "machine.json"))
    runs, curves, hits = (_table(place / f"{name}.parquet") for name in ("runs", "curves", "hits"))
    # a folder of layout 1 tells of one session, whose machine it names
    sessions = machine.pop("sessions", None) or [{"session": 1, "machine": dict(machine), "runs": len(runs)}]
    if len(runs):
        missing = {name: 1 for name in ("session",) if name not in runs}
        runs = runs.assign(**missing).astype(dict.fromkeys(NULLABLE, "Int64"))
    how = {key: value for key, value in facts.items() if key not in ("planned", "finished", "layout", "revision", "session")}
    return Results(folder, runs, curves, hits, machine, spec, facts["planned"], facts["finished"], how, sessions)


def _table(path: Path) -> pd.DataFrame:
    """A table, by the types of its columns alone: what pandas adds about them is not asked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, page_checksum_verification=True)
        check_table(path, table)
        if path.stem == "curves" and not pa.types.is_dictionary(table.schema.field("run_id").type):
            table = table.set_column(0, "run_id", table.column("run_id").dictionary_encode().unify_dictionaries())
        return table.replace_schema_metadata(None).to_pandas()
    except FileNotFoundError:
        raise GdbenchError(f"{path.parent} holds no {path.name}: give the --out of a `gdbench run`") from None
    except GdbenchError:
        raise
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise damaged(path, one_line(error)) from None
