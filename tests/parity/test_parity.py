"""The parity table: its arithmetic, the references that need nothing but gdbench, and those that need a library."""

import json
import math

import numpy as np
import pytest

from gdbench import parity
from gdbench.errors import GdbenchError
from gdbench.kernels import losses, optimizers, order, penalties
from gdbench.kernels.registry import name_of
from gdbench.parity import against_numpy, draws, oracle
from gdbench.parity.case import Case, Row, run
from gdbench.parity.table import HEADS, cells


def case(ours, theirs, tolerance=1e-12):
    return Case("numpy", "1", "a case", "numbers", lambda: ours, lambda: theirs, tolerance, "a reason")


def failures(rows):
    return [f"{row.against}: {row.case}: {row.relative} {row.note}" for row in rows if row.status == "failed"]


def test_the_relative_difference_is_taken_of_the_largest_value_so_far():
    theirs = np.array([[0.0, 0.0], [1.0, 2.0], [1e-9, 4.0]])
    ours = theirs + np.array([[0.0, 0.0], [0.0, 1e-6], [1e-6, 0.0]])
    absolute, relative = parity.differences(ours, theirs)
    assert absolute == pytest.approx(1e-6)
    assert relative == pytest.approx(0.5e-6)  # of 2 at step 1; at step 2 it would be a quarter


def test_an_early_difference_is_not_hidden_by_later_growth():
    theirs = np.array([[1.0], [1e9]])
    assert parity.differences(theirs + np.array([[1e-3], [0.0]]), theirs)[1] == pytest.approx(1e-3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_never_agrees(bad):
    assert run(case(np.array([1.0, bad]), np.array([1.0, bad]))).status == "failed"


def test_a_difference_where_the_reference_is_zero_fails():
    assert run(case(np.array([1e-300]), np.array([0.0]))).status == "failed"


def test_shapes_that_differ_and_errors_are_failed_rows():
    assert "shapes differ" in run(case(np.zeros(3), np.zeros(4))).note
    broken = Case("numpy", "1", "a case", "numbers", lambda: 1 / 0, lambda: np.zeros(1), 1e-12, "a reason")
    assert run(broken).status == "failed"
    assert "ZeroDivisionError" in run(broken).note


def test_a_reference_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(parity.REFERENCES, "torch", ("no_such_library", "pip install it"))
    monkeypatch.setattr(parity, "REFERENCES", {"torch": parity.REFERENCES["torch"]})
    (row,) = parity.validate("all")
    assert (row.against, row.status, row.passed, row.reason) == ("torch", "skipped", None, "pip install it")
    assert parity.disagreements([row]) == []


@pytest.mark.parametrize("against", ["torch", ("statistics", "torch")])
def test_a_reference_that_was_asked_for_by_name_must_be_installed(monkeypatch, against):
    monkeypatch.setitem(parity.REFERENCES, "torch", ("no_such_library", "pip install it"))
    with pytest.raises(GdbenchError, match="torch is not installed, so nothing was compared: pip install it"):
        parity.validate(against)


def test_a_broken_module_of_our_own_is_not_taken_for_a_missing_library(monkeypatch):
    monkeypatch.setitem(parity.REFERENCES, "torch", ("gdbench.parity.no_such_module", "pip install it"))
    with pytest.raises(ImportError):
        parity.validate("torch")


def test_an_unknown_reference_is_one_line():
    with pytest.raises(GdbenchError, match=r"unknown reference 'tensorflow'.*sklearn"):
        parity.validate("tensorflow")


def test_the_table_is_json_markdown_and_cells():
    rows = [run(case(np.ones(2), np.ones(2))), run(case(np.array([math.nan]), np.ones(1)))]
    records = json.loads(parity.to_json(rows))
    assert [record["passed"] for record in records] == [True, False]
    assert records[1]["absolute"] is None
    assert len(cells(rows[0])) == len(HEADS)
    assert parity.to_markdown(rows).count("\n") == 4
    (total,) = parity.summary(rows)
    assert (total["cases"], total["passed"], total["failed"]) == (2, 1, 1)


def test_progress_is_told_before_each_case(monkeypatch):
    told = []
    monkeypatch.setattr(parity, "gathered", lambda name, quick: [case(np.ones(1), np.ones(1))] * 3)
    parity.validate("numpy", lambda *words: told.append(words))
    assert told == [(0, 3, "a case"), (1, 3, "a case"), (2, 3, "a case")]


@pytest.mark.thorough
def test_processes_give_the_same_rows():
    alone, shared = (parity.validate("statistics", jobs=jobs) for jobs in (1, 2))
    assert [(r.case, r.relative) for r in shared] == [(r.case, r.relative) for r in alone]


def test_a_member_without_an_oracle_is_a_failing_case(monkeypatch):
    monkeypatch.delitem(oracle.RULES, "adam")
    row = run(against_numpy.replayed(optimizers.registry.make("adam"), against_numpy.schedules_at(0.01)[0]))
    assert row.status == "failed" and row.note.startswith("no oracle: adam: ") and "parity/oracle.py" in row.note


def test_every_registered_member_has_an_oracle():
    missing = [name_of(cls) for cls in against_numpy.own(optimizers.registry) if name_of(cls) not in oracle.RULES]
    missing += [name_of(cls) for cls in against_numpy.own(losses.registry) if name_of(cls) not in oracle.LOSSES]
    missing += [name_of(cls) for cls in against_numpy.own(penalties.registry) if name_of(cls) not in oracle.PENALTIES]
    missing += [name for name in order.registry.names() if name not in oracle.ORDERS]
    assert missing == []


def test_the_covering_design_holds_every_pair():
    factors = {"a": list("xyz"), "b": [1, 2, 3, 4], "c": [True, False], "d": list("pq")}
    rows = draws.covering(factors)
    for one in factors:
        for two in factors:
            if one < two:
                pairs = {(row[one], row[two]) for row in rows}
                assert len(pairs) == len(factors[one]) * len(factors[two])
    assert len(rows) < 20  # of 48


def test_the_complete_table_has_at_least_300_cases():
    assert len(against_numpy.cases()) >= 300


@pytest.mark.parametrize(
    "name", [*(pytest.param(name, marks=pytest.mark.thorough) for name in ("python", "sklearn")), "statistics"]
)
def test_the_references_that_everyone_has_agree(name):
    rows = parity.validate(name, quick=True)
    assert rows
    assert all(isinstance(row, Row) for row in rows)
    assert failures(rows) == []


#: The quick table; two thirds of it are slow tests, since it compiles loops for minutes.
QUICK = against_numpy.cases(quick=True)
SHORT = QUICK[::3]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.what, marks=() if case in SHORT else pytest.mark.slow) for case in QUICK]
)
def test_the_oracle_agrees(case):
    assert failures([run(case)]) == []


def test_the_third_that_is_run_holds_each_rule():
    replayed = {case.what.split(",")[0].split("(")[0] for case in SHORT}
    assert replayed >= {f"replay {name}" for name in oracle.RULES.keys() - {"sag", "saga", "svrg"}}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["numpy", "sklearn"])
def test_the_complete_table_agrees(name):
    assert failures(parity.validate(name)) == []
