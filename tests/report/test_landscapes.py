import re

import numpy as np
import pytest

import gdbench as gd
from gdbench.errors import GdbenchError
from gdbench.report import landscapes


@pytest.fixture(scope="module")
def well():
    return landscapes.scene("double-well", ("gd", "momentum"), learning_rates=(0.01, 0.1), steps=80)


def test_a_scene_holds_the_paths_of_minimize(well):
    walk = well.walks[0]
    path = gd.minimize("double-well", well.start, "gd", learning_rate=0.01, steps=80)
    np.testing.assert_array_equal(walk.path.x, path.x)
    assert [w.rate for w in well.walks] == [0.01, 0.1, 0.01, 0.1]


def test_the_sentence_tells_local_from_global(well):
    said = landscapes.said(well)
    assert said.startswith("From (1.5), after 80 steps: GD at ")
    assert "a local minimum" in said
    assert well.lowest == pytest.approx(-1.305428483743916)


def test_the_table_has_the_names_that_one_types_and_the_page_those_of_their_authors(well):
    assert [row[0] for row in landscapes.ends(well)] == ["gd", "momentum"]
    cells = re.findall(r"<t[dh][^>]*>(GD|Momentum|gd|momentum)</t[dh]>", landscapes.html([well]))
    assert cells == ["GD", "Momentum"]


def test_a_walk_that_leaves_the_map_is_cut():
    scene = landscapes.scene("saddle", ("gd",), learning_rates=(0.5,), steps=100)
    (walk,) = scene.walks
    assert walk.left
    assert walk.shown < 101
    assert f"leaves the map at step {walk.shown}" in landscapes.said(scene)


def test_a_walk_ends_where_it_leaves_the_map_for_good():
    scene = landscapes.scene("saddle", ("gd",), learning_rates=(0.5,), steps=100)
    (end,) = landscapes.facts(scene)["optimizers"]
    assert end["outcome"] == f"leaves the map at step {end['step'] + 1}"
    assert end["x"] == scene.walks[0].path.x[end["step"]].tolist()


def test_a_walk_that_begins_beyond_the_map_ends_where_it_came_to():
    scene = landscapes.scene("parabola", ("gd",), start=[500.0], learning_rates=(0.3,), steps=60)
    (end,) = landscapes.facts(scene)["optimizers"]
    assert scene.walks[0].shown == 0
    assert end["step"] == 60
    ((_, _, point, value, outcome),) = landscapes.ends(scene)
    assert outcome == "is at the global minimum"
    assert abs(float(point.strip("()"))) < 1e-9
    assert float(value) == pytest.approx(end["f"], rel=1e-3)


def test_the_map_holds_the_function():
    scene = landscapes.scene("rosenbrock", ("gd",), learning_rates=(0.001,), steps=5)
    i, j = 13, 57
    x, y = scene.axes[0][j], scene.axes[1][i]
    assert scene.value[i, j] == pytest.approx((1 - x) ** 2 + 100 * (y - x * x) ** 2)


def test_wrong_requests_are_told():
    with pytest.raises(GdbenchError, match="choose from"):
        landscapes.scene("rosenbroc")
    with pytest.raises(GdbenchError, match="dimensions"):
        landscapes.scene("himmelblau", start=[1.0])


def test_the_page_holds_its_figures():
    text = landscapes.html([landscapes.scene("himmelblau", ("adam",), learning_rates=(0.1,), steps=20)])
    assert text.count("plotly.js v") == 1
    assert 'data-figure="surface"' in text
