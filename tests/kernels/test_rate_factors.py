"""Learning rates by the stretch, against powers in extended precision."""

import numpy as np
import pytest

from gdbench.kernels.rate_factors import inverse_powers, inverses

#: Two roundings, of the power itself and of what the series adds to it.
BOUND = 2 * np.finfo(np.float64).eps


@pytest.mark.parametrize("power", [0.25, 0.5, 1.0, 0.9, -0.3, 0.0, 2.0, 7.0])
@pytest.mark.parametrize("first", [1.0, 500.0, 4_300.0, 1e6, 1e12])
def test_powers_are_exact_to_rounding(power, first):
    for length in (1, 15, 16, 17, 200, 5_000):
        out = np.full(length, np.nan)
        inverse_powers(first, power, out)
        steps = np.longdouble(first) + np.arange(length, dtype=np.longdouble)
        assert np.abs(out / steps ** np.longdouble(-power) - 1).max() <= BOUND


def test_inverses():
    out = np.empty(5)
    inverses(0.5, 3.0, out)
    np.testing.assert_allclose(out, 1 / (0.5 * np.arange(3, 8)), rtol=1e-15)
