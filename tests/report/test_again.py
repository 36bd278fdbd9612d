"""Clocks that differ are timed again, both sides in turn, before they count as changed."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import gdbench
from gdbench.analysis.compare import CLOCKS, UNDECIDED, WORSE
from gdbench.report.compare import compare
from gdbench.suite import run_suite

PACKAGE = Path(gdbench.__file__).parent

SUITE = """
seeds = 9
targets = [1e-1]
headline = 1e-1
tuning = "none"
learning_rates = 0.01
[budget]
epochs = 20
[[problems]]
data = "diabetes"
[[solvers]]
variant = "stochastic"
optimizer = ["gd", "adam"]
"""

#: Where a step of a rule on a row begins, and the same with the margins of the row taken several times more.
STEP = "            now = w.dtype.type(t + s)\n"
SLOWER = """            for again in range(8):
                c[0] += margins_and_prefetch(model, task, visited, r, w, z)
            if c[0] == 1e300:
                break
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    path = tmp_path_factory.mktemp("again") / "suite.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture(scope="module")
def first(suite):
    return run_suite(suite, suite.parent / "a").folder


def copied(folder, to, factor=1.0, **installation):
    """A copy of the folder's files whose clocks are other, as on a machine that was busy then."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("ledger*", "*.lock"))
    hits = pd.read_parquet(to / "hits.parquet")
    for column in ("call_seconds", "step_seconds", "call_seconds_again", "step_seconds_again"):
        hits[column] *= factor
    hits.to_parquet(to / "hits.parquet")
    machine = json.loads((to / "machine.json").read_text())
    machine["sessions"][-1]["installation"] |= installation
    (to / "machine.json").write_text(json.dumps(machine))
    return to


def installed(folder, change=lambda text: text):
    """A copy of the package whose loop over rows is changed."""
    shutil.copytree(PACKAGE, folder / "gdbench", ignore=shutil.ignore_patterns("__pycache__"))
    if not (PACKAGE / "datasets").exists():  # they lie beside the package in a checkout
        shutil.copytree(PACKAGE.parent / "datasets", folder / "datasets")
    path = folder / "gdbench" / "kernels" / "loops" / "rowwise.py"
    changed = change(path.read_text(encoding="utf-8"))
    path.write_text(changed, encoding="utf-8")
    return folder


def clocks(found):
    return found.rows[found.rows.measure.isin(CLOCKS)]


@pytest.mark.thorough
def test_a_clock_that_was_slow_at_another_time_is_timed_again_and_not_worse(first, tmp_path):
    found = compare(first, copied(first, tmp_path / "b", 3.0))
    assert len(clocks(found)) == 4
    assert (clocks(found).pairs >= 9).all()
    assert not found.regressed
    assert (clocks(found).ratio < 2).all()
    told = json.loads(found.to_json())["rows"]
    assert {row["measure"]: row["pairs"] > 0 for row in told} == {"convergence": False, "steps": True, "call": True}
    assert any("timed again, A and B in turn" in note for note in found.notes)


def undecided(found, why):
    """Whether no clock has a verdict, and the reason is told once."""
    assert set(clocks(found).verdict) == {UNDECIDED}
    assert (clocks(found).pairs == 0).all()
    return sum(why in note for note in found.notes) == 1


def test_without_timing_again_there_is_no_verdict_on_a_clock_that_differs(first, tmp_path):
    found = compare(first, copied(first, tmp_path / "b", 3.0), again=False)
    assert undecided(found, "were not timed again, so that there is no verdict on them: 4.")


def test_an_installation_that_is_gone_is_told(first, tmp_path):
    found = compare(first, copied(first, tmp_path / "b", 3.0, package=str(tmp_path / "gone")))
    assert undecided(found, f"{tmp_path / 'gone' / 'gdbench'}, which made {tmp_path / 'b'}, is not there any more")


def test_a_folder_that_does_not_name_its_installation_is_told(first, tmp_path):
    second = copied(first, tmp_path / "b", 3.0)
    machine = json.loads((second / "machine.json").read_text())
    del machine["sessions"]
    (second / "machine.json").write_text(json.dumps(machine))
    assert undecided(compare(first, second), f"{second} does not say which gdbench made it")


def test_a_gdbench_that_cannot_time_again_is_told(first, tmp_path):
    (tmp_path / "old" / "gdbench").mkdir(parents=True)
    (tmp_path / "old" / "gdbench" / "__init__.py").touch()
    found = compare(first, copied(first, tmp_path / "b", 3.0, package=str(tmp_path / "old")))
    assert undecided(found, "No module named 'gdbench.suite'")


def test_code_that_has_changed_since_is_told(first, tmp_path):
    second = copied(first, tmp_path / "b", 3.0)
    runs = pd.read_parquet(second / "runs.parquet")
    runs.assign(run_id="other " + runs.run_id).to_parquet(second / "runs.parquet")
    assert undecided(compare(first, second), "holds other code, data or libraries by now")


def test_a_process_that_dies_is_told(first, tmp_path):
    package = installed(tmp_path / "dying")
    path = package / "gdbench" / "suite" / "again.py"
    path.write_text(path.read_text().replace("        if question.clock == CALL:\n", "        os._exit(3)\n        if True:\n"))
    found = compare(first, copied(first, tmp_path / "b", 3.0, package=str(package)))
    assert undecided(found, "its process ended with code 3")


# ---- two installations, beside a busy processor


@contextlib.contextmanager
def busy():
    """A process that keeps one processor busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def run_with(package, suite, out):
    """The results of a suite by the gdbench in a folder."""
    words = [sys.executable, "-m", "gdbench", "run", str(suite), "--out", str(out), "--fresh", "--no-report"]
    environment = os.environ | {"PYTHONPATH": str(package), "PYTHONSAFEPATH": "1"}
    subprocess.run(words, env=environment, check=True, capture_output=True)
    return out


def slower(text):
    assert text.count(STEP) == 1
    return text.replace(STEP, SLOWER + STEP)


def compared(times, a, there, suite, out):
    """Comparisons with so many new runs by the gdbench in a folder, each told as it is done."""
    for _ in range(times):
        found = compare(a, run_with(there, suite, out))
        columns = found.rows[["solver", "measure", "ratio", "pairs", "verdict"]]
        print(list(columns.itertuples(index=False, name=None)), flush=True)
        yield found


@pytest.mark.slow
def test_identical_code_raises_no_alarm_in_twenty_comparisons(suite, tmp_path):
    here, there = (installed(tmp_path / name) for name in ("here", "there"))
    with busy():
        found = list(compared(20, run_with(here, suite, tmp_path / "a"), there, suite, tmp_path / "b"))
    assert sum(one.regressed for one in found) == 0
    assert sum((one.rows.pairs > 0).any() for one in found) > 0  # or nothing was put to the test


@pytest.mark.slow
def test_a_kernel_made_slower_is_found_each_time(suite, tmp_path):
    here, there = installed(tmp_path / "here"), installed(tmp_path / "there", slower)
    with busy():
        for one in compared(8, run_with(here, suite, tmp_path / "a"), there, suite, tmp_path / "b"):
            worse = one.rows[one.rows.verdict == WORSE]
            assert ("stochastic adam", "steps") in set(zip(worse.solver, worse.measure, strict=True))
            assert "stochastic gd" not in set(worse.solver)
