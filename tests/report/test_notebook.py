import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import synthetic

import gdbench as gd
from gdbench.report import notebook
from gdbench.suite import results

X = [[1.0], [2.0], [3.0], [4.0], [5.0]]
Y = [2.0, 4.0, 5.0, 4.0, 5.0]


@pytest.fixture(scope="module")
def things(folder):
    return {
        "fit": gd.fit(X, Y, variant="batch", epochs=50, learning_rate=0.05),
        "sweep": gd.sweep(X, Y, variant="batch", epochs=50, learning_rates=[0.01, 0.05, 10.0]),
        "path": gd.minimize("parabola", [10.0], learning_rate=0.1, steps=10),
        "plane": gd.minimize("rosenbrock", learning_rate=0.001, steps=10),
        "problem": gd.load_problem("diabetes"),
        "results": results.load(folder),
    }


@pytest.mark.parametrize("name", ["fit", "sweep", "path", "plane", "problem", "results"])
def test_everything_shows_itself(things, name):
    text = notebook.html(things[name])
    picture = re.search(r"<svg .*</svg>", text, re.DOTALL)[0]
    ElementTree.fromstring(picture)
    assert "<script" not in text
    assert len(text) < 400_000
    assert len(notebook.plot(things[name]).data) >= 1


def test_the_numbers_are_those_of_the_object(things):
    fit = things["fit"]
    assert f"{fit.objective:.6g}" in notebook.html(fit)
    figure = notebook.plot(fit)
    curve = fit.curve[fit.curve.step > 0]
    np.testing.assert_array_equal(figure.data[0].y, curve.objective)
    assert "1.07374" in notebook.html(things["path"])
    assert dict(notebook.card(things["sweep"]).facts)["diverged"] == "10"


def test_names_with_markup_stay_text(things):
    text = notebook.html(things["results"])
    assert "<b>" not in text
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in text
    assert len(notebook.card(things["results"]).facts) == 1 + len(synthetic.PROBLEMS)


FRESH = """
import sys
import gdbench as gd
path = gd.minimize("parabola", [10.0], learning_rate=0.1, steps=10)
loaded = {"plotly", "matplotlib", "pandas", "gdbench.report"} & set(sys.modules)
assert not loaded, loaded
assert "1.07374" in path._repr_html_()
assert type(path.plot()).__module__ == "plotly.graph_objs._figure"
"""


def test_nothing_is_loaded_before_something_is_shown():
    """In a process of its own, which has imported nothing but gdbench."""
    subprocess.run([sys.executable, "-c", FRESH], check=True)


def test_every_class_shows_itself(things):
    for thing in things.values():
        assert thing._repr_html_() == notebook.html(thing)
        assert thing.plot().layout.title.text
