import numpy as np
import pytest

from gdbench.analysis import view
from gdbench.errors import GdbenchError
from gdbench.kernels.compile import storage
from gdbench.suite import plan, run_suite, spec, warm

SUITE = """
seeds = 3
targets = [1e-2, 1e-6]
learning_rates = [1e-3, 1e-1, 5.0]
problems = [{ landscape = "parabola" }, { landscape = "himmelblau" }, { landscape = "saddle" }]
solvers = [{ variant = ["batch", "stochastic"], optimizer = ["gd", "adam"] }]
budget = { epochs = 300 }
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landscapes")
    (folder / "a.toml").write_text(SUITE)
    return run_suite(folder / "a.toml", folder / "out")


def test_variants_are_one_and_nothing_is_timed_alone(found):
    assert len(found.tuning[found.tuning.learning_rate.isin([1e-3, 1e-1, 5.0])]) == 3 * 2 * 3 * 3
    assert set(found.reported["seed"]) == {0, 1, 2}
    assert set(found.runs["solver"]) == {"gd", "adam"}
    assert set(found.runs["stage"]) == {"tuning", "report"}
    assert set(found.runs["timing"]) == {"none"}
    assert {problem.by for problem in view.build(found).problems} == {"epochs"}
    assert set(found.runs["loss"]) == {"landscape"}


def test_the_parabola_converges_diverges_and_says_where_it_ended(found):
    runs = found.runs[(found.runs["problem"] == "parabola") & (found.runs["solver"] == "gd")]
    runs = runs[runs["stage"] == "tuning"]
    by_rate = runs.groupby("learning_rate")["status"].unique().map(list).to_dict()
    assert by_rate[1e-1] == ["converged"]
    assert by_rate[5.0] == ["diverged"]
    assert by_rate[1e-3] == ["budget"]
    # x shrinks by 0.8 a step, and 0.64ⁿ ≤ 1e-6 from the 31st on
    assert set(runs[runs["learning_rate"] == 1e-1]["n_updates"]) == {31}


def test_a_plan_tells_dimensions_and_times_nothing_alone(found):
    made = plan.make(spec.load(found.folder.parent / "a.toml"))
    rows = plan.overview(made)
    assert [(row["problem"], row["rows"], row["columns"]) for row in rows] == [
        ("parabola", None, 1),
        ("himmelblau", None, 2),
        ("saddle", None, 2),
    ]
    assert sum(row["seconds"] for row in rows) == pytest.approx(made.estimate)


def test_other_seeds_start_elsewhere(found):
    starts = found.reported[found.reported["problem"] == "himmelblau"].groupby("seed")["objective_start"].unique()
    assert all(len(values) == 1 for values in starts)
    assert len(np.unique(np.concatenate(list(starts)))) == 3


def test_a_saddle_has_no_gaps(found):
    assert found.runs[found.runs["problem"] == "saddle"]["gap"].isna().all()


def test_gaps_are_never_negative(found):
    assert found.runs["gap"].dropna().min() >= -1e-9


def test_an_unknown_landscape(tmp_path):
    with pytest.raises(GdbenchError, match=r"problems\[0\].landscape: unknown landscape 'rosenbrok'; did you mean"):
        spec.check({"problems": [{"landscape": "rosenbrok"}], "solvers": [{}]}, tmp_path / "a.toml")


def test_data_and_landscape_exclude_each_other(tmp_path):
    with pytest.raises(GdbenchError, match=r"problems\[0\]: give either data, a data set's name or a file, or landscape"):
        spec.check({"problems": [{"name": "x"}], "solvers": [{}]}, tmp_path / "a.toml")


@pytest.mark.parametrize(
    "key", [{"loss": "hinge"}, {"penalty": "l2"}, {"alpha": 0.1}, {"preprocessing": "none"}, {"options": {"dims": 3}}]
)
def test_a_landscape_takes_no_key_of_data(tmp_path, key):
    (name,) = key
    with pytest.raises(GdbenchError, match=rf"problems\[0\]: a landscape has no {name}; choose from: landscape, name, budget"):
        spec.check({"problems": [{"landscape": "parabola"} | key], "solvers": [{}]}, tmp_path / "a.toml")
    spec.check(
        {"problems": [{"landscape": "parabola", "name": "x", "budget": {"epochs": 3}}], "solvers": [{}]}, tmp_path / "a.toml"
    )


def test_its_loops_are_compiled_before_the_suite_begins(found, tmp_path, monkeypatch):
    made = plan.make(spec.load(found.folder.parent / "a.toml"))
    monkeypatch.setattr(storage, "cache_folder", lambda: tmp_path)  # where the markers lie
    names = {(loop[0], loop[1]) for loop in warm.missing(made)}
    assert names == {(place, rule) for place in ("Parabola", "Himmelblau", "Saddle") for rule in ("gd", "adam")}
    for loop, use in made.loops.items():
        warm._compile(loop, *use)
    assert not warm.missing(made)
    monkeypatch.setattr(warm, "installed", lambda: 1)  # the files of the kernels have been written anew
    assert len(warm.missing(made)) == 6
