"""Choosing a learning rate, and where its grid goes on."""

import math

import pytest

from gdbench.suite.tuning import Choice, choose, further


def row(rate, samples=math.inf, gap=1.0, status="budget", target=1e-2, **more):
    crossings = [{"target": target, "samples": samples}] if math.isfinite(samples) else []
    return {"learning_rate": rate, "gap": gap, "objective": gap, "status": status, "crossings": crossings} | more


def test_the_cheapest_rate_to_the_tightest_target_wins():
    rows = [row(0.1, 50.0), row(0.2, 20.0), row(0.4, 30.0), row(0.8, 10.0, target=1e-1)]
    assert choose(rows, (1e-1, 1e-2)) == Choice(0.2, (0.1, 0.2, 0.4, 0.8))


def test_a_rate_that_most_seeds_miss_does_not_win():
    rows = [row(0.1, 10.0), row(0.1), row(0.1), row(0.2, 40.0), row(0.2, 50.0), row(0.2)]
    assert choose(rows, (1e-2,)).learning_rate == 0.2


def test_a_rate_that_diverges_is_none():
    assert choose([row(0.1, 10.0, status="diverged"), row(0.2, 90.0)], (1e-2,)).learning_rate == 0.2
    assert choose([row(0.1, status="diverged"), row(0.2, status="failed")], (1e-2,)).learning_rate is None


def test_without_a_target_the_final_gap_decides():
    assert choose([row(0.1, gap=0.5), row(0.2, gap=0.4)], (1e-2,)).learning_rate == 0.2
    assert choose([row(0.1, 10.0, gap=0.5), row(0.2, 20.0, gap=0.4)], (1e-2,), "gap").learning_rate == 0.2
    networks = [row(0.1, 10.0, gap=math.nan, model="mlp"), row(0.2, 20.0, gap=math.nan, model="mlp")]
    networks[1]["objective"] = 0.1
    assert choose(networks, (1e-2,)).learning_rate == 0.2


@pytest.mark.parametrize(
    ("rate", "rates", "more"),
    [
        (1.0, (0.01, 0.1, 1.0), (10.0, 100.0)),
        (0.01, (0.01, 0.1, 1.0), (0.001, 0.0001)),
        (None, (0.01, 0.1, 1.0), (0.001, 0.0001)),
        (0.1, (0.01, 0.1, 1.0), ()),
        (1.0, (1.0,), ()),
        (1e12, (0.01, 1e12), (1e13, 1e14)),
        (4.0, (1.0, 2.0, 4.0), (8.0, 16.0, 32.0, 64.0, 128.0, 256.0)),
    ],
)
def test_a_grid_goes_on_at_its_edge_for_two_decades_at_most(rate, rates, more):
    found = further(Choice(rate, rates))
    assert found == pytest.approx(more)
    assert all(max(value / max(rates), min(rates) / value) <= 100 * (1 + 1e-9) for value in found)


def test_the_edge_is_the_lowest_or_the_highest_of_several():
    assert Choice(1.0, (0.1, 1.0)).at_edge
    assert not Choice(1.0, (0.1, 1.0, 10.0)).at_edge
    assert not Choice(1.0, (1.0,)).at_edge
