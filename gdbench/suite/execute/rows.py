"""The row of a run: its words, its numbers, and what is open where it could not be done."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np

from gdbench import baselines
from gdbench.suite.plan import Pass, Run
from gdbench.suite.vocabulary import CURVE, NUMBERS, TIMED, Crossing, Record

#: A gap below −FLOOR·max(1, |f*|) means that f* is wrong.
FLOOR = 1e-9

#: Below this, times max(1, |f*|), a difference of objectives computed in float32 is rounding and counts as 0.
FLOOR32 = 1e-5


def base_row(work: Pass, run: Run) -> dict[str, Any]:
    """What a row says before the run: its words."""
    case, solver = work.case, work.solver
    name = "gdbench" if solver.backend == "gdbench" else baselines.get(solver.backend).name
    return {
        "run_id": run.run_id,
        "suite": work.suite,
        "problem": case.name,
        "dataset": case.data,
        "loss": case.loss or "",
        "penalty": case.penalty or "none",
        "alpha": case.alpha,
        "options": json.dumps(dict(case.options), sort_keys=True),
        "model": case.model,
        "model_fields": json.dumps(dict(case.model_fields), sort_keys=True),
        "backend": name,
        "solver": solver.label,
        "variant": solver.variant,
        "batch_size": solver.batch_size,
        "optimizer": solver.optimizer,
        "optimizer_fields": json.dumps(dict(solver.optimizer_fields), sort_keys=True),
        "schedule": solver.schedule,
        "schedule_fields": json.dumps(dict(solver.schedule_fields), sort_keys=True),
        "shuffle": solver.shuffle,
        "dtype": solver.dtype,
        "learning_rate": run.learning_rate,
        "seed": work.seed,
        "deterministic": work.deterministic,
        "stage": work.stage,
        "repeat": work.repeat,
        # only runs that do nothing else are on a clock
        "timing": "alone" if work.stage == TIMED else "none",
        "epochs_budget": work.epochs,
    }


def failed(work: Pass, run: Run, reason: str) -> Record:
    """The record of a run that could not be done."""
    row = base_row(work, run) | {"status": "failed", "reason": reason, "note": "", "metric_name": ""}
    row |= dict.fromkeys(("n", "d", "data_bytes", "n_updates", "n_samples"), 0) | {"epochs": 0.0}
    row |= dict.fromkeys(NUMBERS, math.nan)
    return Record(row | {"crossings": []}, np.empty((0, len(CURVE))))


def told(crossings: list[Crossing]) -> list[dict[str, Any]]:
    """Crossings as the ledger keeps them."""
    return [asdict(crossing) for crossing in crossings]


def gaps(objective: Any, f_star: float, dtype: np.dtype) -> Any:
    """f(w) − f*; what float32 cannot resolve is 0."""
    gap = np.asarray(objective, dtype=float) - f_star
    if dtype == np.float32:
        gap = np.where(np.abs(gap) <= FLOOR32 * max(1.0, abs(f_star)), 0.0, gap)
    return gap


def data_bytes(X: Any) -> int:
    """Bytes that one pass over the rows reads."""
    return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes if hasattr(X, "indptr") else X.nbytes
