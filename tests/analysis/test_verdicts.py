"""The one rule for verdicts, and the one for uncertainty."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from gdbench.analysis import uncertainty
from gdbench.analysis.verdicts import EQUAL, FASTER, SLOWER, UNDECIDED, Costs, e_value, judge, needed


@pytest.mark.parametrize(("k", "n"), [(0, 3), (5, 9), (9, 9), (12, 13), (40, 60)])
def test_the_e_value_is_the_mean_likelihood_ratio(k, n):
    def ratio(p):
        return (p**k * (1 - p) ** (n - k)) / 0.5**n

    assert e_value(k, n) == pytest.approx(2 * integrate.quad(ratio, 0.5, 1)[0], rel=1e-9)


def test_how_many_unanimous_seeds_a_verdict_takes():
    def least(pairs):
        return next(n for n in range(1, 99) if e_value(n, n) >= needed(pairs))

    assert [least(pairs) for pairs in (1, 15, 66)] == [9, 13, 15]


def drawn(ratio, sigma, n, seed=0):
    random = np.random.default_rng(seed)
    base = random.lognormal(0.0, 0.5, n)
    return Costs.of(base * ratio * np.exp(sigma * random.standard_normal(n))), Costs.of(base)


@pytest.mark.parametrize(
    ("ratio", "n", "word"),
    [(1.3, 9, SLOWER), (1 / 1.3, 9, FASTER), (1.0, 9, EQUAL), (1.3, 8, UNDECIDED), (1.05, 9, UNDECIDED)],
)
def test_a_clear_ratio_is_decided_from_nine_seeds_on(ratio, n, word):
    assert judge(*drawn(ratio, 0.01, n)).word == word


def test_equal_solvers_are_never_told_apart():
    words = [judge(*drawn(1.0, sigma, n, seed)).word for seed in range(300) for sigma in (0.02, 0.3) for n in (9, 30)]
    assert set(words) <= {EQUAL, UNDECIDED}


def test_a_wider_region_takes_a_larger_difference():
    a, b = drawn(1.3, 0.01, 20)
    assert judge(a, b, delta=0.5).word == EQUAL
    assert judge(a, b, delta=math.inf).word == EQUAL or judge(a, b, delta=math.inf).word == UNDECIDED


def test_misses_count_against_the_one_that_misses():
    hit, miss = np.ones(12), np.full(12, math.inf)
    assert judge(Costs.of(miss), Costs.of(hit)).word == SLOWER
    assert judge(Costs.of(hit), Costs.of(miss)).word == FASTER
    assert judge(Costs.of(miss), Costs.of(miss)).word == UNDECIDED


def test_a_bracket_enters_as_its_least_favourable_end():
    a = Costs(low=np.full(20, 1.0), value=np.full(20, 1.3), high=np.full(20, 1.3))
    b = Costs.of(np.ones(20))
    assert judge(a, b).word == UNDECIDED
    assert judge(Costs.of(a.value), b).word == SLOWER


def test_exact_counts_need_one_pair():
    a, b = (Costs(*[np.array([value])] * 3, exact=True) for value in (30.0, 20.0))
    assert judge(a, b).word == SLOWER
    assert judge(b, b).word == EQUAL


@pytest.mark.parametrize("n", [6, 9, 13, 30])
def test_the_interval_of_the_median_covers_it(n):
    low, high = uncertainty.interval(np.arange(1.0, n + 1))
    outside = stats.binom.cdf(low - 1, n, 0.5)
    assert high == n + 1 - low
    assert 2 * outside <= 0.05
    assert 2 * stats.binom.cdf(low, n, 0.5) > 0.05


def test_few_values_give_all_they_are():
    assert uncertainty.interval(np.array([3.0, 1.0, 2.0])) == (1.0, 3.0)
    found = uncertainty.spread([1.0, math.inf, 2.0], [1.0, 5.0, 2.0])
    assert (found.value, found.low, found.high, found.hits, found.art) == (2.0, 1.0, math.inf, 2, 4.0)
    assert not uncertainty.spread([1.0, math.nan]).reached
