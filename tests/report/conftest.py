import sys
from pathlib import Path

import pytest

# importlib mode gives test files no folder to import helpers from
sys.path.insert(0, str(Path(__file__).parent))

import synthetic

from gdbench import report
from gdbench.analysis import view
from gdbench.suite import run_suite

WALKS = """
seeds = 2
targets = [1e-2, 1e-6]
learning_rates = [1e-3, 1e-1]
problems = [{ landscape = "parabola" }, { landscape = "booth" }]
solvers = [{ optimizer = ["gd", "adam"] }]
budget = { epochs = 200 }
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A results folder, without a report."""
    return synthetic.write(tmp_path_factory.mktemp("report") / "results")


@pytest.fixture(scope="session")
def written(folder) -> Path:
    """The same folder with its report."""
    report.write(folder)
    return folder


@pytest.fixture(scope="session")
def shown(folder):
    """The view of the folder."""
    return view.read(folder)


@pytest.fixture(scope="session")
def tables():
    """Runs, curves and hits, as in the folder."""
    return synthetic.tables()


@pytest.fixture(scope="session")
def walks(tmp_path_factory) -> Path:
    """The folder of a suite over landscapes alone."""
    folder = tmp_path_factory.mktemp("walks")
    (folder / "walks.toml").write_text(WALKS)
    return run_suite(folder / "walks.toml", folder / "out").folder
