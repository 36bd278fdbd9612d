import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import synthetic

from gdbench import report
from gdbench.analysis import across, beside, view
from gdbench.errors import GdbenchError
from gdbench.report import figures, page, plots, words


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
    runs, curves, _ = tables
    for problem in payload["problems"]:
        for solver in problem["solvers"]:
            if solver["baseline"] or not solver["curve"]["middle"]:
                continue
            mine = runs[(runs.problem == problem["name"]) & (runs.solver == solver["label"].lower())]
            mine = mine[mine.stage == "report"]
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
    hits = tables[2]
    mine = hits[(hits.problem == "flights") & (hits.solver == "mini-batch adam") & (hits.role == "report")]
    for column in ("step_seconds", "call_seconds"):
        value = mine[mine.target == 1e-2][column].median()
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


@pytest.mark.parametrize("name", ["</script><b>", "<!-- <script>", "a & b", "line\u2028end\u2029"])
def test_no_name_ends_the_script_that_holds_it(name):
    text = page.embedded({"name": name})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"name": name}


def test_a_folder_without_results_is_told(tmp_path):
    with pytest.raises(GdbenchError, match="gdbench run"):
        report.write(tmp_path)


def changed(tmp_path, change):
    """The view of one problem whose rows are changed, or left out."""
    return view.read(synthetic.write(tmp_path / "results", ("flights",), change))


def test_an_untimed_suite_is_compared_by_epochs(tmp_path):
    shown = changed(tmp_path, lambda row: row if row["stage"] != "timed" else None)
    problem = shown.problems[0]
    assert problem.by == across.build(shown).by == "epochs"
    text = whole_page(shown)
    assert 'value="seconds"' not in text
    assert " epochs" in words.answer(problem)
    assert "10 solvers" not in words.doubt(problem)
    assert "No solver was timed, so all are compared by epochs." in words.doubt(problem)
    assert "no time on this page" in " ".join(words.method(shown))
    assert words.noise(shown).startswith("Nothing was timed")


def test_why_runs_failed_stands_on_the_page(tmp_path):
    reason = "no certified optimum for hinge: its derivative jumps"
    lost = {"status": "failed", "reason": reason, "optimum": np.nan, "relative_gap": np.nan, "gap": np.nan}
    shown = changed(tmp_path, lambda row: row | lost if row["stage"] == "tuning" else None)
    over = across.build(shown)
    near = beside.build(shown, over)
    for text in (page.report(shown, over, near), page.twin(shown, over, near, {})):
        assert f"{len(shown.runs)} runs failed: {reason}" in text
        assert "is certified" not in text.replace("No optimum is certified", "")


def test_one_solver_that_was_not_timed_keeps_its_counts(tmp_path):
    shown = changed(tmp_path, lambda row: row if row["stage"] != "timed" or row["solver"] != "batch adam" else None)
    problem = shown.problems[0]
    assert problem.by == "epochs"
    assert "1 of 10 solvers was not timed" in words.doubt(problem)
    (late,) = [solver for solver in problem.solvers if not solver.timed]
    assert late.label == "batch Adam"
    assert problem.cost(late).reached


def test_a_solver_that_diverged_everywhere_takes_no_clock_from_the_others(tmp_path):
    def lost(row):
        if row["variant"] != "batch":
            return None
        if row["solver"] != "batch gd":
            return row
        return row | {"status": "diverged", "crossings": []} if row["stage"] == "tuning" else None

    assert changed(tmp_path, lost).problems[0].by == "seconds"


def test_the_four_kinds_of_misses_are_told_apart(tmp_path):
    def lost(row):
        if row["solver"] == "batch gd" and row["stage"] != "timed":
            return row | {"status": "failed", "gap": np.nan, "relative_gap": np.nan, "crossings": []}
        return None if row["solver"] == "batch gd" else row

    hits = pd.read_parquet(synthetic.write(tmp_path / "a", change=lost) / "hits.parquet")
    report = hits[hits.role == "report"]
    assert set(report.miss[report.reached]) == {""}
    assert set(report.miss[report.solver == "batch gd"]) == {"failed"}
    assert set(report.miss[report.solver == "SGDClassifier"]) == {"not comparable"}
    assert set(report.miss[(report.solver == "stochastic gd") & ~report.reached]) == {"missed"}
    left = pd.read_parquet(
        synthetic.write(tmp_path / "b", change=lambda row: row if row["backend"] == "gdbench" else None) / "hits.parquet"
    )
    assert set(left.miss[left.solver == "scikit-learn"]) == {"not offered"}
    text = whole_page(view.read(tmp_path / "a"))
    for word in ("missed", "not comparable", "failed"):
        assert f'">{word}</td>' in text


def test_rates_at_the_edge_are_marked_wherever_they_are_shown(tmp_path, written):
    from gdbench import report
    from gdbench.report import export

    lowest = synthetic.RATES[0]
    shown = changed(tmp_path, lambda row: row if row["learning_rate"] == lowest or row["stage"] == "tuning" else None)
    edged = [solver for solver in shown.problems[0].solvers if solver.at_edge]
    assert all(solver.rate in (lowest, synthetic.RATES[-1]) for solver in edged)
    hits = shown.results.hits
    chosen = hits[hits.role == "report"]
    assert (chosen.at_edge == chosen.learning_rate.isin([lowest, synthetic.RATES[-1]])).all()
    if edged:
        folder = shown.results.folder
        report.write(folder)
        assert "at the edge" in (folder / "report.html").read_text(encoding="utf-8")
        assert "at the edge" in (folder / "report.md").read_text(encoding="utf-8")
        assert r"$^*$" in export.write(folder, "latex")[0].read_text(encoding="utf-8")


def test_of_many_problems_a_part_is_drawn(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "MANY", 1)
    over = across.build(shown)
    near = beside.build(shown, over)
    made = figures.draw(shown, over, near, tmp_path, every=False)
    assert set(made) == {"", "flights"}
    text = page.twin(shown, over, near, made)
    assert "gdbench report DIR --figures" in text


def test_a_suite_that_reached_nothing_is_reported(tmp_path):
    def lost(row):
        if row["stage"] == "timed":
            return None
        low = row["learning_rate"] == synthetic.RATES[0]
        return row | {"status": row["status"] if low else "diverged", "crossings": []}

    shown = changed(tmp_path, lost)
    text = whole_page(shown)
    assert "no solver reached" in text
    assert figures.write(shown.results.folder)
