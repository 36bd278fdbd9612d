"""The demos: their numbers against the course's definitions, and each way of showing them."""

import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from gdbench import demo
from gdbench.demo import costs, figure, page, terminal
from gdbench.demo.plot import plot
from gdbench.demo.show import Picture, Series, Show, Table, plain
from gdbench.errors import GdbenchError


@pytest.fixture(scope="module")
def shown():
    """Each demo, computed on first use."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = demo.run(name)
        return made[name]

    return get


def printed(show: Show) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    terminal.show_on(console, show)
    return console.export_text()


def test_parabola(shown):
    numbers = shown("parabola").numbers
    expected = [10, 8, 6.4, 5.12, 4.096, 3.2768, 2.62144, 2.097152, 1.6777216, 1.34217728, 1.073741824]
    np.testing.assert_allclose(numbers.x, expected, rtol=1e-14)
    np.testing.assert_allclose(numbers.value, np.square(expected), rtol=1e-14)
    np.testing.assert_allclose(numbers.gradient, np.multiply(expected, 2), rtol=1e-14)
    text = printed(shown("parabola"))
    for x in expected:
        assert f" {x:g} " in text or f" {x} " in text


def test_line(shown):
    numbers = shown("line").numbers
    table = {
        0: (17.2000, 0.2640, 0.0800),
        100: (0.8099, 0.9716, 0.8583),
        500: (0.5020, 0.6959, 1.8538),
        900: (0.4815, 0.6247, 2.1107),
    }
    for moment in numbers.moments:
        assert (round(moment.loss, 4), round(moment.m, 4), round(moment.b, 4)) == table[moment.epoch]
    assert numbers.m == pytest.approx(0.6176946148762643, rel=1e-13)
    assert numbers.b == pytest.approx(2.136116825825789, rel=1e-13)
    assert numbers.at_six == pytest.approx(5.842284515083374, rel=1e-13)
    assert (numbers.best_m, numbers.best_b, numbers.best_loss) == pytest.approx((0.6, 2.2, 0.48), rel=1e-13)
    assert numbers.best_at_six == pytest.approx(5.8)
    assert numbers.epochs_to_claim > 1000
    assert numbers.fit_difference < 1e-12


def test_line_prints_the_truth_beside_the_claim(shown):
    text = printed(shown("line"))
    rows = [line.split() for line in text.splitlines()]
    assert ["0", "17.2000", "0.2640", "0.0800", "10.0000", "0.40", "0.28"] in rows
    for number in ("0.8099", "0.6863", "0.5020", "0.4815", "0.4714", "0.6247", "2.1107", "5.80", "0.60x+2.20"):
        assert number in text
    for number in (shown("line").numbers.m, shown("line").numbers.b, shown("line").numbers.at_six):
        assert repr(float(number)) in text


def test_variants(shown):
    numbers = shown("variants").numbers
    assert round(numbers.batch, 8) == 1.19998957
    assert round(numbers.stochastic, 8) == 1.14552953
    assert numbers.optimum == pytest.approx(1.2)
    distance = np.abs(numbers.mini_batch - numbers.optimum)
    assert len(set(numbers.mini_batch)) == len(numbers.mini_batch), "depends on the seed"
    assert (abs(numbers.batch - 1.2) < distance).all()
    nearer = distance < abs(numbers.stochastic - 1.2)
    assert np.median(distance) < abs(numbers.stochastic - 1.2) and nearer.sum() >= 8  # "mostly"
    assert list(numbers.updates.values()) == [100, 500, 300]
    text = printed(shown("variants"))
    assert "1.19998957" in text
    assert "1.14552953" in text
    assert f"{nearer.sum()} of these 10 end nearer" in " ".join(text.split())


def test_learning_rate(shown):
    numbers = shown("learning-rate").numbers
    assert numbers.rates == (1.0, 0.01, 0.0001)
    assert numbers.status[0] == "diverged"
    assert numbers.loss[0] > numbers.start
    assert numbers.loss[1] - numbers.best < 0.02
    assert numbers.loss[2] - numbers.best > 1.0
    assert numbers.bounce.tolist() == [10, -10, 10, -10, 10]
    diverged = np.isnan(numbers.grid_loss)
    np.testing.assert_array_equal(diverged, numbers.grid > numbers.limit)


def test_convergence_stops_later_and_nearer_for_a_smaller_tolerance(shown):
    stops = shown("convergence").numbers.stops
    assert {s.status for s in stops} == {"converged"}
    assert [s.epochs for s in stops] == sorted(s.epochs for s in stops)
    assert [s.gap for s in stops] == sorted((s.gap for s in stops), reverse=True)
    assert shown("convergence").numbers.updates_per_epoch == {"batch": 1, "mini-batch": 3, "stochastic": 5}


def test_optimizers_follow_their_definitions(shown):
    rules = {r.name: r for r in shown("optimizers").numbers.rules}
    np.testing.assert_allclose(rules["gd"].updates, [0.1, 0.1, 0.1])
    np.testing.assert_allclose(rules["momentum"].updates, [0.1, 0.19, 0.271])
    np.testing.assert_allclose(rules["adagrad"].updates, 0.1 / np.sqrt([1, 2, 3]), rtol=1e-6)
    np.testing.assert_allclose(rules["rmsprop"].updates, 0.1 / np.sqrt([0.1, 0.19, 0.271]), rtol=1e-6)
    np.testing.assert_allclose(rules["adam"].updates, [0.1, 0.1, 0.1], rtol=1e-6)
    assert rules["momentum"].steps < rules["gd"].steps / 10


def test_losses_start_at_the_logarithm_of_the_classes(shown):
    regression, two, three = shown("losses").numbers.cases
    assert two.start == pytest.approx(math.log(2))
    assert three.start == pytest.approx(math.log(3))
    for case in (regression, two, three):
        assert case.best <= case.end < case.start
        assert case.test > 0.4


def test_the_start_and_the_optimizer_decide_where_descent_ends(shown):
    numbers = shown("landscapes").numbers
    ends = {(e.optimizer, e.start): e.end for e in numbers.landings}
    assert ends["gd", 2.0] == pytest.approx(numbers.right, abs=1e-3)
    assert ends["gd", -2.0] == pytest.approx(numbers.left, abs=1e-3)
    assert ends["momentum", 2.0] == pytest.approx(numbers.left, abs=1e-3)
    steps = {e.optimizer: e.steps for e in numbers.escapes}
    assert steps["adam"] < steps["momentum"] < steps["gd"]
    assert abs(numbers.stuck) < 1e-9


@pytest.mark.thorough
def test_costs_are_measured(shown):
    measured = shown("costs").numbers.costs
    one, whole = measured[0], measured[-1]
    assert (one.batch_size, whole.batch_size) == (1, 20_000)
    assert one.microseconds_per_update < whole.microseconds_per_update / 100
    assert whole.floor < one.floor
    assert one.epochs_to_target < whole.epochs_to_target
    assert 10 * one.bytes_of_a_copy < whole.bytes_per_update < whole.bytes_of_a_copy
    assert max(c.bytes_of_a_fit for c in measured) < whole.bytes_per_update
    for cost in measured:
        if cost.milliseconds_to_target is not None:
            assert cost.quickest <= cost.milliseconds_to_target <= cost.slowest


def test_batch_sizes_whose_times_overlap_are_not_told_apart(shown):
    first, second = shown("costs").numbers.costs[1:3]
    first = replace(first, epochs_to_target=1.0, milliseconds_to_target=2.0, quickest=1.0, slowest=3.0)
    near = replace(second, epochs_to_target=2.0, milliseconds_to_target=3.0, quickest=2.5, slowest=4.0)
    assert f"; {near.batch_size} cannot be told from it." in costs.soonest((first, near))
    assert "cannot be told" not in costs.soonest((first, replace(near, quickest=3.5)))


def test_the_costs_of_all_rows_are_those_of_batch_descent():
    variants = [costs.solver(size, 0.1)["variant"] for size in costs.BATCH_SIZES]
    assert variants == ["stochastic", "mini-batch", "mini-batch", "mini-batch", "mini-batch", "batch"]


@pytest.mark.parametrize("name", demo.NAMES)
def test_every_demo_has_a_sentence_a_picture_and_numbers_in_json(shown, name):
    show = shown(name)
    assert show.name == name
    assert show.pictures()
    assert any(isinstance(part, str) for part in show.parts)
    json.dumps(plain(show.numbers), allow_nan=False)
    text = printed(show)
    for part in show.parts:
        assert (part if isinstance(part, str) else part.title).split()[0] in text


def test_unknown_demo_names_the_choices():
    with pytest.raises(GdbenchError, match=r"did you mean 'parabola'.*learning-rate"):
        demo.run("parbola")


def small(*series: Series, **options) -> Picture:
    return Picture("title", "x", "y", series, **options)


def test_plot_puts_the_corners_in_the_corners():
    lines = plot(small(Series("a", [0, 1], [0, 1], joined=False)), 10, 5).plain.splitlines()
    grid = [line.partition("│")[2] for line in lines[1:6]]
    assert grid[0] == " " * 9 + "·"
    assert grid[-1] == "·" + " " * 9
    assert [line.partition("│")[0].strip() for line in lines[1:6]] == ["1", "", "0.5", "", "0"]


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1], [1]), ([1, 2], [3, 3]), ([0, 1], [math.nan, math.inf]), ([0, -1, 10], [0, -1, 1e300])]
)
def test_plot_takes_whatever_comes(x, y):
    for log in (False, True):
        lines = plot(small(Series("a", x, y), log_x=log, log_y=log), 20, 6).plain.splitlines()
        assert len({len(line) for line in lines[1:7]}) == 1


def test_page_escapes_names_and_holds_pictures_and_loads_nothing(tmp_path):
    show = Show("x", "<b>", ["a < b", Table("t", ("<c>",), [("<td>",)]), small(Series("s", [1, 2], [1, 2]))], None)
    text = page.write([show], tmp_path / "new" / "page.html").read_text()
    assert "&lt;b&gt;" in text
    assert "&lt;c&gt;" in text
    assert "&lt;td&gt;" in text
    assert text.count("<svg") == 1
    for loader in ("<script", "<link", "src=", "@import", "url(http"):
        assert loader not in text


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_figure_is_written(tmp_path, suffix):
    show = Show("x", "x", [small(Series("s", [1, 2], [0, 2]), log_y=True), small(Series("s", [1], [1], joined=False))], None)
    assert figure.save(show, tmp_path / f"f{suffix}").stat().st_size > 1000


def test_wrong_endings_and_places_are_refused(tmp_path):
    show = Show("x", "x", [small(Series("s", [1, 2], [1, 2]))], None)
    (tmp_path / "file").touch()
    for write, name in ((figure.save, "a.gif"), (figure.save, "file/a.png")):
        with pytest.raises(GdbenchError):
            write(show, tmp_path / name)
    for name in ("a.txt", "file/a.html"):
        with pytest.raises(GdbenchError):
            page.write([show], tmp_path / name)


def test_plain_is_json():
    value = {"a": np.float64(1.5), 2: np.array([1, 2]), "n": (math.nan, np.inf), "b": np.bool_(True)}
    assert plain(value) == {"a": 1.5, "2": [1, 2], "n": [None, None], "b": True}
