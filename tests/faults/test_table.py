"""The table of planted faults fits the code; that the tests notice them is seen by planting them: make faults."""

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def load():
    """plant.py, which is a script."""
    spec = importlib.util.spec_from_file_location("plant", FOLDER / "plant.py")
    module = sys.modules["plant"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plant = load()
FAULTS = plant.faults()

#: Parts of the house, each of which has faults of its own.
PARTS = (
    *(
        f"kernels/{part}"
        for part in ("optimizers", "losses", "penalties", "schedules", "order", "landscapes", "models", "compile")
    ),
    *("tasks", "solve", "problems", "estimators", "baselines", "suite", "analysis", "report", "parity", "demo", "cli"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.words)
def test_a_fault_has_its_place_and_its_tests(fault):
    assert fault.anchored(plant.ROOT) == ""
    assert fault.new != fault.old and fault.why
    files = [word for word in shlex.split(fault.tests) if word.endswith(".py")]
    assert files and all((plant.ROOT / name).is_file() for name in files)


def test_faults_are_many_differ_and_lie_in_every_part():
    assert len(FAULTS) >= 60
    assert len({(fault.file, fault.old, fault.new) for fault in FAULTS}) == len(FAULTS)
    assert [part for part in PARTS if not any(fault.file.startswith(f"gdbench/{part}") for fault in FAULTS)] == []


def test_what_nothing_can_notice_is_rare():
    assert sum(bool(fault.survives) for fault in FAULTS) <= 0.05 * len(FAULTS)


def test_shards_hold_each_fault_once():
    whole = [fault for number in range(1, 5) for fault in plant.part(FAULTS, f"{number}/4")]
    assert sorted(map(repr, whole)) == sorted(map(repr, FAULTS))


def test_an_anchor_that_no_longer_fits_is_told(tmp_path):
    fault = plant.Fault("a.py", "x = 1", "x = 2", "tests", "a number")
    assert "is gone" in fault.anchored(tmp_path)
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    assert "occurs 2 times" in fault.anchored(tmp_path)


def test_what_no_test_notices_survives(tmp_path, capsys):
    """On a checkout of one function, of which the test sees the value 1 alone."""
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--thorough', action='store_true')\n"
    )
    (tmp_path / "a.py").write_text("def f(x):\n    return x if x == 1 else 0\n")
    (tmp_path / "test_a.py").write_text("from a import f\n\ndef test_f():\n    assert f(1) == 1\n")
    seen, unseen = (
        plant.Fault("a.py", "return x if x == 1 else 0", f"return {new}", "test_a.py", new) for new in ("0", "x if x == 1 else 5")
    )
    assert plant.report([seen, unseen], tmp_path, tmp_path / "cache") == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.endswith(": caught") and second.endswith(": SURVIVES (unexplained)")
    assert last == "1 of 2 faults caught (50.0%); 1 survive unexplained"
    assert "x == 1 else 0" in (tmp_path / "a.py").read_text()
