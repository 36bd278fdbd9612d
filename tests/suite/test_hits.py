"""The table of hits of a real suite."""

import json
import sqlite3

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from gdbench.suite.hits import HITS_VERSION, hits_schema


@pytest.fixture(scope="module")
def hits(results):
    return results.hits


@pytest.fixture(scope="module")
def report(hits):
    return hits[hits.role == "report"]


def test_the_schema_is_the_declared_one_with_its_version(results):
    found = pq.read_schema(results.folder / "hits.parquet")
    assert found.equals(hits_schema())
    assert found.metadata[b"gdbench hits"] == str(HITS_VERSION).encode()


def test_no_seed_serves_both_tuning_and_reporting(results):
    with sqlite3.connect(results.folder / "ledger.sqlite") as db:
        rows = [json.loads(row) for (row,) in db.execute("SELECT row FROM runs")]
    seeds = {stage: {row["seed"] for row in rows if row["stage"] == stage} for stage in ("tuning", "report", "timed")}
    assert all(seeds.values())
    assert not seeds["tuning"] & (seeds["report"] | seeds["timed"])


def test_every_solver_has_a_row_a_target_and_seed(results, report):
    counted = report.groupby(["problem", "solver"]).size()
    assert (counted == len(results.targets) * len(results.spec["seeds"])).all()
    assert set(report.seed) == set(results.spec["seeds"])


def test_brackets_are_two_percent_or_a_step(report):
    own = report[report.reached & (report.backend == "gdbench")]
    assert len(own)
    size = np.where(own.variant == "batch", own.samples / own.step, 32)
    width = own.bracket_high - own.bracket_low
    assert ((width <= size) | (width <= 0.02 * own.bracket_low)).all()
    assert (own.bracket_high == own.samples).all()
    whole = report[report.reached & (report.backend == "scikit-learn")]
    np.testing.assert_allclose(whole.epochs, whole.epochs.round())


def test_a_tighter_target_is_reached_no_sooner(report):
    for _, rows in report[report.reached].groupby(["problem", "solver", "seed"]):
        assert rows.sort_values("target", ascending=False).step.is_monotonic_increasing


def test_deterministic_solvers_are_counted_once(results, report):
    fixed = report[report.deterministic]
    assert set(fixed.variant) == {"batch"}
    assert (fixed.groupby(["problem", "solver", "target"]).samples.nunique(dropna=False) == 1).all()
    runs = results.reported
    assert (runs[runs.variant == "batch"].groupby(["problem", "solver"]).size() == 1).all()
    tuned = results.tuning
    assert (tuned[tuned.variant == "batch"].groupby(["problem", "solver", "learning_rate"]).size() == 1).all()


def test_the_chosen_rate_is_in_all_rows_and_its_edge_is_told(results, report):
    assert (report.groupby(["problem", "solver"]).learning_rate.nunique() == 1).all()
    for (problem, solver), rows in report.groupby(["problem", "solver"]):
        grid = results.tuning[(results.tuning.problem == problem) & (results.tuning.solver == solver)].learning_rate
        assert set(rows.rates) == {grid.nunique()}
        assert set(rows.at_edge) == {rows.learning_rate.iloc[0] in (grid.min(), grid.max())}


def test_both_clocks_are_taken_of_what_was_reached(report):
    reached = report[report.reached]
    assert (reached.call_seconds > 0).all()
    assert reached.step_seconds.notna().mean() > 0.5  # a marginal cost may be lost in what else the machine does
    assert report[~report.reached][["call_seconds", "step_seconds"]].isna().all().all()
    again = reached[reached.call_seconds_again.notna()]
    assert set(again.seed) == {report.seed.min()}


def test_another_objective_is_not_comparable(report):
    rows = report[(report.problem == "iris") & (report.backend == "scikit-learn")]
    assert set(rows.miss) == {"not comparable"}
    assert rows.samples.isna().all()


def test_tuning_counts_are_read_off_the_grid(results, hits):
    tuned = hits[hits.role == "tune"]
    assert set(tuned.seed) == set(results.spec["tuning_seeds"])
    points = results.curves.assign(run_id=results.curves.run_id.astype(str)).merge(
        results.runs, on="run_id", suffixes=("", "_run")
    )
    one = tuned[tuned.reached & (tuned.backend == "gdbench")].iloc[0]
    mine = points[(points.problem == one.problem) & (points.solver == one.solver) & (points.learning_rate == one.learning_rate)]
    mine = mine[(mine.seed == one.seed) & (mine.stage == "tuning")]
    under = mine.gap <= one.target * mine.gap.iloc[0]
    assert mine.samples[under].iloc[0] == one.samples
    assert isinstance(results.hits, pd.DataFrame)
