"""Against statistics: coefficients that NIST and others certified, reached by gradient descent.

The design matrices are ill conditioned (Longley: 5·10⁹), where descent on the raw columns would take longer than anyone waits. It
is run on an orthonormal basis of the columns (QR), where every direction is equally steep, and its weights are carried back.

References
----------
J. W. Longley, "An Appraisal of Least Squares Programs for the Electronic Computer from the Point of View of the User", JASA 62
(1967), 819-841; certified values: NIST Statistical Reference Datasets, Longley
(https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml).
L. C. Spector and M. Mazzeo, "Probit Analysis and Economic Education", J. Econ. Educ. 11 (1980), 37-44; as in W. H. Greene,
Econometric Analysis; coefficients by Stata 11.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdbench.parity.case import Case
from gdbench.solve.fit import fit

#: Deflator, GNP, unemployed, armed forces, population, year; total employment. 1947 to 1962.
LONGLEY = np.array(
    [
        [83.0, 234289, 2356, 1590, 107608, 1947, 60323],
        [88.5, 259426, 2325, 1456, 108632, 1948, 61122],
        [88.2, 258054, 3682, 1616, 109773, 1949, 60171],
        [89.5, 284599, 3351, 1650, 110929, 1950, 61187],
        [96.2, 328975, 2099, 3099, 112075, 1951, 63221],
        [98.1, 346999, 1932, 3594, 113270, 1952, 63639],
        [99.0, 365385, 1870, 3547, 115094, 1953, 64989],
        [100.0, 363112, 3578, 3350, 116219, 1954, 63761],
        [101.2, 397469, 2904, 3048, 117388, 1955, 66019],
        [104.6, 419180, 2822, 2857, 118734, 1956, 67857],
        [108.4, 442769, 2936, 2798, 120445, 1957, 68169],
        [110.8, 444546, 4681, 2637, 121950, 1958, 66513],
        [112.6, 482704, 3813, 2552, 123366, 1959, 68655],
        [114.2, 502601, 3931, 2514, 125368, 1960, 69564],
        [115.7, 518173, 4806, 2572, 127852, 1961, 69331],
        [116.9, 554894, 4007, 2827, 130081, 1962, 70551],
    ]
)
LONGLEY_CERTIFIED = np.array(
    [
        15.0618722713733,
        -0.0358191792925910,
        -2.02022980381683,
        -1.03322686717359,
        -0.0511041056535807,
        1829.15146461355,
        -3482258.63459582,
    ]
)
LONGLEY_RESIDUAL = 304.854073561965

#: Grade point average, test score, taught by the new method; grade improved.
SPECTOR = np.array(
    [
        [2.66, 20, 0, 0],
        [2.89, 22, 0, 0],
        [3.28, 24, 0, 0],
        [2.92, 12, 0, 0],
        [4.00, 21, 0, 1],
        [2.86, 17, 0, 0],
        [2.76, 17, 0, 0],
        [2.87, 21, 0, 0],
        [3.03, 25, 0, 0],
        [3.92, 29, 0, 1],
        [2.63, 20, 0, 0],
        [3.32, 23, 0, 0],
        [3.57, 23, 0, 0],
        [3.26, 25, 0, 1],
        [3.53, 26, 0, 0],
        [2.74, 19, 0, 0],
        [2.75, 25, 0, 0],
        [2.83, 19, 0, 0],
        [3.12, 23, 1, 0],
        [3.16, 25, 1, 1],
        [2.06, 22, 1, 0],
        [3.62, 28, 1, 1],
        [2.89, 14, 1, 0],
        [3.51, 26, 1, 0],
        [3.54, 24, 1, 1],
        [2.83, 27, 1, 1],
        [3.39, 17, 1, 1],
        [2.67, 24, 1, 0],
        [3.65, 21, 1, 1],
        [4.00, 23, 1, 1],
        [3.10, 21, 1, 0],
        [2.39, 19, 1, 1],
    ]
)
SPECTOR_PUBLISHED = np.array([2.82611297201, 0.0951576702557, 2.37868772835, -13.0213483201])


def cases(quick: bool = False) -> list[Case]:
    """The certified regressions, each by two solvers."""
    longley = "15 digits are certified, of which float64 keeps 13 once QR has taken the condition number of 5e9 off the descent"
    spector = "Stata stops at a change of 1e-7 or so: Newton's method differs from its printed digits by as much"
    return [
        case(
            "NIST Longley, least squares by batch gd", "7 coefficients", share_of_longley("gd", 1.0), np.ones(7), 1e-11, longley
        ),
        case(
            "NIST Longley, least squares by Nesterov",
            "7 coefficients",
            share_of_longley("nesterov", 0.3),
            np.ones(7),
            1e-9,
            longley,
        ),
        case("NIST Longley, residual deviation", "1 number", longley_residual, np.ones(1), 1e-11, longley),
        case("Spector's logit by batch gd", "4 coefficients", share_of_spector("gd", 4.0), np.ones(4), 1e-6, spector),
        # at a constant rate Adam circles the optimum, the closer the smaller the rate
        case("Spector's logit by Adam", "4 coefficients", share_of_spector("adam", 0.005), np.ones(4), 1e-6, spector),
    ]


def case(what: str, count: str, ours: Callable, theirs: np.ndarray, tolerance: float, reason: str) -> Case:
    """A case whose values are ratios to the certified ones, so that every coefficient counts alike, whatever its size."""
    return Case(
        "statistics", "published", what, f"{count}, each as a share of the certified one", ours, lambda: theirs, tolerance, reason
    )


def share_of_longley(optimizer: str, rate: float) -> Callable[[], np.ndarray]:
    """The shares of Longley's coefficients."""
    return lambda: longley(optimizer, rate) / LONGLEY_CERTIFIED


def share_of_spector(optimizer: str, rate: float) -> Callable[[], np.ndarray]:
    """The shares of Spector's coefficients."""
    return lambda: spector(optimizer, rate) / SPECTOR_PUBLISHED


def orthonormal(X: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray, float], np.ndarray]]:
    """√n·Q of the centred columns, and how to carry weights and intercept on that basis back to the columns."""
    centre = X.mean(axis=0)
    q, r = np.linalg.qr(X - centre)

    def back(coef: np.ndarray, intercept: float) -> np.ndarray:
        slopes = np.linalg.solve(r, coef * np.sqrt(len(X)))
        return np.append(slopes, intercept - centre @ slopes)

    return np.sqrt(len(X)) * q, back


def longley(optimizer: str, rate: float) -> np.ndarray:
    """Slopes and intercept by batch descent."""
    basis, back = orthonormal(LONGLEY[:, :-1])
    y = LONGLEY[:, -1]
    found = fit(basis, y - y.mean(), optimizer=optimizer, variant="batch", learning_rate=rate, epochs=1000, fit_intercept=False)
    return back(found.coef, float(y.mean()))


def longley_residual() -> np.ndarray:
    """The residual standard deviation as a share of the certified one."""
    w = longley("gd", 1.0)
    residuals = LONGLEY[:, -1] - LONGLEY[:, :-1] @ w[:-1] - w[-1]
    return np.sqrt(residuals @ residuals / (len(LONGLEY) - 7))[None] / LONGLEY_RESIDUAL


def spector(optimizer: str, rate: float) -> np.ndarray:
    """Slopes and intercept of the logit by batch descent."""
    basis, back = orthonormal(SPECTOR[:, :-1])
    found = fit(basis, SPECTOR[:, -1], loss="log_loss", optimizer=optimizer, variant="batch", learning_rate=rate, epochs=10_000)
    return back(found.coef, float(found.intercept))
