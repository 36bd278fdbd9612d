"""Learning rates by the block, against powers in extended precision."""

import numpy as np
import pytest

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.rate_factors import BLOCK, INVERSES, POWERS, UNCHANGING, Rates, fill

#: Two roundings, of the power itself and of what the series adds to it.
BOUND = 2 * np.finfo(np.float64).eps


@kernel
def fill_block(rates, first, count):
    fill(rates, first, count)


def filled(kind, first, count, strength=1.0, offset=1.0, power=0.0):
    """The factors of `count` steps from the first on."""
    block = np.full(BLOCK, np.nan)
    fill_block(Rates(kind, strength, offset, power, block), first, count)
    return block[:count]


@pytest.mark.parametrize("power", [0.25, 0.5, 1.0, 0.9, -0.3, 0.0, 2.0, 7.0])
@pytest.mark.parametrize("first", [1.0, 500.0, 4_300.0, 35_000.0, 1e6, 1e12])
def test_powers_are_exact_to_rounding(power, first):
    for count in (1, 15, 16, 17, 200, 600, 1_000, BLOCK):
        steps = np.longdouble(first) + np.arange(count, dtype=np.longdouble)
        assert np.abs(filled(POWERS, first, count, power=power) / steps ** np.longdouble(-power) - 1).max() <= BOUND


def test_inverses():
    np.testing.assert_allclose(filled(INVERSES, 1.0, 5, 0.5, 3.0), 1 / (0.5 * np.arange(3, 8)), rtol=1e-15)


def test_rates_that_do_not_change():
    assert filled(UNCHANGING, 7.0, 3).tolist() == [1.0, 1.0, 1.0]
