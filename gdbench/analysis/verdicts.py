"""The one rule for verdicts: a test by betting on the median ratio of two costs, seed by seed.

With r = cost of A ÷ cost of B on the same seed, and a region of practical equivalence [1 − δ, 1 + δ], four counts over n seeds
are each tested against "its probability is at most ½", by the mixture e-value

    E(k, n) = 2ⁿ⁺¹ · B(k + 1, n − k + 1) · (1 − I½(k + 1, n − k + 1))

the likelihood ratio against ½, averaged over p uniform on [½, 1]. #(r > 1 + δ): A is slower; #(r < 1 − δ): faster; #(r ≤ 1 + δ)
and #(r ≥ 1 − δ), both: equal. A verdict needs E ≥ 3·pairs ⁄ ALPHA, so that over all pairs that are compared a wrong one is found
with probability ALPHA at most, however often it is looked (Ville). The brackets of counted costs enter as the least favourable
ends. A miss by one alone counts against it; by both, for neither.

Of two solvers of which no seed makes a difference, counts are exact: one pair decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gdbench.analysis import uncertainty

SLOWER, FASTER, EQUAL, UNDECIDED = "slower", "faster", "equal", "undecided"

#: The probability of a wrong verdict, and the region of practical equivalence of counts, and of clocks at least.
ALPHA, DELTA = 0.05, 0.05


@dataclass(frozen=True)
class Costs:
    """What a solver needed on each seed, with the bracket in which that lies; inf for a miss.

    Attributes
    ----------
    low, value, high : ndarray of shape (seeds,)
    exact : bool
        Whether it is a count that no seed changes.
    """

    low: np.ndarray
    value: np.ndarray
    high: np.ndarray
    exact: bool = False

    @classmethod
    def of(cls, values: np.ndarray) -> Costs:
        """Costs without a bracket."""
        values = np.asarray(values, dtype=float)
        return cls(values, values, values)


@dataclass(frozen=True)
class Verdict:
    """What is known of A's cost against B's.

    Attributes
    ----------
    word : {"slower", "faster", "equal", "undecided"}
    ratio, low, high : float
        The median of A ÷ B over seeds, with its interval; NaN where no seed has both.
    seeds : int
    """

    word: str
    ratio: float
    low: float
    high: float
    seeds: int

    @property
    def decided(self) -> bool:
        """Whether anything is."""
        return self.word != UNDECIDED


def e_value(k: int, n: int) -> float:
    """The evidence that k of n come from a probability above ½."""
    from scipy import special

    tail = special.betainc(n - k + 1, k + 1, 0.5)  # 1 − I½(k + 1, n − k + 1)
    return float(np.exp((n + 1) * math.log(2) + special.betaln(k + 1, n - k + 1)) * tail)


def needed(pairs: int = 1) -> float:
    """The evidence that a verdict takes, one of so many pairs."""
    return 3 * pairs / ALPHA


def judge(a: Costs, b: Costs, pairs: int = 1, delta: float = DELTA) -> Verdict:
    """Whether A costs more than B, less, or the same to within δ.

    Parameters
    ----------
    a, b : Costs
        Of the same seeds, in the same order.
    pairs : int
        How many pairs are compared together.
    delta : float
        The region of practical equivalence.
    """
    n = len(a.value)
    both = np.isfinite(a.value) & np.isfinite(b.value)
    one = np.isfinite(a.value) != np.isfinite(b.value)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(both, a.low / b.high, np.where(one, np.where(np.isfinite(b.value), math.inf, 0.0), math.nan))
        most = np.where(both, a.high / b.low, least)
        ratios = np.where(both, a.value / b.value, least)
    counts = {
        SLOWER: int((least > 1 + delta).sum()),
        FASTER: int((most < 1 - delta).sum()),
        EQUAL: min(int((most <= 1 + delta).sum()), int((least >= 1 - delta).sum())),
    }
    known = ratios[~np.isnan(ratios)]
    ends = uncertainty.interval(known) if len(known) else (math.nan, math.nan)
    found = Verdict(UNDECIDED, uncertainty.median(known), *ends, n)
    limit = 0.0 if a.exact and b.exact else needed(pairs)
    for word, k in counts.items():
        if k and (k == n if not limit else e_value(k, n) >= limit):
            return Verdict(word, found.ratio, found.low, found.high, n)
    return found
