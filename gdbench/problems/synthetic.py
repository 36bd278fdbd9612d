"""scikit-learn's generators, behind one small interface: n_samples, n_features, noise, seed.

The condition number is no part of the generators: it is a preprocessing step (see preprocess.condition).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.problems.raw import Raw

Made = tuple[np.ndarray, np.ndarray]


def make_regression(n_samples: int, n_features: int, noise: float, seed: int, n_informative: int) -> Made:
    """y linear in n_informative of the columns, plus normal noise of standard deviation `noise`."""
    from sklearn.datasets import make_regression

    return make_regression(n_samples, n_features, n_informative=n_informative, noise=noise, random_state=seed)


def make_classification(
    n_samples: int,
    n_features: int,
    noise: float,
    seed: int,
    n_informative: int,
    n_classes: int,
    class_sep: float,
) -> Made:
    """Clusters on a hypercube; `noise` is the share of labels that are flipped to a random class."""
    from sklearn.datasets import make_classification

    # no redundant columns: they would make the covariance singular, and no condition number could be given
    return make_classification(
        n_samples,
        n_features,
        n_informative=n_informative,
        n_redundant=0,
        n_repeated=0,
        n_classes=n_classes,
        class_sep=class_sep,
        flip_y=noise,
        random_state=seed,
    )


def make_sparse_uncorrelated(n_samples: int, n_features: int, noise: float, seed: int) -> Made:
    """y = x₁ + 2x₂ − 2x₃ − 1.5x₄ plus normal noise; all other columns are irrelevant."""
    from sklearn.datasets import make_sparse_uncorrelated

    if n_features < 4:
        raise ValueError("n_features has to be at least 4")
    X, y = make_sparse_uncorrelated(n_samples, n_features, random_state=seed)
    # The generator's noise is always of standard deviation 1: take it out and put it back at the size asked for.
    signal = X[:, 0] + 2 * X[:, 1] - 2 * X[:, 2] - 1.5 * X[:, 3]
    return X, signal + noise * (y - signal)


def make_friedman1(n_samples: int, n_features: int, noise: float, seed: int) -> Made:
    """y = 10 sin(π x₁ x₂) + 20 (x₃ − ½)² + 10 x₄ + 5 x₅ plus normal noise of standard deviation `noise`."""
    from sklearn.datasets import make_friedman1

    return make_friedman1(n_samples, n_features, noise=noise, random_state=seed)


GENERATORS = {f.__name__: f for f in (make_regression, make_classification, make_sparse_uncorrelated, make_friedman1)}


def generate(generator: str, seed: int, options: dict[str, Any]) -> Raw:
    """Run one generator.

    Parameters
    ----------
    generator : str
        A key of GENERATORS.
    seed : int
    options : dict
        The generator's other arguments.

    Returns
    -------
    Raw
    """
    for key in ("n_samples", "n_features"):
        if not float(options[key]).is_integer() or options[key] < 1:
            raise GdbenchError(f"{key} has to be a positive integer, not {options[key]}")
    if not 0 <= options["noise"] < np.inf:
        raise GdbenchError(f"noise has to be a number of at least 0, not {options['noise']}")
    options = {**options, "n_samples": int(options["n_samples"]), "n_features": int(options["n_features"])}
    if "n_informative" in options:  # fewer features than the catalog's informative ones: then all are
        options["n_informative"] = min(options["n_informative"], options["n_features"])
    try:
        X, y = GENERATORS[generator](seed=seed, **options)
    except (ValueError, TypeError) as error:
        raise GdbenchError(f"{generator} refused these options: {one_line(error)}") from None
    shown = ", ".join(f"{key}={value}" for key, value in options.items())
    names = [f"x{j + 1}" for j in range(X.shape[1])]
    return Raw(X=X, names=names, y=y, source=f"sklearn.datasets.{generator}({shown}, random_state={seed})")
