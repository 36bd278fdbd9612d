import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import synthetic

from gdbench import report
from gdbench.errors import GdbenchError
from gdbench.report import across, beside, figures, page, plots, view, words


class Elements(HTMLParser):
    """The elements of a page, outside scripts, and its text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text, self.inside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.text.append(data)


@pytest.fixture(scope="module")
def html(written):
    return (written / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(html):
    plotly = html.index('<script type="text/plain">')
    return Elements(html[:plotly] + html[html.index("</script>", plotly) :])


@pytest.fixture(scope="module")
def payload(html):
    begin = html.index('id="data">') + len('id="data">')
    return json.loads(html[begin : html.index("</script>", begin)])


def test_the_page_is_one_file_of_modest_size(html, elements):
    assert len(html.encode()) < 8e6
    assert html.count("plotly.js v") == 1
    for tag, attrs in elements.found:
        assert tag not in ("iframe", "object", "embed")
        assert "src" not in attrs
        assert attrs.get("href", "#").startswith(("#", "data:"))


def test_names_stay_text(html, elements):
    assert ("b", {}) not in elements.found
    assert "<b>bold</b> & co" in "".join(elements.text)
    assert "<b>bold" not in html.split('id="data">')[1].split("</script>")[0]


def test_every_figure_has_an_alternative(elements):
    plots = [attrs for _, attrs in elements.found if "data-figure" in attrs]
    assert len(plots) >= 2 * len(synthetic.PROBLEMS)
    assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 40 for attrs in plots)


def test_links_lead_somewhere(elements):
    ids = [attrs["id"] for _, attrs in elements.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs in elements.found:
        if tag == "a":
            assert attrs["href"].removeprefix("#") in ids


def test_the_figures_show_the_curves(payload, tables):
    runs, curves = tables
    for problem in payload["problems"]:
        for solver in problem["solvers"]:
            if solver["baseline"] or not solver["curve"]["middle"]:
                continue
            mine = runs[(runs.problem == problem["name"]) & (runs.solver == solver["label"].lower())]
            mine = mine[(mine.stage == "timed") & (mine.repeat == 0)]
            points = curves.merge(mine[["run_id", "objective_start", "optimum"]], on="run_id")
            points = points[points.step > 0].assign(relative=points.gap / (points.objective_start - points.optimum))
            expected = points.groupby("step").agg({"epoch": "median", "seconds": "median", "relative": "median"})
            assert solver["curve"]["epochs"] == pytest.approx(expected.epoch.to_numpy(), rel=1e-5)
            assert solver["curve"]["seconds"] == pytest.approx(expected.seconds.to_numpy(), rel=1e-5)
            assert solver["curve"]["middle"] == pytest.approx(expected.relative.to_numpy(), rel=1e-5)


def test_the_figures_show_every_learning_rate(payload, tables):
    runs = tables[0][tables[0].stage == "tuning"]
    for problem in payload["problems"]:
        for solver in problem["solvers"]:
            found = solver["rates"]
            assert found["rate"] == pytest.approx(synthetic.RATES, rel=1e-5)
            if not solver["baseline"]:
                mine = runs[(runs.problem == problem["name"]) & (runs.solver == solver["label"].lower())]
                lost = (mine.status == "diverged").groupby(mine.learning_rate).sum()
                assert found["diverged"] == lost.to_list()


def test_the_table_holds_what_the_tables_hold(elements, tables):
    text = " ".join(" ".join(elements.text).split())
    runs = tables[0]
    mine = runs[(runs.problem == "flights") & (runs.solver == "mini-batch adam") & (runs.stage == "timed")]
    value = mine[mine.repeat == 0]["seconds_to_1e-2"].median()
    assert np.isfinite(value)
    assert words.figure("seconds", value) in text


def test_the_twin_says_the_same(written, elements):
    text = (written / "report.md").read_text(encoding="utf-8")
    page_text = " ".join("".join(elements.text).replace("\u2011", "-").split())
    for sentence in re.findall(r"^- (On flights.*)$", text, re.MULTILINE):
        assert sentence in page_text
    assert "<b>" not in text
    pictures = re.findall(r"\]\((figures/[^)]+)\)", text)
    assert len(pictures) == 7 + 4 * len(synthetic.PROBLEMS)
    assert all((written / picture).exists() for picture in pictures)


def test_figures_are_drawn_twice(written, shown, tmp_path):
    over = across.build(shown)
    near = beside.build(shown, over)
    made = figures.draw(shown, over, near, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{svg[:-4]}{ending}" for files in made.values() for svg, _ in files for ending in (".svg", ".png")}
    assert all(path.stat().st_size > 5000 for path in tmp_path.iterdir())
    for svg in (written / "figures").iterdir():  # the report's, drawn before
        assert svg.read_bytes() == (tmp_path / svg.name).read_bytes()


def test_ticks_are_plain_text():
    powers = {1e-3: "10⁻³", 1.0: "1", 10.0: "10", 100.0: "10²", 2e-4: "2·10⁻⁴", 0.0: "0"}
    assert {value: plots.power(value) for value in powers} == powers
    plain = {0.1: "0.1", 0.5: "0.5", 100.0: "100", 2e-4: "2·10⁻⁴", 5e3: "5·10³"}
    assert {value: plots.plain(value) for value in plain} == plain
    times = {1.0: "1 s", 0.2: "0.2 s", 1e-3: "1 ms", 0.05: "50 ms", 0.0999999: "0.1 s", 2e-4: "200 µs", 1e-8: "10 ns"}
    assert {value: plots.time(value) for value in times} == times


def whole_page(shown):
    over = across.build(shown)
    return page.report(shown, over, beside.build(shown, over))


def test_markdown_is_escaped():
    assert page.markdown("a|b *c* <d> [e](f)") == r"a\|b \*c\* &lt;d&gt; [e]\(f)"


def test_a_folder_without_results_is_told(tmp_path):
    with pytest.raises(GdbenchError, match="gdbench run"):
        report.write(tmp_path)


def changed(tmp_path, change):
    """A results folder of one problem with changed runs."""
    made = synthetic.write(tmp_path / "results", ("flights",))
    runs = change(pd.read_parquet(made / "runs.parquet"))
    runs.to_parquet(made / "runs.parquet")
    return view.read(made)


def test_an_untimed_suite_is_compared_by_epochs(tmp_path):
    shown = changed(tmp_path, lambda runs: runs[(runs.stage == "tuning") & (runs.backend == "gdbench")])
    assert shown.problems[0].by == "epochs"
    text = whole_page(shown)
    assert 'value="seconds"' not in text
    assert "epochs [" in text


def test_before_its_timing_a_suite_with_baselines_is_compared_by_epochs(tmp_path):
    # as an earlier version wrote it, whose baselines claimed to be timed within the grid
    claim = {"scikit-learn": "alone", "gdbench": "shared"}
    shown = changed(tmp_path, lambda runs: runs[runs.stage == "tuning"].assign(timing=runs.backend.map(claim)))
    problem = shown.problems[0]
    winner = problem.solvers[0]
    assert problem.by == across.build(shown).by == "epochs"
    assert not winner.baseline
    assert f"{winner.label} at {words.rate(winner.rate)} reached gap" in words.answer(problem)
    assert "not reached" not in words.answer(problem)
    assert "9 of 10 solvers were not timed, so all are compared by epochs." in words.doubt(problem)
    assert "no time on this page" in " ".join(words.method(shown))
    assert words.noise(shown).startswith("Nothing was timed alone")
    assert '<td class="miss ">not timed</td>' in whole_page(shown)


def test_why_runs_failed_stands_on_the_page(tmp_path):
    reason = "no certified optimum for hinge: its derivative jumps"
    shown = changed(tmp_path, lambda runs: runs.assign(status="failed", reason=reason, optimum=np.nan, relative_gap=np.nan))
    over = across.build(shown)
    near = beside.build(shown, over)
    for text in (page.report(shown, over, near), page.twin(shown, over, near, {})):
        assert f"{len(shown.runs)} runs failed: {reason}" in text
        assert "is certified" not in text.replace("No optimum is certified", "")


def test_one_solver_that_was_not_timed_keeps_its_costs(tmp_path):
    shown = changed(tmp_path, lambda runs: runs[(runs.stage == "tuning") | (runs.solver != "batch adam")])
    problem = shown.problems[0]
    assert problem.by == "epochs"
    assert "1 of 10 solvers was not timed" in words.doubt(problem)
    (late,) = [solver for solver in problem.solvers if not solver.timed]
    assert late.label == "batch Adam"
    assert problem.cost(late).reached


def test_a_solver_that_diverged_everywhere_takes_no_clock_from_the_others(tmp_path):
    def lost(runs):
        runs = runs[runs.variant == "batch"]
        gone = runs.solver == "batch gd"
        return runs.assign(status=runs.status.where(~gone, "diverged"))[~gone | (runs.stage == "tuning")]

    shown = changed(tmp_path, lost)
    assert shown.problems[0].by == "seconds"
    untimed = view.build(replace(shown.results, runs=shown.results.tuning))
    assert untimed.problems[0].by == "epochs"
    assert across.build(untimed).ranks is not None


def test_of_many_problems_a_part_is_drawn(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "MANY", 1)
    over = across.build(shown)
    near = beside.build(shown, over)
    made = figures.draw(shown, over, near, tmp_path, every=False)
    assert set(made) == {"", "flights"}
    text = page.twin(shown, over, near, made)
    assert "gdbench report DIR --figures" in text


def test_a_suite_that_reached_nothing_is_reported(tmp_path):
    def lost(runs):
        costs = [c for c in runs if "_to_" in c]
        status = runs.status.where(runs.learning_rate == runs.learning_rate.min(), "diverged")
        return runs[runs.stage == "tuning"].assign(status=status, **dict.fromkeys(costs, np.inf))

    shown = changed(tmp_path, lost)
    text = whole_page(shown)
    assert "no solver reached" in text
    assert figures.write(shown.results.folder)
