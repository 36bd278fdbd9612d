"""The pages in a headless Chromium, opened from disk with the network cut off."""

import numpy as np
import pandas as pd
import pytest
import synthetic
from cdp import Browser

from gdbench.analysis import across, beside, view
from gdbench.report import landscapes, page
from gdbench.report.compare import compare

pytestmark = pytest.mark.browser

SHOWN = "document.querySelectorAll('.plot .main-svg').length"


@pytest.fixture(scope="module")
def tab(browser):
    with Browser(browser) as opened:
        yield opened


@pytest.fixture
def report(tab, written):
    tab.look()
    tab.open(written / "report.html")
    return tab


def reach(tab, figure, problem=None):
    """Scroll to a figure, and wait until it is drawn; a selector of it."""
    selector = f'[data-figure="{figure}"]' + ("" if problem is None else f'[data-problem="{problem}"]')
    tab.run(f"document.querySelector('{selector}').scrollIntoView({{behavior: 'instant'}})")
    tab.wait(f"!!document.querySelector('{selector}').data")
    return f"document.querySelector('{selector}')"


def click(tab, name, value):
    tab.run(f"""document.querySelector('input[name="{name}"][value="{value}"]').click()""")


def quiet(tab):
    assert tab.complaints() == []
    assert tab.requests() == []


def test_the_report_opens_at_once_and_draws_what_is_seen(report):
    assert report.run("document.querySelector('h1').offsetTop") < 400
    report.wait("!!window.Plotly && !!window.gdbench")
    assert report.run(SHOWN) < report.run("document.querySelectorAll('.plot').length")
    quiet(report)


def open_report(tab, results):
    """Write the report of a folder of results into it, and open it."""
    shown = view.read(results)
    over = across.build(shown)
    file = results / "figures.html"
    file.write_text(page.report(shown, over, beside.build(shown, over)), encoding="utf-8")
    tab.look()
    tab.open(file)


def test_the_figures_of_landscapes_count_steps(tab, walks):
    open_report(tab, walks)
    for figure, problem in (("convergence", 0), ("targets", 0), ("profile", None), ("distribution", None)):
        element = reach(tab, figure, problem)
        title = tab.run(f"{element}.layout.xaxis.title.text")
        assert "steps" in title, figure
        assert "epochs" not in tab.run(f"JSON.stringify({element}.data)")
    quiet(tab)


def test_every_figure_is_drawn(report):
    figures = report.run("[...document.querySelectorAll('.plot')].map((e) => [e.dataset.figure, e.dataset.problem ?? null])")
    for figure, problem in figures:
        element = reach(report, figure, problem)
        assert report.run(f"{element}.querySelectorAll('.main-svg').length") > 0
    quiet(report)


@pytest.mark.parametrize("axis", ["epochs", "samples", "seconds"])
def test_the_switch_shows_the_numbers_of_the_tables(report, tables, axis):
    element = reach(report, "convergence", 0)
    click(report, "axis-0", axis)
    click(report, "show-0", "all")
    traces = report.run(f"{element}.data.filter((t) => t.name).map((t) => ({{name: t.name, x: t.x, y: t.y}}))")
    runs, curves, _ = tables
    column = {"epochs": "epoch"}.get(axis, axis)
    shown = {trace["name"]: trace for trace in traces}
    assert len(shown) == runs[runs.problem == "flights"].solver.nunique()
    for solver in ("mini-batch adam", "batch gd"):
        mine = runs[(runs.problem == "flights") & (runs.solver == solver) & (runs.stage == "report")]
        points = curves[curves.run_id.isin(mine.run_id) & (curves.step > 0)]
        x = points.groupby("step")[column].median()
        y = (points.gap / 2.0).groupby(points.step).median()
        (name,) = [name for name in shown if name.lower() == solver]
        np.testing.assert_allclose(shown[name]["x"], x, rtol=1e-5)
        np.testing.assert_allclose(shown[name]["y"], y, rtol=1e-5)
    quiet(report)


def test_the_target_switch_moves_the_marks(report, tables):
    element = reach(report, "targets", 0)
    click(report, "target-0", 1)
    found = report.run(f"{element}.data[0].customdata.map((name, i) => [name, {element}.data[0].x[i]])")
    hits = tables[2]
    assert found
    for name, seconds in found:
        mine = hits[(hits.problem == "flights") & (hits.solver.str.lower() == name.lower())]
        mine = mine[(mine.role == "report") & (mine.target == 1e-2)]
        assert seconds == pytest.approx(mine.step_seconds.fillna(np.inf).median(), rel=1e-5)


def test_the_rates_are_those_of_the_tables(report, tables):
    element = reach(report, "rates", 0)
    click(report, "show-0", "mini-batch")
    traces = report.run(f"{element}.data.filter((t) => t.name).map((t) => ({{name: t.name, x: t.x, y: t.y}}))")
    lost = report.run(f"{element}.data.filter((t) => t.yaxis === 'y2').map((t) => [t.meta, t.x])")
    grid = tables[0][(tables[0].problem == "flights") & (tables[0].stage == "tuning")]
    own = [trace for trace in traces if trace["name"] != "SGDRegressor"]
    assert len(own) == len(synthetic.OPTIMIZERS)
    for trace in own:
        mine = grid[grid.solver == trace["name"].lower()]
        ends = mine.relative_gap.where(mine.status != "diverged").groupby(mine.learning_rate).median()
        np.testing.assert_allclose(trace["x"], ends.index, rtol=1e-5)
        np.testing.assert_allclose([np.nan if y is None else y for y in trace["y"]], ends, rtol=1e-5)
        rates = mine[mine.status == "diverged"].learning_rate.unique()
        np.testing.assert_allclose(dict(lost).get(trace["name"], []), np.sort(rates), rtol=1e-5)
    quiet(report)


def test_names_with_markup_stay_text(report):
    assert report.run("document.querySelectorAll('main b, header b').length") == 0
    assert report.run("document.querySelectorAll('h2')[4].textContent") == "<b>bold</b> & co"
    reach(report, "ranks")
    ticks = report.run("[...document.querySelectorAll('[data-figure=ranks] .xtick text')].map((e) => e.textContent)")
    assert "<b>bold</b> & co" in ticks


def test_a_switch_moved_before_the_figures_are_drawn_counts(report):
    report.wait("!!window.gdbench")
    report.run("""document.querySelector('input[name="axis-1"][value="samples"]').checked = true""")
    held = "[...document.querySelectorAll('script:not([type])')].find((e) => e.text.startsWith('// Draws the figures'))"
    report.run(f"(0, eval)({held}.text)")
    assert report.run("window.gdbench.stateOf('1').axis") == "samples"
    assert report.run("window.gdbench.stateOf('0').axis") == "epochs"


def test_switches_answer_to_the_keyboard(report):
    reach(report, "convergence", 0)
    report.run("""document.querySelector('input[name="axis-0"]:checked').focus()""")
    report.press("ArrowRight", 39)
    assert report.run("""document.querySelector('input[name="axis-0"]:checked').value""") == "samples"


def test_the_first_tab_skips_to_the_content(report):
    report.press("Tab", 9)
    assert report.run("document.activeElement.getAttribute('href')") == "#main"


@pytest.mark.parametrize("dark", [False, True])
def test_figures_follow_the_theme(report, dark):
    report.look(dark=dark)
    element = reach(report, "convergence", 0)
    report.wait(f"{element}.layout.font.color === '{'#e6e9ed' if dark else '#1b1f24'}'")
    report.look()


def test_a_phone_needs_no_sideways_scrolling(tab, written):
    tab.look(390, 844)
    tab.open(written / "report.html")
    reach(tab, "steps", 0)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    tab.look()
    quiet(tab)


def test_printing_draws_every_figure(report):
    report.run("dispatchEvent(new Event('beforeprint'))")
    assert report.run("!!window.gdbench")  # at once: a page may be printed as soon as it is open
    report.wait("[...document.querySelectorAll('.plot')].every((e) => e.data)")
    quiet(report)


def test_landscapes_walk_step_by_step(tab, tmp_path):
    names = ["double-well", "himmelblau"]
    scenes = [landscapes.scene(name, ("gd", "adam"), learning_rates=(0.01, 0.1), steps=12) for name in names]
    path = tmp_path / "page.html"
    path.write_text(landscapes.html(scenes), encoding="utf-8")
    tab.look()
    tab.open(path)
    element = reach(tab, "map", 0)
    paths = f"{element}.data.filter((t) => t.mode === 'lines+markers')"
    assert tab.run(f"{paths}.length") == 2
    slide = "const s = document.querySelector('[data-step=\"0\"]'); s.value = 7;"
    tab.run(slide + " s.dispatchEvent(new Event('input', {bubbles: true}))")
    tab.wait(f"{paths}[0].x.length === 8")
    click(tab, "rate-0", "0.01")
    made = landscapes.scene("double-well", ("gd",), learning_rates=(0.01,), steps=12).walks[0].path.x
    tab.wait(f"Math.abs({paths}[0].x[7] - {made[7, 0]}) < 1e-3")
    np.testing.assert_allclose(tab.run(f"{paths}[0].x"), made[:8, 0], rtol=1e-4)
    tab.run("document.querySelector('[data-play=\"0\"]').click()")
    tab.wait("document.querySelector('[data-shown=\"0\"]').textContent === '12'", 60)
    reach(tab, "surface", 1)
    quiet(tab)


def test_a_comparison_opens(tab, folder, tmp_path):
    found = compare(folder, folder)
    tab.look()
    tab.open(found.write(tmp_path))
    element = reach(tab, "forest")
    assert tab.run(f"{element}.data[0].x.length") == min(20, found.rows.ratio.notna().sum())
    click(tab, "rows-0", "all")
    shown = tab.run(f"{element}.data[0].x")
    np.testing.assert_allclose(shown[::-1], found.rows.ratio[found.rows.ratio.notna()], rtol=1e-6)
    assert len(synthetic.PROBLEMS) == found.rows.problem.nunique()
    quiet(tab)


def test_a_suite_in_which_nothing_diverged_has_no_strip(tab, tmp_path):
    made = synthetic.write(tmp_path / "results", ("flights",))
    runs = pd.read_parquet(made / "runs.parquet")
    runs[runs.status != "diverged"].to_parquet(made / "runs.parquet")
    open_report(tab, made)
    element = reach(tab, "rates", 0)
    assert tab.run(f"{element}.data.filter((t) => t.yaxis === 'y2').length") == 0
    quiet(tab)
