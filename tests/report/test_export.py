import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic

from gdbench.analysis import tables, view
from gdbench.errors import GdbenchError
from gdbench.report import export


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("export") / "results", ("<b>bold</b> & co",))


def test_csv_holds_every_run(small, tmp_path):
    files = export.write(small, "csv", tmp_path)
    assert [path.name for path in files] == [
        *("runs.csv", "curves.csv", "hits.csv"),
        *("summary.csv", "intervals.csv", "comparisons.csv"),
    ]
    runs = pd.read_parquet(small / "runs.parquet")
    read = pd.read_csv(tmp_path / "runs.csv")
    assert read.run_id.to_list() == runs.run_id.to_list()
    assert read.gap.to_numpy() == pytest.approx(runs.gap.to_numpy(dtype=float), nan_ok=True)


def test_parquet_joins_points_with_their_runs(small, tmp_path):
    export.write(small, "parquet", tmp_path)
    points = pd.read_parquet(tmp_path / "points.parquet")
    assert len(points) == len(pd.read_parquet(small / "curves.parquet"))
    assert points.solver.notna().all()


def test_intervals_hold_each_cost_and_its_median(small, tmp_path):
    export.write(small, "csv", tmp_path)
    found = pd.read_csv(tmp_path / "intervals.csv")
    assert set(found.cost) == {"epochs", "samples", "seconds", "call"}
    known = found[np.isfinite(found.value)]
    assert len(known) > 4
    assert (known.successes <= known.seeds).all()
    assert ((known.low <= known.value) & (known.value <= known.high)).all()


def test_solvers_are_compared_with_the_first_seed_by_seed(small, tmp_path):
    export.write(small, "csv", tmp_path)
    found = pd.read_csv(tmp_path / "comparisons.csv")
    (problem,) = view.read(small).problems
    own = [solver.solver for solver in problem.solvers if not solver.baseline]
    # the baseline has another objective
    assert set(found["first"]) == {own[0]}
    (rows,) = [found[(found.target == problem.headline) & (found.cost == "seconds")]]
    assert rows.solver.to_list() == own[1:]
    hits = pd.read_parquet(small / "hits.parquet")
    hits = hits[(hits.role == "report") & (hits.target == problem.headline)].set_index(["solver", "seed"])
    for row in rows.itertuples():
        ratio = hits.step_seconds[row.solver] / hits.step_seconds[own[0]]
        if np.isfinite(row.ratio):
            assert row.ratio == pytest.approx(ratio.median())
        assert row.verdict in ("slower", "equal", "undecided", "faster")
    assert tables.comparisons(replace(view.read(small), problems=[])).columns.to_list() == found.columns.to_list()


def test_latex_escapes_names(small):
    (path,) = export.write(small, "latex")
    text = path.read_text(encoding="utf-8")
    assert path.parent.parent.name == "export"
    assert r"\textless{}b\textgreater{}bold\textless{}/b\textgreater{} \& co" in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1
    for row in text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines():
        assert row.count(" & ") == 6


def test_each_mark_that_is_latex_s_own_is_escaped():
    assert export.escaped("a_b {c} 5%&$#") == r"a\_b \{c\} 5\%\&\$\#"
    assert export.escaped("~^\\<>") == r"\textasciitilde{}\textasciicircum{}\textbackslash{}\textless{}\textgreater{}"


def test_benchopt_gets_its_columns(small, tmp_path):
    export.write(small, "benchopt", tmp_path)
    found = pd.read_parquet(tmp_path / "outputs" / "gdbench.parquet")
    runs = pd.read_parquet(small / "runs.parquet")
    assert {"objective_name", "dataset_name", "solver_name", "stop_val", "idx_rep", "time"} <= set(found)
    assert found.idx_rep.nunique() == len(synthetic.SEEDS)
    assert np.isfinite(found.objective_value).all()
    assert found.solver_name.nunique() == runs.solver.nunique()


@pytest.mark.slow
def test_benchopt_plots_it(small, tmp_path):
    program = shutil.which("benchopt", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("benchopt is not installed")
    export.write(small, "benchopt", tmp_path)
    command = [program, "plot", str(tmp_path), "--no-display"]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=120)
    assert list((tmp_path / "outputs").rglob("*.html"))


def test_an_unknown_format_is_told(small):
    with pytest.raises(GdbenchError, match="did you mean 'latex'"):
        export.write(small, "latx")


@pytest.mark.parametrize("kind", export.FORMATS)
def test_a_full_disk_leaves_the_files_as_they_were(small, tmp_path, small_files, kind):
    before = {path: path.read_bytes() for path in export.write(small, kind, tmp_path)}
    with small_files(100), pytest.raises(GdbenchError, match=r"cannot write into .*: .*[Ff]ile too large"):
        export.write(small, kind, tmp_path)
    assert {path: path.read_bytes() for path in before} == before
    assert not list(tmp_path.rglob(".*"))
