"""The timing of other libraries beside gdbench: each piece of work runs."""

import importlib
import math

import numpy as np
import pytest


@pytest.fixture(scope="module")
def peers(package):
    return importlib.import_module("benchmarks.peers")


def test_a_row_tells_the_ratio_of_a_pair_and_its_noise(peers):
    row = peers.compare("work", "peer", lambda epochs: 2.0 * epochs, lambda epochs: 6.0 * epochs, (1, 1), 3, (8 * 10**6, 800))
    assert (row.ratio, row.low, row.high, row.noise) == (3, 3, 3, 0)
    assert row.ours_ms == 2000 and row.gb_per_second == 0.004
    assert 0 < row.share_of_random_rows < math.inf
    assert "| work | 2000.00 | peer | 6000.00 | 3.0× [3.0, 3.0] | 0% |" in peers.table([row])


def test_the_page_says_where_and_how_it_was_measured_and_who_is_missing(peers):
    row = peers.compare("work", "peer", lambda epochs: 1.0 * epochs, lambda epochs: 2.0 * epochs, (1, 1), 3, (8000, 0))
    written = peers.page([row], {"optax"}, 3)
    assert "3 rounds" in written and f"numpy {np.__version__}" in written and "| work | 1000.00 |" in written
    assert "Not installed, so not measured: optax." in written


@pytest.mark.slow
def test_all_work_runs(peers):
    absent = set()
    for work, peer, ours, theirs, _, size in peers.cases(True, absent):
        for timer in (ours, theirs):
            seconds = timer(1)
            assert math.isfinite(seconds) and seconds > 0, (work, peer)
        assert size[0] > size[1] >= 0
    assert absent <= {"optax", "PyTorch", "Vowpal Wabbit"}
