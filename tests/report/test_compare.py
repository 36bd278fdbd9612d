import json

import numpy as np
import pandas as pd
import pytest
import synthetic

from gdbench.errors import GdbenchError
from gdbench.report.compare import BETTER, SAME, WORSE, compare, interval, judge, line


def other(tmp_path, change=lambda runs: runs, machine=None):
    """Another folder of the same suite with changed runs."""
    made = synthetic.write(tmp_path / "b", ("flights",))
    change(pd.read_parquet(made / "runs.parquet")).to_parquet(made / "runs.parquet")
    (made / "machine.json").write_text(json.dumps(synthetic.MACHINE | (machine or {})))
    return made


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("compare") / "a", ("flights",))


#: What is done to the clocks of three solvers, and the verdict.
CHANGED = {"mini-batch adam": (1.5, WORSE), "batch adam": (0.5, BETTER), "mini-batch gd": (1.02, SAME)}


def slower(runs):
    """Other clocks for some solvers."""
    for solver, (factor, _) in CHANGED.items():
        for column in [c for c in runs if c.startswith("seconds")]:
            runs.loc[runs.solver == solver, column] *= factor
    return runs


def test_a_folder_equals_itself(first):
    found = compare(first, first)
    assert (found.rows.verdict == SAME).all()
    assert set(found.rows.measure) == {"convergence", "speed", "time"}
    assert not found.regressed
    assert "Nothing got worse." in found.to_markdown()


def test_faster_and_slower_solvers_are_found(first, tmp_path):
    found = compare(first, other(tmp_path, slower))
    speed = found.rows[found.rows.measure == "speed"].set_index("solver")
    for solver, (factor, verdict) in CHANGED.items():
        assert speed.verdict[solver] == verdict
        assert speed.ratio[solver] == pytest.approx(factor)
    assert (found.rows[~found.rows.solver.isin(list(CHANGED))].verdict == SAME).all()
    page = found.write(tmp_path / "out")
    html, text = page.read_text(encoding="utf-8"), page.with_suffix(".md").read_text(encoding="utf-8")
    told = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["regressed"]
    verdicts = list(found.ordered.verdict)
    assert verdicts == sorted(verdicts, key=[WORSE, BETTER, SAME].index)
    assert len(told["rows"]) == len(found.rows)
    assert "1.50" in text
    assert 'class="text worst"' in html
    for sentence in found.said:
        assert sentence in text


def test_a_target_that_is_missed_now_is_worse(first, tmp_path):
    def lost(runs):
        mine = (runs.solver == "mini-batch adam") & (runs.seed == 1)
        runs.loc[mine, [c for c in runs if "_to_" in c]] = np.inf
        return runs

    found = compare(first, other(tmp_path, lost))
    assert set(found.regressions.solver) == {"mini-batch adam"}
    assert "convergence" in set(found.regressions.measure)


def test_a_solver_that_diverges_everywhere_now_is_worse(first, tmp_path):
    def lost(runs):
        mine = runs.solver == "mini-batch adam"
        runs = runs[~(mine & (runs.stage == "timed"))].copy()
        mine = runs.solver == "mini-batch adam"
        runs.loc[mine, "status"] = "diverged"
        runs.loc[mine, [c for c in runs if "_to_" in c]] = np.inf
        return runs

    second = other(tmp_path, lost)
    found = compare(first, second)
    (row,) = found.rows[found.rows.solver == "mini-batch adam"].itertuples()
    assert (row.verdict, row.measure, row.b) == (WORSE, "convergence", np.inf)
    assert found.regressed
    assert "not reached" in line(row)
    assert "not reached" in found.to_markdown()
    (back,) = (rows := compare(second, first).rows)[rows.solver == "mini-batch adam"].itertuples()
    assert (back.verdict, back.a, back.b) == (BETTER, np.inf, row.a)
    assert json.loads(found.to_json())["regressed"]


def test_clocks_of_other_machines_are_compared_only_when_asked(first, tmp_path):
    second = other(tmp_path, machine={"cpu": "Another CPU"})
    found = compare(first, second)
    assert set(found.rows.measure) == {"convergence"}
    assert "clocks are not compared" in found.notes[0]
    asked = compare(first, second, clocks=True)
    assert "speed" in set(asked.rows.measure)
    assert "The machines differ" in asked.notes[0]


def test_seeds_that_only_one_folder_has_are_left_out_and_counted(first, tmp_path):
    # stopped after the timing of one solver's second seed, which is quick where the others' are missing
    def stopped(runs):
        late = (runs.stage == "timed") & ((runs.seed == 2) | ((runs.seed == 1) & (runs.solver != "batch gd")))
        runs.loc[runs.seed == 1, [c for c in runs if c.startswith("seconds")]] *= 0.1
        return runs[~late]

    found = compare(first, other(tmp_path, stopped))
    assert set(zip(found.rows.seeds, found.rows.of, strict=True)) == {(1, 3)}
    assert (found.rows.verdict == SAME).all()
    assert found.rows.ratio.to_numpy() == pytest.approx(1.0)
    assert f"{len(found.rows)} comparisons went over 1 of 3 seeds: those that both folders have." in found.notes
    assert not any("went over" in note for note in compare(first, first).notes)


def test_a_folder_without_timing_is_compared_by_the_grid_of_both(tmp_path):
    # the timed runs record finer, and so reach each target a little sooner
    def finer(runs):
        runs.loc[runs.stage == "timed", [c for c in runs if c.startswith("samples_to")]] *= 0.8
        return runs

    a = other(tmp_path / "one", finer)
    b = other(tmp_path / "two", lambda runs: runs[runs.stage == "tuning"])
    for found in (compare(a, b), compare(b, a)):
        assert set(found.rows.measure) == {"convergence"}
        assert (found.rows.verdict == SAME).all()
        assert set(found.rows.seeds) == {3}


def test_another_problem_of_the_same_name_is_left_out(first, tmp_path):
    second = other(tmp_path, lambda runs: runs.assign(optimum=runs.optimum - 0.5))
    with pytest.raises(GdbenchError, match="share no problem"):
        compare(first, second)


@pytest.mark.parametrize(
    ("kept", "why"), [({"seed": 0}, "rest on one seed"), ({"repeat": 0}, "were not timed twice")], ids=["one seed", "no repeat"]
)
def test_clocks_whose_noise_is_not_known_get_no_verdict(tmp_path, kept, why):
    (name, value), *_ = kept.items()
    a = other(tmp_path / "one", lambda runs: runs[runs[name] == value])
    b = other(tmp_path / "two", lambda runs: slower(runs[runs[name] == value].copy()))
    found = compare(a, b)
    assert len(found.rows[found.rows.measure == "speed"])
    assert (found.rows.verdict == SAME).all()
    assert any(why in note for note in found.notes)


def test_intervals_and_verdicts():
    middle, low, high = interval(np.log([1.1, 1.2, 1.3]))
    assert 1.1 <= low < middle < high <= 1.3
    assert interval(np.log([2.0])) == pytest.approx((2.0, 2.0, 2.0))
    a = np.array([1.0, 1.0, 1.0])
    assert judge(a, 1.2 * a, 1.0, 1.05)["verdict"] == WORSE
    assert judge(a, 1.2 * a, 1.3, 1.05)["verdict"] == SAME
    assert judge(a, np.array([1.0, np.inf, 1.0]), 1.0, 1.05)["verdict"] == WORSE
    assert judge(a, 9.0 * a, np.nan, 1.05)["verdict"] == SAME
    never = np.full(3, np.inf)
    assert judge(never, never, 1.0, 1.05)["verdict"] == SAME
