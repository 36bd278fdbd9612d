"""Results folders of older versions stay readable: each is as its version left it, and not made anew once released."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from gdbench.analysis import view
from gdbench.report import export, words
from gdbench.report.compare import compare
from gdbench.suite import load
from gdbench.suite.store.tables import FILES

FOLDERS = sorted((Path(__file__).parent / "folders").iterdir())

#: What a folder's version found, which no later one may read in another way: the answer on diabetes.
FOUND = {"0.1": ("diabetes", "mini-batch gd", 0.1, 39)}


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def folder(request, tmp_path):
    """A copy, as a reader may bring it up to its ledger."""
    return Path(shutil.copytree(request.param, tmp_path / request.param.name))


def test_it_is_read_and_says_the_same(folder):
    problem, solver, rate, runs = FOUND[folder.name]
    results = load(folder)
    assert (results.planned, results.finished) == (runs, runs)
    best = results.reported[(results.reported.problem == problem) & (results.reported.solver == solver)]
    assert len(best) and set(best.learning_rate) == {rate}
    assert np.isfinite(results.curves.objective).all() and (results.hits.reached.sum() > 10)
    shown = view.read(folder)
    assert {"diabetes", "booth"} == {one.name for one in shown.problems}
    assert all(words.answer(one) for one in shown.problems)


def test_it_is_compared_with_itself_and_exported(folder, tmp_path):
    found = compare(folder, folder)
    assert not found.regressed
    assert all(path.is_file() for path in export.write(folder, "csv", tmp_path / "csv"))


def test_its_tables_alone_suffice(folder):
    """A folder that was sent without its ledger, and one whose tables have to be written anew from it."""
    whole = load(folder).hits
    for path in folder.glob("*.parquet"):
        path.unlink()
    assert load(folder).hits.equals(whole)
    for path in folder.iterdir():
        if path.is_file() and path.name not in FILES:
            path.unlink()
    assert load(folder).hits.equals(whole)
