"""Limits by what they promise: how far a run may stray, when it has arrived, what counts as reached, how long a path may be."""

from typing import NamedTuple

import numpy as np
import pytest

import gdbench as gd
from gdbench.solve.paths import LARGEST_PATH

X, Y = np.ones((2, 1)), np.full(2, np.sqrt(2))  # J = ½(w − √2)², which is 1 at the start
ALONE = {"variant": "batch", "fit_intercept": False, "record": 1000}


def detour(steps):
    """A descent whose objective grows a hundredfold a step for so many steps, and falls as fast afterwards."""
    return gd.fit(X, Y, learning_rate=gd.schedules.Step(11.0, gamma=0.1, every=steps), epochs=3 * steps, **ALONE)


def test_an_objective_that_grows_ten_thousandfold_may_come_back():
    found = detour(2)
    assert found.curve["objective"].max() == pytest.approx(1e4)
    assert found.status == "budget" and found.objective < 1


def test_an_objective_that_grows_ten_billionfold_has_diverged():
    found = detour(5)
    assert found.status == "diverged" and found.n_updates < 15
    assert found.curve["objective"].max() < 1e9


class Pausing(NamedTuple):
    """Steps of length 0 from the sixth on, so many."""

    learning_rate: float = 0.1
    pause: int = 3

    name = "pausing"

    def factor(self, t):
        return np.where((t > 5) & (t <= 5 + self.pause), 0.0, 1.0)


@pytest.mark.parametrize(("pause", "arrived"), [(1, False), (4, False), (5, True), (6, True)])
def test_a_plateau_is_convergence_from_five_epochs_on(pause, arrived):
    found = gd.fit(X, Y, learning_rate=Pausing(pause=pause), tol=1e-6, epochs=200, **ALONE)
    assert found.status == "converged"
    assert (found.n_updates == 10) if arrived else (found.n_updates > 50)


@pytest.mark.parametrize(("steps", "reached"), [(8, None), (60, "global minimum at (0, 0)")])
def test_a_minimum_is_reached_at_it_and_not_on_the_way(steps, reached):
    path = gd.minimize("parabola", [1.0, -1.0], learning_rate=0.1, steps=steps)
    assert path.reached == reached
    assert np.abs(path.x[-1]).max() < (0.2 if reached is None else 1e-5)


def test_a_path_larger_than_memory_is_refused_in_one_line():
    with pytest.raises(gd.GdbenchError, match="steps"):
        gd.minimize("parabola", [1.0, -1.0], steps=LARGEST_PATH)
    assert 8 * LARGEST_PATH < 2**30  # its points alone
