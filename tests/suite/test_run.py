import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdbench.errors import GdbenchError
from gdbench.suite import load, machine, meanings, plan, run_suite, spec
from gdbench.suite.execute import data as execute
from gdbench.suite.progress import Reporter, RichReporter
from gdbench.suite.store.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]

CLOCKS = ("seconds", "compile_seconds", "step_seconds", "call_seconds", "timing", "session")


def without_clocks(runs: pd.DataFrame) -> pd.DataFrame:
    return runs[[c for c in runs.columns if not c.startswith(CLOCKS)]]


def grid(results):
    return without_clocks(results.tuning).reset_index(drop=True)


def test_every_planned_run_is_there_with_a_status_and_a_reason(results, tiny):
    made = plan.make(spec.load(tiny))
    planned = [run.run_id for p in made.passes for run in p.runs]
    assert list(results.tuning["run_id"])[: len(planned)] == planned
    assert len(planned) == 2 * 3 * (2 * 1 + 3 * 2)  # a batch descent is the same on every seed
    assert results.planned == results.finished == len(results.runs)
    assert results.runs["run_id"].is_unique
    assert set(results.runs["status"]) <= {"converged", "budget", "diverged", "timeout"}
    explained = results.runs[~results.runs["status"].isin(["converged", "budget"])]
    assert len(explained) > 0
    assert (explained["reason"] != "").all()


def test_the_contract_s_columns(results):
    columns = (
        "run_id suite problem dataset loss penalty alpha variant batch_size optimizer schedule learning_rate shuffle "
        "seed backend status reason epochs n_updates n_samples seconds compile_seconds objective gap train_metric test_metric"
    )
    assert set(columns.split()) <= set(results.runs.columns)
    assert list(results.curves.columns) == [
        "run_id",
        "step",
        "epoch",
        "samples",
        "seconds",
        "objective",
        "gap",
        "gradient_norm",
    ]
    assert set(results.runs["suite"]) == {"tiny"}
    assert set(results.runs["backend"]) == {"gdbench", "scikit-learn"}


def test_every_column_is_explained(results):
    """In the order of the tables, those of the clocks last."""
    explained = {"runs": meanings.RUNS, "curves": meanings.CURVES, "hits": meanings.HITS}
    for name, columns in explained.items():
        assert list(columns) == list(getattr(results, name).columns)
        assert all(text.endswith(".") for _, text in columns.values())


def test_no_gap_is_below_zero(results):
    gaps = results.runs["gap"].dropna()
    floor = -1e-9 * np.maximum(1, results.runs["optimum"].abs()[gaps.index])
    assert (gaps >= floor).all()
    assert results.curves["gap"].dropna().min() >= -1e-9


def test_curves_begin_at_the_start_and_end_where_the_run_ended(results):
    curves = results.curves.groupby(results.curves["run_id"].astype(str))
    runs = results.runs.set_index("run_id")
    first, last = curves.first(), curves.last()
    assert (first["step"] == 0).all()
    reported = results.reported["run_id"]
    assert (first["seconds"].loc[reported] == 0).all()
    assert (last["samples"] == runs["n_samples"].loc[last.index]).all()
    np.testing.assert_array_equal(last["objective"], runs["objective"].loc[last.index])
    clocked = results.curves[results.curves["run_id"].isin(reported)]
    assert (np.diff(clocked["seconds"])[np.diff(clocked["step"]) > 0] >= 0).all()


def test_the_chosen_rate_of_each_solver_is_counted_and_timed_and_one_seed_twice(results):
    assert set(results.timed["timing"]) == {"alone"}
    assert set(results.tuning["timing"]) == set(results.reported["timing"]) == {"none"}
    assert results.curves.merge(results.tuning[["run_id"]], on="run_id")["seconds"].isna().all()
    for key, runs in results.timed.groupby(["problem", "solver"]):
        assert runs["learning_rate"].nunique() == 1
        assert sorted(zip(runs["seed"], runs["repeat"], strict=True)) == [(0, 0), (0, 1), (1, 0)]
        counted = results.reported.set_index(["problem", "solver"]).loc[[key]]
        assert sorted(counted["seed"]) == ([0] if "batch" in key[1] and "mini" not in key[1] else [0, 1])


def test_all_solvers_of_a_problem_are_looked_at_on_one_grid_of_samples(results):
    points = results.curves.assign(run_id=results.curves["run_id"].astype(str)).merge(results.tuning, on="run_id")
    points = points[(points["problem"] == "diabetes") & (points["status"] == "budget") & (points["variant"] == "mini-batch")]
    grids = points.groupby("run_id")["samples"].unique().map(tuple)
    assert grids.nunique() == 1


def test_a_baseline_with_another_objective_says_so_and_has_no_gap(results):
    rows = results.runs[(results.runs["backend"] == "scikit-learn") & (results.runs["problem"] == "iris")]
    assert (rows["loss"] == "one_vs_rest log_loss").all()
    assert rows["note"].str.contains("compare the test metric only").all()
    assert rows["gap"].isna().all()
    assert rows["test_metric"].max() > 0.8


def test_running_again_does_nothing_again(results, tiny):
    ran = []
    listener = Reporter()
    listener.advance = lambda estimate, what: ran.append(what)
    again = run_suite(tiny, results.folder, reporter=listener)
    assert ran == []
    pd.testing.assert_frame_equal(again.runs, results.runs)


def test_two_runs_of_a_suite_agree_to_the_bit(results, tiny, tmp_path):
    again = run_suite(tiny, tmp_path)
    pd.testing.assert_frame_equal(without_clocks(again.runs), without_clocks(results.runs))
    columns = [c for c in again.curves.columns if c != "seconds"]
    pd.testing.assert_frame_equal(again.curves[columns], results.curves[columns])


def test_jobs_change_nothing_but_clocks(results, tiny, tmp_path):
    spread = run_suite(tiny, tmp_path, jobs=2)
    pd.testing.assert_frame_equal(grid(spread), grid(results))


def test_what_ran_beside_others_does_not_count_as_timed(tiny, tmp_path):
    spread = run_suite(tiny, tmp_path, jobs=2, quick=True)
    assert set(spread.tuning["timing"]) == {"none"}
    assert set(spread.timed["timing"]) == {"alone"}


def test_max_time_leaves_the_rest_for_the_next_call(results, tiny, tmp_path):
    first = run_suite(tiny, tmp_path, max_time=0.0)
    assert 0 < first.finished < first.planned
    rest = run_suite(tiny, tmp_path)
    assert rest.finished == rest.planned
    pd.testing.assert_frame_equal(without_clocks(rest.runs), without_clocks(results.runs))


def test_without_time_each_call_stores_one_pass_also_where_a_stage_has_one(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(
        "seeds = 1\ntuning_seeds = 1\nlearning_rates = [0.01]\nrepeats = 1\nproblems = [{ data = 'diabetes' }]\n"
        "solvers = [{}]\nbudget = { epochs = 5 }\n"
    )
    found = [run_suite(path, tmp_path / "out", max_time=0.0) for _ in range(3)]
    assert [len(each.runs) for each in found] == [1, 2, 3]
    assert found[-1].finished == found[-1].planned


def test_ctrl_c_leaves_a_usable_folder(results, tiny, tmp_path):
    class Impatient(Reporter):
        def __init__(self):
            self.left = 5

        def advance(self, estimate, what):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(tiny, tmp_path, reporter=Impatient())
    partial = load(tmp_path)
    assert 0 < partial.finished < partial.planned
    assert len(partial.runs) == partial.finished
    rest = run_suite(tiny, tmp_path)
    pd.testing.assert_frame_equal(without_clocks(rest.runs), without_clocks(results.runs))


def test_fresh_starts_over_and_keeps_the_old_ledger(tiny, tmp_path):
    run_suite(tiny, tmp_path, max_time=0.0, quick=True)
    old = (tmp_path / "ledger.sqlite").read_bytes()
    done = []
    listener = Reporter()
    listener.begin = lambda plan, finished: done.append(finished)
    run_suite(tiny, tmp_path, fresh=True, quick=True, reporter=listener)
    assert done == [0]
    assert (tmp_path / "ledger.sqlite.old").read_bytes() == old


def test_changed_settings_run_again_and_old_rows_stay(tiny, tmp_path):
    import sqlite3

    run_suite(tiny, tmp_path, quick=True)
    path = tmp_path / "tiny.toml"
    path.write_text(tiny.read_text().replace("epochs = 20", "epochs = 15"))
    changed = run_suite(path, tmp_path, quick=True)
    assert set(changed.runs["epochs_budget"]) == {3}
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        (kept,) = db.execute("SELECT count(*) FROM runs").fetchone()
    assert kept > len(changed.runs)


def test_keys_depend_on_all_that_determines_a_run(tiny):
    made = spec.load(tiny)
    (case, *_) = plan.cases(made)
    solver = next(spec.expand_solver(made.solvers[0], made.learning_rates))[0]

    def key(spec_=made, case_=case, solver_=solver, seed=0, rate=0.1, digest="d", stage="tuning", repeat=0, counted=None):
        return plan.build(spec_, case_, solver_, seed, (rate,), digest, (10, 2, 1), stage, repeat, counted).runs[0].run_id

    from dataclasses import replace

    others = [
        key(seed=1),
        key(rate=0.2),
        key(digest="e"),
        key(stage="report"),
        key(stage="timed"),
        key(stage="timed", counted={"crossings": [{"target": 0.1, "step": 3}]}),
        key(stage="timed", counted={"crossings": [{"target": 0.1, "step": 4}]}),
        key(repeat=1),
        key(solver_=replace(solver, optimizer="adam")),
        key(solver_=replace(solver, optimizer_fields=(("beta", 0.5),), optimizer="momentum")),
        key(spec_=made.model_copy(update={"targets": (0.5,)})),
        key(case_=replace(case, budget=case.budget.model_copy(update={"epochs": 7}))),
        key(case_=replace(case, budget=case.budget.model_copy(update={"record": 7}))),
    ]
    assert len({key(), *others}) == len(others) + 1
    assert key() == key()
    assert len(key()) == 16


def test_a_wrong_optimum_is_a_failure(tiny, monkeypatch, tmp_path):
    real = execute.reference
    monkeypatch.setattr(execute, "reference", lambda *a: (real(*a)[0] + 0.5, real(*a)[1]))
    found = run_suite(tiny, tmp_path, quick=True)
    own = found.runs[(found.runs["problem"] == "diabetes") & (found.runs["status"] == "failed")]
    assert len(own) > 0
    assert own["reason"].str.contains("the certified optimum is wrong").all()


def test_a_problem_without_an_optimum_fails_with_the_reason(tmp_path, monkeypatch):
    real = execute.reference

    def without(case, dtype):
        if case.name == "breast_cancer":
            raise GdbenchError("no finite optimum found")
        return real(case, dtype)

    monkeypatch.setattr(execute, "reference", without)
    path = tmp_path / "a.toml"
    path.write_text(
        "seeds = 1\ntuning_seeds = 1\nlearning_rates = [0.1]\n"
        "problems = [{ data = 'diabetes' }, { data = 'breast_cancer' }]\n"
        "solvers = [{ optimizer = 'gd' }]\nbudget = { epochs = 2 }\n"
    )
    found = run_suite(path, tmp_path / "out").runs.set_index("problem")
    assert found.loc["breast_cancer", "status"] == "failed"
    assert "no finite optimum" in found.loc["breast_cancer", "reason"]
    assert (found.loc["diabetes", "status"] == "budget").all()


def test_a_time_limit_is_a_status(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(
        "seeds = 1\ntuning_seeds = 1\nlearning_rates = [1e-7]\nproblems = [{ data = 'diabetes' }]\n"
        "repeats = 0\nbaselines = ['sklearn']\n"
        "solvers = [{ optimizer = 'gd' }]\nbudget = { epochs = 100, seconds = 1e-6 }\n"
    )
    found = run_suite(path, tmp_path / "out").runs
    assert set(found["status"]) == {"timeout"}
    assert found["reason"].str.contains("s allowed").all()


PLUGIN = """
from typing import NamedTuple
from gdbench import optimizers

@optimizers.register
class SignDescent(NamedTuple):
    scale: float = 1.0
    slots = ()
    name = "sign-descent"

    def step(self, w, g, state, rate, t):
        return w - rate * self.scale * (1.0 if g > 0.0 else -1.0), ()
"""


def test_a_plugin_joins_a_suite_and_its_source_is_part_of_the_key(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    path = tmp_path / "a.toml"
    path.write_text(
        "seeds = 1\ntuning_seeds = 1\nlearning_rates = [0.001, 0.01]\nproblems = [{ data = 'diabetes' }]\n"
        "repeats = 0\nplugins = ['mine.py']\n"
        "solvers = [{ optimizer = [{ name = 'sign-descent', scale = 0.5 }] }]\nbudget = { epochs = 5 }\n"
    )
    found = run_suite(path, tmp_path / "out")
    assert "failed" not in set(found.runs["status"])
    assert set(found.runs["solver"]) == {"mini-batch sign-descent(scale=0.5)"}
    (tmp_path / "mine.py").write_text(PLUGIN.replace("self.scale *", "self.scale * 2 *"))
    edited = run_suite(path, tmp_path / "out")
    assert set(edited.runs["run_id"]).isdisjoint(found.runs["run_id"])
    assert edited.runs["objective"].iloc[0] != found.runs["objective"].iloc[0]


def test_float32_and_updates_budget(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(
        "seeds = 1\ntuning_seeds = 1\nlearning_rates = [0.1]\nproblems = [{ data = 'diabetes' }]\n"
        "solvers = [{ dtype = ['float32', 'float64'], variant = 'batch' }]\n"
        "budget = { epochs = 5000, updates = 1000 }\n"
    )
    found = run_suite(path, tmp_path / "out").runs
    assert set(found["status"]) <= {"converged", "budget"}
    assert set(found["epochs_budget"]) == {1000}
    assert (found["gap"] >= 0).all()


def test_rich_reporter_does_not_fail(tiny, tmp_path):
    from rich.console import Console

    run_suite(tiny, tmp_path, quick=True, reporter=RichReporter(Console(file=io.StringIO(), force_terminal=True)))


TELLING = """
import os
import sys
from pathlib import Path
from gdbench.suite import run_suite
from gdbench.suite.store import ledger

add = ledger.Ledger.add
to_the_test = os.fdopen(os.dup(1), "w")  # a suite sends what is printed in it to stderr

def add_and_tell(self, records):
    records = list(records)
    add(self, records)
    print(*(record.run_id for record in records), file=to_the_test, flush=True)

ledger.Ledger.add = add_and_tell
print("begun", file=to_the_test, flush=True)
run_suite(sys.argv[1], sys.argv[2])
"""


def killed(suite, folder, passes, seconds):
    """Whether a suite had to be killed, so many seconds after it had stored so many passes; and the runs it left.

    What it said was stored is there, however it ended.
    """
    process = subprocess.Popen([sys.executable, "-c", TELLING, str(suite), str(folder)], stdout=subprocess.PIPE, text=True)
    told = [process.stdout.readline() for _ in range(1 + passes)]
    assert told[0] == "begun\n"
    try:
        told.append(process.communicate(timeout=seconds)[0])
    except subprocess.TimeoutExpired:
        process.kill()
        told.append(process.communicate()[0])
    assert process.returncode in (0, -signal.SIGKILL)
    stored = set()
    if (folder / "ledger.sqlite").exists():
        with Ledger(folder) as ledger:
            stored = ledger.done()
    assert set(" ".join(told[1:]).split()) <= stored
    return process.returncode != 0, len(stored)


def kill_again_and_again(kills, suite, folder, undisturbed):
    """Kill a suite so many times, each at a random moment; where it comes to its end, it is compared and another begun.

    Every third kill comes at any time, also while it starts or writes its tables; the others while it stores its passes,
    which takes a small suite a fraction of its life.

    Returns the numbers of runs that the killed ones left.
    """
    random, left, number = np.random.default_rng(0), [], 0
    while len(left) < kills or number == 0:
        moment = (0, None)
        if len(left) < kills:
            moment = (0, random.uniform(0, 5)) if len(left) % 3 == 2 else (random.integers(0, 25), random.uniform(0, 0.02))
        died, stored = killed(suite, folder / f"{number}", *moment)
        if died:
            left.append(stored)
        else:
            ended = load(folder / f"{number}")
            pd.testing.assert_frame_equal(without_clocks(ended.runs), without_clocks(undisturbed.runs))
            pd.testing.assert_frame_equal(ended.curves.drop(columns="seconds"), undisturbed.curves.drop(columns="seconds"))
            number += 1
    return left


def test_kill_at_three_moments(results, tiny, tmp_path):
    left = kill_again_and_again(3, tiny, tmp_path, results)
    assert len(left) == 3
    assert 0 < left[0] < len(results.runs), "it was not killed while it stored"


@pytest.mark.slow
def test_kill_at_thirty_moments(results, tiny, tmp_path):
    """Killed again and again, a suite ends with the rows of an undisturbed one."""
    left = kill_again_and_again(30, tiny, tmp_path, results)
    assert len(left) == 30
    assert len(set(left)) > 5, "all were killed at much the same moment"


def test_an_installed_copy_is_told_its_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "__file__", str(tmp_path / "gdbench" / "suite" / "machine.py"))
    monkeypatch.delenv("GDBENCH_COMMIT", raising=False)
    assert machine.git_commit() is None
    monkeypatch.setenv("GDBENCH_COMMIT", "0123456789ab-dirty")
    assert machine.git_commit() == "0123456789ab-dirty"


@pytest.mark.skipif(not (shutil.which("make") and (ROOT / ".git").exists()), reason="needs make and a checkout")
def test_make_report_tells_the_commit():
    said = subprocess.run(["make", "-n", "report"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"GDBENCH_COMMIT={head[:12]}" in said


@pytest.mark.skipif(not (shutil.which("make") and (ROOT / "Makefile").exists()), reason="needs make and a checkout")
def test_make_clean_keeps_the_history_of_measurements():
    apart = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # make may have started the tests
    said = {
        target: subprocess.run(["make", "-n", target], cwd=ROOT, env=apart, capture_output=True, text=True, check=True).stdout
        for target in ("clean", "clean-history")
    }
    assert ".asv" not in said["clean"]
    assert said["clean-history"].strip() == "rm -rf .asv"


def test_machine_json(results):
    told = json.loads((results.folder / "machine.json").read_text())
    assert told.pop("sessions") == load(results.folder).sessions
    assert told["read_bandwidth_gb_s"] > 0.1
    assert {"numba", "numpy", "scikit-learn", "gdbench"} <= set(told["versions"])
    assert set(told) == set(results.machine)


def test_jobs_must_be_positive(tiny, tmp_path):
    with pytest.raises(GdbenchError, match="jobs must be at least 1, not 0"):
        run_suite(tiny, tmp_path, jobs=0)


def test_two_classes_through_a_softmax(tmp_path):
    path = tmp_path / "softmax.toml"
    path.write_text(
        """
        seeds = 1
        learning_rates = [0.1]
        baselines = ["sklearn", "estimators"]
        budget = { epochs = 30 }
        problems = [{ data = "breast_cancer", loss = "cross_entropy", penalty = "l2", alpha = 1e-3 }]
        solvers = [{ variant = "mini-batch" }]
        """
    )
    runs = run_suite(path, tmp_path / "out").runs
    assert set(runs["backend"]) == {"gdbench"}  # neither baseline has a softmax of two classes
    assert not (runs["status"] == "failed").any()
    np.testing.assert_allclose(runs["objective_start"], np.log(2))
    assert (runs["gap"] > 0).all()
    assert runs["test_metric"].min() > 0.9
    assert runs["train_metric"].min() > 0.9
    made = plan.make(spec.load(path))
    assert made.shapes["breast_cancer"][2] == 2
