"""validate: what it prints, writes and exits with; the comparing itself is tested with gdbench.parity."""

import json

import numpy as np
import pytest

from gdbench import cli, parity
from gdbench.parity.case import Case


def case(difference):
    weights = np.ones((3, 2))
    return Case("numpy", "1.0", "a rule", "weights", lambda: weights, lambda: weights + difference, 1e-12, "rounding")


@pytest.fixture(autouse=True)
def one_processor(monkeypatch):
    """Other processes would not know of the cases that stand in for the references'."""
    monkeypatch.setattr(cli.os, "cpu_count", lambda: 1)


@pytest.fixture
def cases(monkeypatch):
    """Put cases that differ by these amounts in the place of the references'."""

    def put(*differences):
        monkeypatch.setattr(parity, "gathered", lambda name, quick: [case(d) for d in differences])

    return put


def test_agreement_is_exit_code_0(cases, capsys, tmp_path):
    cases(0.0, 1e-15)
    assert cli.main(["validate", "--against", "numpy", "--out", str(tmp_path / "new" / "parity.json")]) == 0
    rows = json.loads((tmp_path / "new" / "parity.json").read_text())
    assert [row["passed"] for row in rows] == [True, True]
    heads, line = capsys.readouterr().out.splitlines()[::2]
    assert heads.split() == ["against", "version", "cases", "failed", "largest", "difference", "relative", "tolerance", "seconds"]
    assert line.startswith("numpy")


def test_the_cases_as_json(cases, capsys):
    cases(0.0, 1e-15)
    assert cli.main(["validate", "--against", "numpy", "--json"]) == 0
    assert [row["passed"] for row in json.loads(capsys.readouterr().out)] == [True, True]


def test_disagreement_is_exit_code_1_and_named(cases, capsys):
    cases(0.0, 1e-3)
    assert cli.main(["validate", "--against", "numpy"]) == 1
    captured = capsys.readouterr()
    assert "a rule" in captured.out
    assert "1 of 2 cases disagree" in captured.err


def test_every_case_on_request(cases, capsys):
    cases(0.0)
    assert cli.main(["validate", "--against", "numpy", "--every"]) == 0
    assert "a rule" in capsys.readouterr().out


def test_a_missing_library_is_told_and_no_disagreement(monkeypatch, capsys):
    monkeypatch.setattr(parity, "gathered", lambda name, quick: [parity.skipped(name, "pip install it")])
    assert cli.main(["validate"]) == 0
    assert "torch is not installed" in capsys.readouterr().err


def test_a_missing_library_that_was_asked_for_is_a_wrong_request(monkeypatch, capsys):
    monkeypatch.setattr(parity, "gathered", lambda name, quick: [parity.skipped(name, "pip install it")])
    assert cli.main(["validate", "--against", "torch"]) == 2
    assert "torch is not installed" in capsys.readouterr().err


def test_a_wrong_request_is_one_line(cases, capsys):
    assert cli.main(["validate", "--against", "nope"]) == 2
    assert "sklearn" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["file/x.json", "folder"])
def test_a_file_that_cannot_be_written_is_told_before_the_cases_run(monkeypatch, capsys, tmp_path, file):
    monkeypatch.setattr(parity, "validate", lambda *words, **more: pytest.fail("the cases ran"))
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    assert cli.main(["validate", "--out", str(tmp_path / file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot write" in line
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file", tmp_path / "folder"]
    assert not list((tmp_path / "folder").iterdir())
