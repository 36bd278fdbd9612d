"""Choosing shapes by measurement, with measurements that are made up."""

import numpy as np
import pytest

from gdbench.kernels.shapes import DEFAULT, Shape
from gdbench.solve import tuning


class Told:
    """A track on which shapes take the seconds that it is told, and twice as long the first time."""

    def __init__(self, seconds):
        self.told, self.known = seconds, set()

    def seconds(self, shape):
        factor = 1 if shape in self.known else 2
        self.known.add(shape)
        return self.told[shape] * factor


A, B = Shape(0, 0, 4), Shape(4096, 0, 1)


@pytest.mark.parametrize(("seconds", "best"), [((1.0, 0.9), B), ((1.0, 0.99), A), ((0.9, 1.0), A)])
def test_another_shape_has_to_be_worth_it(seconds, best):
    assert tuning.best_of(Told(dict(zip((A, B), seconds, strict=True))), [A, B], 0.0) == best


def test_every_kind_of_rows_is_measured(monkeypatch):
    monkeypatch.setattr(tuning, "sizes", lambda: {"L3": 1 << 18, "memory": 1 << 19})
    asked = []

    def best_of(track, shapes, seconds):
        asked.extend(track.seconds(shape) for shape in shapes)
        return shapes[-1]

    monkeypatch.setattr(tuning, "best_of", best_of)
    found = tuning.measure(0.0)
    assert found.keys() == DEFAULT.keys() and found["memory long random batches"].rows_per_pass == 1
    assert np.isfinite(asked).all() and min(asked) > 0
