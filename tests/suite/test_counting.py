"""Counting: exact crossings, whatever grid they are looked for on."""

import numpy as np
import pytest

from gdbench.problems import load_problem
from gdbench.solve import snapshots
from gdbench.solve.descent import Descent
from gdbench.suite.execute.counting import NARROW, Counter, DescentWalker, Look, grid, steps_at
from gdbench.tasks.inputs import make_task
from gdbench.tasks.setting import settle


class Known:
    """A walker whose gap is a formula of the step."""

    def __init__(self, gap):
        self.gap, self.step = gap, 0

    def advance(self, step):
        assert step >= self.step
        self.step = step

    def look(self):
        return Look(self.step, 32 * self.step, self.gap(self.step))

    def save(self):
        return self.step

    def restore(self, saved):
        self.step = saved


def count(walker, targets, steps):
    counter = Counter(walker, targets, walker.look())
    for step in steps:
        counter.prepare()
        walker.advance(step)
        counter.see(walker.look())
        assert walker.look().step == step
    return {crossing.target: crossing for crossing in counter.found}


@pytest.mark.parametrize("points", [5, 12, 60])
def test_a_crossing_is_narrowed_down_to_two_percent_or_a_step(points):
    found = count(Known(lambda t: 0.999**t), (1e-1, 1e-2, 1e-3), steps_at(grid(320_000, points), 32, 10_000))
    for target, crossing in found.items():
        exact = int(np.ceil(np.log(target) / np.log(0.999)))
        assert crossing.low < 32 * exact <= crossing.samples
        assert crossing.samples <= (1 + NARROW) * crossing.low
    early = count(Known(lambda t: 0.5**t), (1e-1, 1e-2), [40, 100])
    assert [crossing.step for crossing in early.values()] == [4, 7]


def test_a_run_that_leaves_a_target_again_is_marked():
    found = count(Known(lambda t: 1 / (1 + t) if t < 50 else 0.5), (1e-1, 1e-2), [10, 30, 60, 100])
    assert found[1e-1].step == 9
    assert found[1e-1].left_again
    assert 1e-2 not in found


def test_what_is_never_left_is_not_marked():
    found = count(Known(lambda t: 1 / (1 + t)), (1e-1,), [3, 30, 60])
    assert not found[1e-1].left_again


def descent_of(optimizer, variant, learning_rate="constant", **more):
    problem = load_problem("diabetes")
    words = {"optimizer": optimizer, "variant": variant, "learning_rate": learning_rate, "learning_rates": [0.01]}
    setting = settle(**words, batch_size=32, epochs=30, **more)
    return problem, Descent(make_task(problem.X, problem.y, setting)[0], setting)


@pytest.mark.parametrize(
    ("optimizer", "variant", "schedule"),
    [
        ("gd", "stochastic", "constant"),
        ("adam", "mini-batch", "constant"),
        ("momentum", "batch", "constant"),
        ("svrg", "stochastic", "constant"),
        ("saga", "stochastic", "constant"),
        ("gd", "mini-batch", "adaptive"),
        ("gd", "batch", "backtracking"),
        ("gd", "stochastic", "invscaling"),
    ],
)
def test_a_descent_goes_on_from_a_snapshot_as_if_nothing_had_been(optimizer, variant, schedule):
    _, one = descent_of(optimizer, variant, schedule)
    _, other = descent_of(optimizer, variant, schedule)
    last = 3 * one.steps_per_epoch + one.steps_per_epoch // 2
    one.advance(2)
    kept = snapshots.take(one)
    one.advance(one.steps_per_epoch + 1)
    snapshots.restore(kept)
    assert one.step == 2
    one.advance(last)
    other.advance(2)
    other.advance(last)
    assert one.weights().tobytes() == other.weights().tobytes()
    assert one.samples() == other.samples()


def test_counts_are_those_of_looking_at_every_step():
    problem, one = descent_of("gd", "mini-batch")
    optimum = problem.optimum.value
    walker = DescentWalker(one, lambda value: value - optimum)
    start = walker.look()
    counter = Counter(walker, (0.5, 0.2, 0.1), start)
    for step in (7, 30, 90, 200, 300):
        counter.prepare()
        walker.advance(step)
        counter.see(walker.look())
    _, other = descent_of("gd", "mini-batch")
    gaps = []
    for step in range(1, 301):
        other.advance(step)
        gaps.append(float(other.evaluate().objective[0]) - optimum)
    gaps = np.array(gaps)
    assert counter.found
    for crossing in counter.found:
        under = gaps <= crossing.target * start.gap
        assert under[crossing.step - 1]
        first = int(np.argmax(under)) + 1
        assert first <= crossing.step  # a noisy run may dip under it between two looks
        assert not under[round(crossing.low / 32) - 1] or crossing.low == 0
