"""The table of hits: what each run needed to each target, from which everything that is shown is computed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gdbench import baselines
from gdbench.suite.vocabulary import (
    FAILED,
    LOST,
    MISSED,
    NO_RATE,
    NOT_COMPARABLE,
    NOT_OFFERED,
    REPORT,
    ROLES,
    TIMED,
    TUNING,
    Record,
    target_label,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: The version of the hits' schema.
HITS_VERSION = 1


def hits_schema() -> pa.Schema:
    """The columns of hits.parquet, a row a run and target, with the version in the metadata."""
    import pyarrow as pa

    text, number, whole, yes = pa.string(), pa.float64(), pa.int64(), pa.bool_()
    columns = [
        ("problem", text),
        ("solver", text),
        ("configuration", text),  # the hyperparameters that were tried
        ("backend", text),
        ("variant", text),
        ("optimizer", text),
        ("learning_rate", number),
        ("rates", whole),  # how many were tried
        ("at_edge", yes),  # the rate is the lowest or highest that was tried
        ("seed", whole),
        ("deterministic", yes),  # no seed makes a difference: it is counted once
        ("role", text),  # tune or report
        ("target", number),  # a gap relative to that of the start
        ("reached", yes),
        ("miss", text),  # why not: missed, not offered, not comparable, failed; empty where it was reached
        ("step", number),  # the first looked-at step at or under the target; infinite for a miss
        ("samples", number),
        ("epochs", number),
        ("bracket_low", number),  # samples: not yet reached there
        ("bracket_high", number),  # samples: reached there
        ("left_again", yes),  # a later point lies above the target, or the run diverges later
        ("samples_spent", number),  # to the target, or to the end of the run
        ("call_seconds", number),  # of an uninterrupted call of so many steps; NaN where it was not timed
        ("step_seconds", number),  # the steps alone: the marginal cost of a step times their number
        ("call_seconds_again", number),  # the same call and the same steps once more, far apart in time
        ("step_seconds_again", number),
    ]
    return pa.schema(columns, metadata={"gdbench hits": str(HITS_VERSION)})


def columns_of(kind: str) -> tuple[str, ...]:
    """The columns of a type, by its name in Arrow."""
    return tuple(column.name for column in hits_schema() if str(column.type) == kind)


class Hits:
    """Gathers the hits of a suite from its records.

    Parameters
    ----------
    spec : dict
        The suite's, as resolved.
    """

    def __init__(self, spec: dict[str, Any]):
        self.targets = tuple(sorted(spec.get("targets", ()), reverse=True))
        self.seeds = tuple(spec.get("seeds", ()))
        self.baselines = tuple(spec.get("baselines", ()))
        self.rows: list[dict[str, Any]] = []
        self.rates: dict[tuple[str, str], set[float]] = defaultdict(set)
        self.clocks: dict[tuple[str, str], dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        self.backends: dict[str, set[str]] = defaultdict(set)

    def add(self, records: Iterable[Record]) -> None:
        """Take in finished runs."""
        for record in records:
            row = record.row
            key = row["problem"], row["solver"]
            self.backends[row["problem"]].add(row["backend"])
            if row["stage"] == TIMED:
                if row["status"] != "failed":
                    self.clocks[key][row["seed"]].append(row)
                continue
            if row["stage"] == TUNING:
                self.rates[key].add(row["learning_rate"])
            self.rows += hits_of(record, self.targets)

    def table(self) -> pd.DataFrame:
        """The hits, those of the grid first."""
        found: list[dict[str, Any]] = []
        for row in self.rows:
            key = row["problem"], row["solver"]
            tried = self.rates[key]
            row = row | {"rates": len(tried), "at_edge": len(tried) > 1 and row["learning_rate"] in (min(tried), max(tried))}
            if row["role"] == ROLES[REPORT]:
                seeds = [*self.clocks[key]] or list(self.seeds) if row["deterministic"] else [row["seed"]]
                found += [row | {"seed": seed} | self._clocks(key, seed, row) for seed in seeds]
            else:
                found.append(row)
        return frame(found + list(self._not_offered()))

    def _clocks(self, key: tuple[str, str], seed: int, row: dict[str, Any]) -> dict[str, float]:
        """The seconds to a target by both clocks, of the first timing and of a second one of the same seed."""
        timed = sorted(self.clocks[key][seed], key=lambda one: one["repeat"]) if seed in self.clocks[key] else []
        found = {}
        for ending, one in zip(("", "_again"), timed, strict=False):
            found[f"call_seconds{ending}"] = float(one["calls"].get(target_label(row["target"]), math.nan))
            found[f"step_seconds{ending}"] = one["step_seconds"] * row["step"] if row["reached"] else math.nan
        return found

    def _not_offered(self) -> Iterable[dict[str, Any]]:
        """A row a target for each baseline that has no solver for a problem."""
        names = {name: baselines.get(name).name for name in self.baselines}
        words: dict[str, Any] = dict.fromkeys(("configuration", "variant", "optimizer"), "")
        words |= dict.fromkeys(("reached", "left_again", "at_edge", "deterministic"), False)
        for problem, backends in self.backends.items():
            for backend in names.values():
                if backend not in backends:
                    same = {"problem": problem, "solver": backend, "backend": backend, "role": ROLES[REPORT], "seed": -1}
                    yield from (same | words | {"target": target, "miss": NOT_OFFERED} for target in self.targets)


def hits_of(record: Record, targets: tuple[float, ...]) -> list[dict[str, Any]]:
    """The hits of a run, a row a target, without its clocks."""
    row = record.row
    same = {key: row[key] for key in ("problem", "solver", "backend", "variant", "optimizer", "learning_rate", "seed")}
    configuration = f"learning_rate={row['learning_rate']:g}" if row["learning_rate"] != NO_RATE else ""
    same |= {"configuration": configuration, "deterministic": bool(row.get("deterministic", False))}
    same |= {"role": ROLES[row["stage"]]}
    reached = {crossing["target"]: crossing for crossing in row.get("crossings", ())}
    unknown = math.isnan(row["gap"]) or row["status"] == "failed"
    miss = FAILED if row["status"] == "failed" else NOT_COMPARABLE if unknown else MISSED
    found = []
    for target in targets:
        crossing = None if unknown else reached.get(target)
        if crossing is None:
            cost = math.nan if unknown else math.inf
            bracket = (float(row["n_samples"]), cost)
            end = {"reached": False, "miss": miss, "step": cost, "samples": cost, "epochs": cost, "left_again": False}
            spent = float(row["n_samples"])
        else:
            samples = float(crossing["samples"])
            bracket = (float(crossing["low"]), samples)
            end = {"reached": True, "miss": "", "step": float(crossing["step"]), "samples": samples}
            end |= {"epochs": samples / max(row["n"], 1), "left_again": crossing["left_again"] or row["status"] in LOST}
            spent = samples
        ends = {"bracket_low": bracket[0], "bracket_high": bracket[1], "samples_spent": spent}
        found.append(same | {"target": target} | end | ends)
    return found


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of hits as a table of the schema; numbers that a row does not say are open."""
    import pandas as pd

    schema = hits_schema()
    table = pd.DataFrame(rows, columns=schema.names)
    numbers = [column.name for column in schema if str(column.type) == "double"]
    return table.astype(dict.fromkeys(numbers, float)).fillna({"rates": 0}).astype({"rates": "int64"})
