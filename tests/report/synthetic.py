"""A results folder whose numbers follow formulas, in the files that a suite leaves. Nothing is run for it.

``python tests/report/synthetic.py FOLDER`` makes one to look at.
"""

import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gdbench.suite import hits, tuning
from gdbench.suite.vocabulary import REPORT, TIMED, TUNING, Record, crossings, target_label

RATES = np.logspace(-4, 0, 5)
SEEDS = tuple(range(13))
TUNED_ON = (10000, 10001)
STEPS = np.unique(np.round(np.logspace(0, np.log10(400), 20)).astype(int))
OPTIMIZERS = ("gd", "momentum", "adam")
# samples a step; and the best log10 rate, speed and noise of each, so that they differ
VARIANTS = {"batch": 2000, "mini-batch": 32, "stochastic": 1}
PROBLEMS = {
    "flights": ("squared_error", "flights"),
    "<b>bold</b> & co": ("cross_entropy", "digits"),
}
TARGETS = (1e-1, 1e-2, 1e-3, 1e-4)
ROWS = 2000
MACHINE = {
    "cpu": "Example CPU 3000",
    "cores": 2,
    "memory_bytes": 8_000_000_000,
    "os": "Linux 6.1",
    "python": "CPython 3.12.1",
    "versions": {"gdbench": "0.1.0", "numba": "0.61.0", "numpy": "2.0.0", "scikit-learn": "1.6.0"},
    "simd": ["avx2", "fma"],
    "git_commit": None,
    "read_bandwidth_gb_s": 10.0,
}
SPEC = {
    "name": "synthetic",
    "title": "Made by formulas",
    "seeds": list(SEEDS),
    "tuning_seeds": list(TUNED_ON),
    "targets": list(TARGETS),
    "headline": 1e-2,
    "learning_rates": list(RATES),
    "baselines": ["sklearn"],
    "tuning": "time",
}


def fold(seed: object) -> float:
    """A number in [0, 1) from anything, the same in every process."""
    return (sum(ord(c) * (i + 7) for i, c in enumerate(str(seed))) * 0.61803398875) % 1.0


def one_run(problem: str, variant: str, optimizer: str, rate: float, seed: int, backend: str, stage: str, repeat: int = 0):
    """A row of runs and its curve: an exponential descent onto a noise floor, in closed form."""
    loss, dataset = PROBLEMS[problem]
    place = OPTIMIZERS.index(optimizer)
    best = -2.5 + 0.7 * place + (0.8 if variant == "batch" else 0.0) + fold(problem) * 0.4
    distance = np.log10(rate) - best
    diverged = distance > 1.4
    per_step = VARIANTS[variant]
    samples = np.concatenate([[0], STEPS * max(per_step, 32)]).astype(np.int64)
    speed = (0.02 + 0.01 * place) * 10 ** -abs(distance) * (1 + 0.06 * fold((problem, variant, optimizer, seed % 13)))
    floor = {"batch": 1e-9, "mini-batch": 1e-5, "stochastic": 1e-3}[variant] * (1 + seed % 13 / 4)
    progress = np.concatenate([[0], STEPS]) * speed
    relative = np.exp(-progress) + floor * (1 - np.exp(-progress))
    if diverged:
        relative = 2.0 ** np.arange(8)
        samples = samples[:8]
    start, optimum = 3.0, 1.0
    gap = relative * (start - optimum)
    cost = {"gdbench": 1.0, "scikit-learn": 4.0}[backend] * 2e-8 * (1 + 0.02 * (seed % 13) + 0.1 * place + 0.01 * repeat)
    # scikit-learn's softmax is another objective: it has no gap
    comparable = backend == "gdbench" or loss == "squared_error"
    objective = optimum + gap
    if not comparable:
        optimum, gap, relative = np.nan, gap * np.nan, relative * np.nan
    steps = samples // max(per_step, 32)
    points = np.column_stack([steps, samples / ROWS, samples, samples * cost, objective, gap, np.sqrt(objective)])
    run_id = f"{problem}|{variant}|{optimizer}|{rate:g}|{seed}|{backend}|{stage}|{repeat}"
    baseline = {"cross_entropy": "SGDClassifier"}.get(loss, "SGDRegressor")
    row = {
        "run_id": run_id,
        "suite": "synthetic",
        "problem": problem,
        "dataset": dataset,
        "loss": loss,
        "penalty": "none",
        "alpha": 0.0,
        "n": ROWS,
        "d": 10,
        "data_bytes": ROWS * 10 * 8,
        "solver": f"{variant} {optimizer}" if backend == "gdbench" else baseline,
        "variant": variant,
        "batch_size": None if variant == "batch" else per_step,
        "optimizer": optimizer,
        "optimizer_fields": "{}",
        "schedule": "constant",
        "schedule_fields": "{}",
        "learning_rate": rate,
        "shuffle": "none" if variant == "batch" else "epoch",
        "dtype": "float64",
        "seed": seed,
        "backend": backend,
        "stage": stage,
        "repeat": repeat,
        "status": "diverged" if diverged else "budget",
        "reason": "the objective grew beyond 1e6 times its start" if diverged else "",
        "note": "" if comparable else "minimises one-against-rest log loss, another objective",
        "epochs": samples[-1] / ROWS,
        "n_updates": int(steps[-1]),
        "n_samples": int(samples[-1]),
        "seconds": np.nan if stage == TUNING else samples[-1] * cost,
        "compile_seconds": 0.8 if seed == 0 else 0.0,
        "objective": objective[-1],
        "gap": gap[-1],
        "relative_gap": relative[-1],
        "train_metric": 2 - objective[-1],
        "test_metric": 1.9 - objective[-1],
        "metric_name": "accuracy" if loss == "cross_entropy" else "R²",
        "timing": "alone" if stage == TIMED else "none",
        "deterministic": False,
        "epochs_budget": 16,
        "optimum": optimum,
        "objective_start": start,
    }
    if stage == TUNING:
        points[:, 3] = np.nan
    found = crossings(points, TARGETS)
    row["crossings"] = [vars(one) for one in found]
    if stage == TIMED:
        step = samples[-1] * cost / steps[-1]
        calls = {target_label(one.target): 2e-4 + step * one.step for one in found}
        row |= {"calls": calls, "step_seconds": step, "call_seconds": 2e-4 + step * steps[-1]}
        points = points[:0]
    return row, points


def settings(problems):
    """What is run: every rate in a shared pass, and scikit-learn."""
    for problem in problems:
        for rate in RATES:
            for seed in TUNED_ON:
                for variant in VARIANTS:
                    for optimizer in OPTIMIZERS:
                        yield problem, variant, optimizer, rate, seed, "gdbench", TUNING
                yield problem, "stochastic", "gd", rate, seed, "scikit-learn", TUNING


def alone(runs: pd.DataFrame):
    """The chosen rate of each solver on the reporting seeds, and on the clock; the first seed twice."""
    for (problem, variant, optimizer, backend), group in runs.groupby(["problem", "variant", "optimizer", "backend"], sort=False):
        choice = tuning.choose(group.to_dict("records"), TARGETS)
        if choice.learning_rate is not None:
            chosen = problem, variant, optimizer, choice.learning_rate
            yield from ((*chosen, seed, backend, REPORT, 0) for seed in SEEDS)
            yield from ((*chosen, seed, backend, TIMED, 0) for seed in SEEDS)
            yield (*chosen, SEEDS[0], backend, TIMED, 1)


@cache
def made(problems):
    """Rows and curves of all runs, as a ledger holds them."""
    found = [one_run(*setting) for setting in settings(problems)]
    return found + [one_run(*setting) for setting in alone(pd.DataFrame([row for row, _ in found]))]


def frames(ledger) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Runs, curves and hits of rows with their curves."""
    found = hits.Hits(SPEC)
    found.add(Record(row, points) for row, points in ledger)
    runs = pd.DataFrame([row for row, _ in ledger]).astype({"batch_size": "Int64"})
    columns = ["step", "epoch", "samples", "seconds", "objective", "gap", "gradient_norm"]
    curves = pd.DataFrame(np.concatenate([points for _, points in ledger]), columns=columns)
    curves.insert(0, "run_id", np.repeat(runs.run_id, [len(points) for _, points in ledger]).to_numpy())
    return runs, curves.astype({"step": "int64", "samples": "int64"}), found.table()


@cache
def tables(problems=tuple(PROBLEMS)) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Runs, curves and hits."""
    return frames(made(problems))


def write(folder: Path, problems=tuple(PROBLEMS), change=None) -> Path:
    """Write the files of a finished suite; `change` gives each row as it is to be, or None to leave it out."""
    folder.mkdir(parents=True, exist_ok=True)
    found = tables(problems)
    if change:
        rows = [(change(dict(row)), points) for row, points in made(problems)]
        found = frames([(row, points) for row, points in rows if row is not None])
    runs, curves, hit = found
    runs.to_parquet(folder / "runs.parquet")
    curves.to_parquet(folder / "curves.parquet")
    pq.write_table(pa.Table.from_pandas(hit, hits.hits_schema(), preserve_index=False), folder / "hits.parquet")
    (folder / "machine.json").write_text(json.dumps(MACHINE), encoding="utf-8")
    (folder / "spec.json").write_text(json.dumps(SPEC), encoding="utf-8")
    suite = {"spec": SPEC, "planned": len(runs), "finished": len(runs), "facts": {"jobs": 1, "quick": False}}
    (folder / "suite.json").write_text(json.dumps(suite), encoding="utf-8")
    return folder


if __name__ == "__main__":
    write(Path(sys.argv[1]))
