"""On a landscape, which has no rows, a report counts steps: nowhere epochs, samples or passes over data."""

import re
import warnings
from dataclasses import replace

import pytest

from gdbench import report
from gdbench.analysis import across, beside, view
from gdbench.report import export, notebook, page, plots, words
from gdbench.report.compare import compare
from gdbench.suite import run_suite

OF_ROWS = re.compile(r"\bepochs?\b|\bsamples?\b|over the data", re.IGNORECASE)

MIXED = """
seeds = 1
repeats = 0
targets = [1e-1, 1e-2]
learning_rates = [1e-2, 1e-1]
problems = [{ landscape = "parabola" }, { data = "diabetes" }]
headline = 1e-1
solvers = [{ optimizer = ["gd", "adam"] }]
budget = { epochs = 9 }
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """The view of a suite over a landscape and data."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "mixed.toml").write_text(MIXED)
    return view.build(run_suite(folder / "mixed.toml", folder / "out"))


def prose(html):
    """What a page says, without its scripts and the keys of its switches."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", "", bare).replace("\xa0", " ").replace("\u2011", "-")


def test_the_page_and_its_twin_say_steps(walks):
    text = prose(report.write(walks).read_text(encoding="utf-8"))
    twin = (walks / "report.md").read_text(encoding="utf-8")
    for said in (text, twin):
        assert not OF_ROWS.search(said)
        assert re.search(r"On parabola, \S+ at learning rate 0.1.* reached gap 1e-2 .*in \S+ steps", said)
        assert "No solver was timed, so all are compared by steps." in said
        assert "Every step is looked at" in said
    assert "Steps to the target at each solver's chosen rate" in text
    assert "Ranks by the steps to" in text
    assert "reached within so many steps" in text
    assert re.search(r"\| \S+ steps[^|]*<br>aRT \S+ steps \(2/2\) \|", twin)


def test_the_figures_say_steps(walks):
    shown = view.read(walks)
    problem, over = shown.problems[0], across.build(shown)
    assert [ax.get_xlabel() for ax in plots.convergence(problem).axes] == ["steps"]
    assert plots.to_target(problem).axes[0].get_xlabel() == "steps to gap 1e-2"
    assert plots.distribution((over.distribution, over.unit)).axes[0].get_xlabel().startswith("steps, as a multiple")
    told = page.payload(shown, over, beside.build(shown, over))
    assert told["unit"] == "steps"
    assert [(one["unit"], one["axes"]) for one in told["problems"]] == [("steps", {"epochs": "steps"})] * 2
    assert notebook.card(shown.results).x == "steps on parabola"


def test_a_problem_without_curves_has_an_empty_figure(walks):
    problem = replace(view.read(walks).problems[0], solvers=[])  # as of a saddle, which has no gaps
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plots.convergence(problem).axes[0].lines[:] == []


def test_a_comparison_and_a_table_say_steps(walks, tmp_path):
    (said,) = compare(walks, walks).said
    assert said.startswith("Convergence (steps to the target): of 4 solvers")
    assert not OF_ROWS.search(compare(walks, walks).to_markdown())
    (table,) = export.write(walks, "latex", tmp_path)
    assert "parabola: steps to each relative gap" in table.read_text(encoding="utf-8")


def test_a_suite_with_data_has_the_words_of_both(mixed):
    over = across.build(mixed)
    assert [problem.unit for problem in mixed.problems] == ["steps", "epochs"]
    assert over.unit == "epochs or steps"
    assert words.amount(over.unit, 12.0) == "12.0 epochs or steps"
    assert words.figure(over.unit, 12.0) == "12.0"
    assert {"step", "epoch"} <= set(words.glossary(mixed))
    assert words.untimed(mixed.problems[1]).endswith("compared by epochs.")
    assert compare(mixed.results.folder, mixed.results.folder).said[0].startswith("Convergence (steps or samples to")
