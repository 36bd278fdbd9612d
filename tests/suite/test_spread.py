"""Runs spread over processes, and what becomes of them when a process dies."""

import json
import math
import os
import re
import signal
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gdbench import cli
from gdbench.errors import GdbenchError
from gdbench.kernels.compile import jit
from gdbench.suite import identity, load, plan, run_suite, spec, spread
from gdbench.suite.execute import execute
from gdbench.suite.progress import Reporter


def without_clocks(runs):
    return runs[[c for c in runs.columns if not c.startswith(("seconds", "compile_seconds", "timing", "session"))]]


def assert_same_grid(found, expected):
    pd.testing.assert_frame_equal(without_clocks(found.tuning), without_clocks(expected.tuning))
    ours, theirs = (r.curves[r.curves["run_id"].isin(r.tuning["run_id"])].drop(columns="seconds") for r in (found, expected))
    np.testing.assert_array_equal(ours["run_id"].astype(str), theirs["run_id"].astype(str))
    pd.testing.assert_frame_equal(ours.drop(columns="run_id"), theirs.drop(columns="run_id"))


def after(passes, what):
    """A listener that does something once, after so many passes."""
    seen = []

    def advance(estimate, name):
        seen.append(name)
        if len(seen) == passes:
            what()

    listener = Reporter()
    listener.advance = advance
    return listener


# Processes of this machine ------------------------------------------------------------------------------------------


@pytest.fixture
def passes(tiny):
    return [p for p in plan.make(spec.quick(spec.load(tiny))).passes if p.case.name == "diabetes"][:5]


def test_a_dead_process_costs_a_retry_and_what_kills_each_of_them_fails_alone(passes):
    with spread.Processes(1) as crew:

        class Deadly:
            """A crew whose first pass kills its process, the first time; and the third one always."""

            slots, check, timed_out, first = crew.slots, crew.check, crew.timed_out, True

            def submit(self, work):
                if work is passes[2] or (work is passes[0] and self.first):
                    self.first = False
                    return crew.call(os._exit, 1)
                return crew.submit(work)

        found = {work.runs[0].run_id: records for work, records in spread.executed(passes, Deadly())}
    assert sorted(found) == sorted(work.runs[0].run_id for work in passes)
    for work in passes:
        for ours, theirs in zip(found[work.runs[0].run_id], execute(work), strict=True):
            if work is passes[2]:
                assert ours.row["status"] == "failed"
                assert "its process died 3 times" in ours.row["reason"]
                assert "is there enough memory?" in ours.row["reason"]
            else:
                assert ours.row["objective"] == theirs.row["objective"]
                np.testing.assert_array_equal(ours.curve[:, 4:], theirs.curve[:, 4:])


# A process can't import this file; what is defined within a test travels to it whole.


def test_what_is_raised_in_a_process_keeps_its_words(passes):
    def complain():
        raise ArithmeticError("in the worker's own words")

    with spread.Processes(1) as crew:

        class Complaining:
            slots, check, timed_out = crew.slots, crew.check, crew.timed_out

            def submit(self, work):
                return crew.call(complain) if work is passes[0] else crew.submit(work)

        found = dict((work.runs[0].run_id, records) for work, records in spread.executed(passes[:2], Complaining()))
    for record in found[passes[0].runs[0].run_id]:
        assert (record.row["status"], record.row["reason"]) == ("failed", "ArithmeticError: in the worker's own words")
    assert found[passes[1].runs[0].run_id][0].row["status"] != "failed"


def test_a_pass_that_does_not_end_is_ended_with_its_process_once_and_the_others_go_on(passes, monkeypatch):
    def never_ends(limit, mark):
        with mark.with_suffix(".begun").open("a") as file:
            file.write("once ")
        with spread.ended_after(limit, mark.touch):
            while True:
                pass

    limit_of = spread.limit_of
    monkeypatch.setattr(spread, "limit_of", lambda work: 1.0 if work is passes[1] else limit_of(work))
    with spread.Processes(1) as crew:
        mark = crew._mark(passes[1])

        class Endless:
            slots, check, timed_out = crew.slots, crew.check, crew.timed_out

            def submit(self, work):
                return crew.call(never_ends, 1.0, mark) if work is passes[1] else crew.submit(work)

        found = dict((work.runs[0].run_id, records) for work, records in spread.executed(passes[:3], Endless()))
        assert mark.with_suffix(".begun").read_text() == "once "
    for work in passes[:3]:
        for record in found[work.runs[0].run_id]:
            if work is passes[1]:
                assert record.row["status"] == "timeout"
                assert record.row["reason"].startswith("ended with its process after 1 s")
            else:
                assert record.row["status"] not in ("timeout", "failed")


def test_no_pass_is_ended_because_its_kernels_compile():
    def compiles_for_long(limit, seconds):
        with spread.ended_after(limit), jit._rarely_collected:
            time.sleep(seconds)
        return "healthy"

    with spread.Processes(1) as crew:
        assert crew.call(compiles_for_long, 0.5, 2.0).result(60) == "healthy"


def test_the_limit_of_a_pass_is_its_budget_s(passes):
    budget = passes[0].case.budget
    limited = replace(passes[0], case=replace(passes[0].case, budget=budget.model_copy(update={"seconds": 2.0})))
    assert spread.limit_of(limited) == 2.0 * len(limited.runs) + spread.GRACE
    assert spread.limit_of(passes[0]) == math.inf
    foreign = replace(passes[0], case=replace(passes[0].case, plugins=("mine.py",)))
    assert spread.limit_of(replace(foreign, estimate=0.1)) == spread.LONGEST
    assert spread.limit_of(replace(foreign, estimate=1e4)) == 1e4 * spread.TIMES_ESTIMATE


ENDLESS = """
from typing import NamedTuple
from gdbench import optimizers

print("hello from the plugin")

@optimizers.register
class Endless(NamedTuple):
    slots = ()

    def step(self, w, g, state, rate, t):
        while t > 2:
            w = w - rate
        return w, ()
"""


@pytest.fixture
def endless(tmp_path, monkeypatch):
    """A suite of a solver that never ends and a healthy one, whose kernels are still to be compiled in each process."""
    monkeypatch.setattr(spread, "GRACE", 1.0)
    (tmp_path / "mine.py").write_text(ENDLESS)
    (tmp_path / "a.toml").write_text(
        "seeds = 1\ntuning_seeds = 1\nlearning_rates = [0.01]\nrepeats = 1\nplugins = ['mine.py']\n"
        "budget = { epochs = 3, seconds = 0.5 }\nproblems = [{ data = 'diabetes' }]\n"
        "solvers = [{ optimizer = 'endless' }, { optimizer = 'gd' }]\n"
    )
    return tmp_path / "a.toml"


def assert_one_timed_out(found):
    runs = found.runs.groupby("optimizer")
    assert runs["status"].agg(set)["endless"] == {"timeout"}
    assert runs["status"].agg(set)["gd"] <= {"budget", "converged"}
    assert runs["stage"].agg(set)["endless"] == {"tuning"}  # it is not run once more for its time


@pytest.mark.slow
def test_a_plugin_that_prints_and_never_ends_leaves_json_and_a_timeout(endless, tmp_path, capfd):
    cli.main(["run", str(endless), "--out", str(tmp_path / "out"), "--no-report", "--json"])
    captured = capfd.readouterr()
    assert json.loads(captured.out)["status"]["timeout"] >= 1
    assert "hello from the plugin" in captured.err
    assert_one_timed_out(load(tmp_path / "out"))


# A Dask cluster -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workers():
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:
        yield cluster


def test_a_cluster_gives_the_same_results_though_a_worker_is_killed(results, tiny, tmp_path, workers):
    victim = next(iter(workers.workers.values())).pid
    listener = after(4, lambda: os.kill(victim, signal.SIGKILL))
    found = run_suite(tiny, tmp_path, dask=workers.scheduler_address, reporter=listener)
    assert found.finished == found.planned == results.planned
    assert_same_grid(found, results)
    assert found.facts["dask"] == workers.scheduler_address
    assert set(found.timed["timing"]) == {"alone"}
    with pytest.raises(ProcessLookupError):
        os.kill(victim, 0)


@pytest.mark.slow
def test_workers_import_plugins_that_they_cannot_read(tmp_path, workers):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mine.py").write_text(PLUGIN)
    (tmp_path / "a.toml").write_text(
        "seeds = 1\ntuning_seeds = 1\nlearning_rates = [0.001, 0.01]\nrepeats = 0\nplugins = ['here/mine.py']\n"
        "budget = { epochs = 3 }\nproblems = [{ data = 'diabetes' }, { landscape = 'parabola' }]\n"
        "solvers = [{ optimizer = 'halving' }, {}]\n"
    )
    made = plan.make(spec.load(tmp_path / "a.toml"))
    with cluster_module().Cluster(workers.scheduler_address, plugins=made.spec.plugins) as crew:
        (tmp_path / "here" / "mine.py").unlink()
        found = [record for _, records in spread.executed(made.passes, crew) for record in records]
    assert len(found) == 8
    assert {record.row["status"] for record in found} <= {"budget", "converged"}
    objectives = {record.run_id: record.row["objective"] for record in found}
    (tmp_path / "here" / "mine.py").write_text(PLUGIN)
    on_landscape = [work for work in made.passes if work.case.landscape]
    with spread.Processes(1) as crew:  # processes of this machine read them
        near = [record for _, records in spread.executed(on_landscape, crew) for record in records]
    assert {record.run_id: record.row["objective"] for record in near}.items() <= objectives.items()


@pytest.mark.slow
def test_a_worker_whose_pass_does_not_end_is_ended_once_and_the_others_go_on(endless, tmp_path, workers):
    before = {worker.pid for worker in workers.workers.values()}
    assert_one_timed_out(run_suite(endless, tmp_path / "out", dask=workers.scheduler_address))
    assert len(before & {worker.pid for worker in workers.workers.values()}) == len(before) - 1


def test_data_travels_once_to_the_cluster(passes, workers):
    with cluster_module().Cluster(workers.scheduler_address) as crew:
        sent = {id(crew._data(work)) for work in passes}
        assert len(sent) == len(crew.sent) == 1
        (data,) = crew.sent.values()
        (holders,) = crew.client.who_has([data]).values()
        assert set(holders) <= set(crew.client.scheduler_info(n_workers=-1)["workers"])


def test_data_whose_worker_dies_on_the_way_is_sent_again(passes, workers, monkeypatch):
    with cluster_module().Cluster(workers.scheduler_address) as crew:
        real, tried = crew.client.scatter, []

        def scatter(*arguments, **words):
            tried.append(arguments)
            if len(tried) < 3:
                raise OSError("Stream is closed")
            return real(*arguments, **words)

        monkeypatch.setattr(crew.client, "scatter", scatter)
        found = dict((work.runs[0].run_id, records) for work, records in spread.executed(passes[:2], crew))
        assert len(tried) == 3
        assert all(record.row["status"] != "failed" for records in found.values() for record in records)


PLUGIN = """
from typing import NamedTuple
from gdbench import optimizers

@optimizers.register
class Halving(NamedTuple):
    slots = ()

    def step(self, w, g, state, rate, t):
        return w - 0.5 * rate * g, ()
"""


def cluster_module():
    from gdbench.suite import cluster

    return cluster


@pytest.mark.parametrize("what", ["code", "python", "numpy", "scipy", "scikit-learn", "numba", "llvmlite", "cpu"])
def test_a_worker_with_other_code_or_versions_is_rejected(workers, monkeypatch, what):
    cluster, here = cluster_module(), identity.fingerprint()
    monkeypatch.setattr(identity, "fingerprint", lambda: here | {what: "another"})
    told = rf"the worker tcp://\S+ has {what} {re.escape(here[what])}, but this process has another: their results would differ"
    with pytest.raises(GdbenchError, match=told):
        cluster.Cluster(workers.scheduler_address).__enter__()


def test_a_cluster_whose_workers_are_all_gone_is_waited_for_and_then_given_up(workers, monkeypatch):
    cluster = cluster_module()
    with cluster.Cluster(workers.scheduler_address) as crew:
        crew.check()
        monkeypatch.setattr(cluster, "GRACE", -1.0)
        monkeypatch.setattr(crew.client, "scheduler_info", lambda **words: {"workers": {}})
        with pytest.raises(GdbenchError, match=r"the Dask cluster at tcp://\S+ is gone .*; finished runs are kept: run again"):
            crew.check()


def test_no_scheduler_is_one_line(tiny, tmp_path, monkeypatch, capsys):
    cluster = pytest.importorskip("distributed", reason="the extra dask is not installed") and cluster_module()
    monkeypatch.setattr(cluster, "REACH", 1.0)
    assert cli.main(["run", str(tiny), "--out", str(tmp_path), "--dask", "tcp://127.0.0.1:9", "--quick"]) == 2
    told = capsys.readouterr().err
    assert "no Dask scheduler answers at 'tcp://127.0.0.1:9'" in told
    assert "--dask local" in told
    assert len(told.splitlines()) == 1


def test_without_the_extra_the_way_to_it_is_told(tiny, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "gdbench.suite.cluster", raising=False)
    monkeypatch.delattr("gdbench.suite.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GdbenchError, match=r"--dask needs the extra dask: pip install 'gdbench\[dask\]'"):
        run_suite(tiny, tmp_path, dask="local", quick=True)


@pytest.mark.slow
def test_a_cluster_of_this_machine_is_started_and_ended(tiny, tmp_path, capsys):
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    words = ["run", str(tiny), "--dask", "local", "--quick", "--no-report", "--out"]
    assert cli.main([*words, str(tmp_path / "dask")]) == 0
    assert_same_grid(load(tmp_path / "dask"), run_suite(tiny, tmp_path / "here", quick=True))
