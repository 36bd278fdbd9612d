import json

import numpy as np
import pytest
import synthetic

from gdbench.analysis import again
from gdbench.analysis.compare import BETTER, SAME, UNDECIDED, WORSE
from gdbench.errors import GdbenchError
from gdbench.report.compare import compare, line


def other(tmp_path, change=None, machine=None):
    """Another folder of the same suite with changed rows."""
    made = synthetic.write(tmp_path / "b", ("flights",), change)
    (made / "machine.json").write_text(json.dumps(synthetic.MACHINE | (machine or {})))
    return made


def respelt(folder, **values):
    """The folder with other values in its spec."""
    (folder / "spec.json").write_text(json.dumps(synthetic.SPEC | values))
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("compare") / "a", ("flights",))


#: What is done to the clocks of three solvers, and the verdict.
CHANGED = {"mini-batch adam": (1.5, WORSE), "batch adam": (0.5, BETTER), "mini-batch momentum": (1.02, SAME)}


def slower(row):
    """Other clocks for some solvers."""
    if row["stage"] != "timed" or row["solver"] not in CHANGED:
        return row
    factor = CHANGED[row["solver"]][0]
    calls = {target: factor * seconds for target, seconds in row["calls"].items()}
    return row | {"calls": calls, "step_seconds": factor * row["step_seconds"], "seconds": factor * row["seconds"]}


class Formula:
    """A process that times again what the rows say."""

    ended = False

    def __init__(self, results):
        self.paces = results.timed.groupby(["problem", "solver"]).step_seconds.median()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def seconds(self, question):
        return question.step * self.paces[question.problem, question.solver]


def test_a_folder_equals_itself(first):
    found = compare(first, first)
    assert set(found.rows.verdict) == {SAME, UNDECIDED}  # what neither reaches decides nothing
    reached = np.isfinite(found.rows.a)
    assert (found.rows.verdict[reached & (found.rows.measure != "call")] == SAME).all()
    assert set(found.rows.measure) == {"convergence", "steps", "call"}
    assert not found.regressed
    assert "Nothing got worse." in found.to_markdown()


def test_faster_and_slower_solvers_are_found(first, tmp_path, monkeypatch):
    monkeypatch.setattr(again, "Side", Formula)
    found = compare(first, other(tmp_path, slower))
    speed = found.rows[found.rows.measure == "steps"].set_index("solver")
    for solver, (factor, verdict) in CHANGED.items():
        assert speed.verdict[solver] == verdict
        assert speed.ratio[solver] == pytest.approx(factor)
        assert (speed.pairs[solver] > 0) == (verdict != SAME)  # timed again before it counts as changed
    assert set(found.rows[~found.rows.solver.isin(list(CHANGED))].verdict) <= {SAME, UNDECIDED}
    page = found.write(tmp_path / "out")
    html, text = page.read_text(encoding="utf-8"), page.with_suffix(".md").read_text(encoding="utf-8")
    told = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["regressed"]
    verdicts = list(found.ordered.verdict)
    assert verdicts == sorted(verdicts, key=[WORSE, BETTER, UNDECIDED, SAME].index)
    assert len(told["rows"]) == len(found.rows)
    assert "1.50" in text
    assert 'class="text worst"' in html
    for sentence in found.said:
        assert sentence in text


def test_a_target_that_is_missed_now_is_worse(first, tmp_path):
    def lost(row):
        return row | {"crossings": []} if row["solver"] == "mini-batch adam" and row["stage"] != "tuning" else row

    found = compare(first, other(tmp_path, lost))
    assert set(found.regressions.solver) == {"mini-batch adam"}
    (row,) = found.rows[(found.rows.solver == "mini-batch adam") & (found.rows.measure == "convergence")].itertuples()
    assert (row.verdict, row.b) == (WORSE, np.inf)
    assert "not reached" in line(row)
    assert "not reached" in found.to_markdown()
    (back,) = (rows := compare(other(tmp_path / "again", lost), first).rows)[
        (rows.solver == "mini-batch adam") & (rows.measure == "convergence")
    ].itertuples()
    assert (back.verdict, back.a, back.b) == (BETTER, np.inf, row.a)


def test_clocks_of_other_machines_are_compared_only_when_asked(first, tmp_path):
    second = other(tmp_path, machine={"cpu": "Another CPU"})
    found = compare(first, second)
    assert set(found.rows.measure) == {"convergence"}
    assert "clocks are not compared" in found.notes[0]
    asked = compare(first, second, clocks=True)
    assert "steps" in set(asked.rows.measure)
    assert "The machines differ" in asked.notes[0]


def test_seeds_that_only_one_folder_has_are_left_out_and_counted(first, tmp_path):
    found = compare(first, other(tmp_path, lambda row: row if row["stage"] == "tuning" or row["seed"] < 4 else None))
    assert set(found.rows.of) == {13}
    assert set(found.rows.seeds[np.isfinite(found.rows.a)]) == {4}
    assert set(found.rows.verdict) == {UNDECIDED}
    assert any("went over 4 of 13 seeds: those that both folders have." in note for note in found.notes)
    assert not any("went over" in note for note in compare(first, first).notes)


def test_another_problem_of_the_same_name_is_left_out(first, tmp_path):
    second = other(tmp_path, lambda row: row | {"optimum": row["optimum"] - 0.5})
    with pytest.raises(GdbenchError, match="flights, for the problem itself is another"):
        compare(first, second)


def test_another_budget_is_no_regression(first, tmp_path):
    second = other(tmp_path, lambda row: row | {"epochs_budget": 3})
    with pytest.raises(GdbenchError, match="the budget is 16 epochs in A and 3 in B"):
        compare(first, second)


def test_what_of_the_suites_does_not_agree_is_said(first, tmp_path):
    found = compare(first, respelt(other(tmp_path), tuning_seeds=[7], headline=1e-1))
    assert "The suites differ in headline: 0.01 in A, 0.1 in B." in found.notes
    assert "The suites differ in tuning seeds: 10000, 10001 in A, 7 in B." in found.notes
    assert set(found.rows.target) == {1e-4}  # the tightest that both name


def test_a_noise_that_could_hide_a_change_makes_nothing_equal(tmp_path):
    """Repeats of one timing that differ by half say that the machine was noisy, and not that a quarter more is none."""

    def noisy(factor):
        def change(row):
            if row["stage"] != "timed":
                return row
            by = factor * (1.5 if row["repeat"] else 1.0)
            calls = {target: by * seconds for target, seconds in row["calls"].items()}
            return row | {"calls": calls, "step_seconds": by * row["step_seconds"], "seconds": by * row["seconds"]}

        return change

    found = compare(other(tmp_path / "one", noisy(1.0)), other(tmp_path / "two", noisy(1.25)), again=False)
    clocks = found.rows[found.rows.measure != "convergence"]
    assert len(clocks)
    assert set(clocks.verdict) == {UNDECIDED}


def test_clocks_that_differ_are_undecided_where_nothing_can_time_them_again(first, tmp_path):
    found = compare(first, other(tmp_path, slower))
    clocks = found.rows[found.rows.measure != "convergence"]
    assert not {WORSE, BETTER} & set(clocks.verdict)
    assert any("cannot be timed again, for" in note and "does not say which gdbench made it" in note for note in found.notes)


def test_versions_that_differ_are_said(first, tmp_path):
    versions = synthetic.MACHINE["versions"] | {"numba": "0.62.0"}
    found = compare(first, other(tmp_path, machine={"versions": versions}))
    assert "The versions of numba differ: 0.61.0 in A, 0.62.0 in B." in found.notes
