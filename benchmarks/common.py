"""What the benchmarks share: data, decorators, and skipping what a commit lacks.

Only the public contract is imported (``gd.fit``, ``gd.sweep``, ``gd.minimize``, ``gd.load_problem`` and what they
return), so that old commits and new ones are measured by the same lines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context
from typing import Any

import numpy as np

VARIANTS = ("batch", "mini-batch", "stochastic")
STORAGES = ("dense float64", "dense float32", "CSR float64", "CSR float32")
REGRESSION = ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")
CLASSIFICATION = ("log_loss", "hinge", "squared_hinge", "modified_huber", "perceptron")
OPTIMIZERS = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")

#: The row order of every stochastic benchmark, scikit-learn's own: one order, so that they share what they compile.
ORDER = "sklearn"

#: A rate with which nothing diverges, and how many such rates a sweep has.
RATE, LANES = 1e-4, (1, 8, 32)

#: Seconds that compiling a file's loops may take.
COMPILING = 900

#: Rows and columns of float64 data that fits in a second-level cache, in a third-level cache, and in neither.
SIZES = {"L2": (2_000, 20), "L3": (40_000, 20), "memory": (100_000, 100)}


def named(pretty_name: str, unit: str | None = None, version: str = "1") -> Callable[[Callable], Callable]:
    """Give a benchmark its name for people, its unit, and the version that a change of meaning raises."""

    def decorate(function: Callable) -> Callable:
        function.pretty_name = pretty_name
        function.version = version
        if unit is not None:
            function.unit = unit
        return function

    return decorate


@contextlib.contextmanager
def or_skip() -> Iterator[None]:
    """Tell asv to skip the benchmark where the commit knows no such name, option or module."""
    try:
        yield
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        raise NotImplementedError(str(error)) from error


@lru_cache(maxsize=4)
def regression(rows: int, columns: int, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """A linear target with noise; X is made in place, so that its making leaves no higher peak of memory than X."""
    random = np.random.default_rng(0)
    X = np.empty((rows, columns), dtype)
    random.standard_normal(out=X, dtype=dtype)
    y = X @ random.standard_normal(columns).astype(dtype) + random.standard_normal(rows).astype(dtype)
    return X, y


@lru_cache(maxsize=2)
def sparse(rows: int = 20_000, columns: int = 1_000, per_row: int = 50, dtype: str = "float64") -> tuple[Any, np.ndarray]:
    """The same over a CSR matrix with `per_row` values a row, one in each stripe of columns; made without large copies."""
    from scipy.sparse import csr_array

    random = np.random.default_rng(0)
    values = np.empty(rows * per_row, dtype)
    random.standard_normal(out=values, dtype=dtype)
    stripe = columns // per_row
    where = random.integers(0, stripe, size=(rows, per_row), dtype=np.int32)
    where += np.arange(per_row, dtype=np.int32) * np.int32(stripe)
    starts = np.arange(0, rows * per_row + 1, per_row, dtype=np.int32)
    X = csr_array((values, where.ravel(), starts), shape=(rows, columns))
    y = X @ random.standard_normal(columns).astype(dtype) + random.standard_normal(rows).astype(dtype)
    return X, y


def classes(y: np.ndarray, k: int) -> np.ndarray:
    """A real target cut into k classes of equal size."""
    return np.digitize(y, np.quantile(y, np.arange(1, k) / k))


@lru_cache(maxsize=8)
def warmed(**options: Any) -> None:
    """Compile, or load from the cache, what a fit with these options needs, or a sweep of so many `lanes`.

    No benchmark times that by accident.
    """
    storage, dtype, lanes = (
        options.pop(name, usual) for name, usual in (("storage", "dense"), ("dtype", "float64"), ("lanes", 1))
    )
    X, y = regression(64, 4, dtype) if storage == "dense" else sparse(64, 8, 4, dtype)
    with or_skip():
        import gdbench as gd

        call = partial(gd.sweep, learning_rates=[RATE] * lanes) if lanes > 1 else gd.fit
        call(X, target(y, options.get("loss", "squared_error")), epochs=1, record=2, **options)


def loops() -> Iterator[dict[str, Any]]:
    """The options of every loop that is timed, or compared with scikit-learn's."""
    for variant in ("mini-batch", "stochastic"):
        yield from ({"variant": variant, "optimizer": optimizer} for optimizer in OPTIMIZERS)
        for kind, dtype in map(str.split, STORAGES):
            yield {"variant": variant, "storage": kind, "dtype": dtype}
    yield from ({"variant": "stochastic", "lanes": lanes} for lanes in LANES)
    for kind in ("dense", "CSR"):
        yield {"variant": "batch", "storage": kind}
        yield {"variant": "stochastic", "storage": kind, "loss": "log_loss"}
    for loss in (*REGRESSION, *CLASSIFICATION, "cross_entropy"):
        yield {"variant": "stochastic", "loss": loss}
    for loss in ("squared_error", "log_loss"):
        yield {"variant": "stochastic", "loss": loss, "penalty": "l2", "alpha": 1e-2}


def in_order(options: dict[str, Any]) -> dict[str, Any]:
    """The options with the row order of the stochastic benchmarks."""
    return {**options, "shuffle": ORDER} if options["variant"] == "stochastic" else options


class Compiled:
    """Benchmarks of fits: all loops are compiled once a commit, before the first of them."""

    def setup_cache(self):
        in_two_processes(warmed_or_not, [in_order(options) for options in loops()])

    setup_cache.timeout = COMPILING


def in_two_processes(function: Callable, *columns: Any) -> list[Any]:
    """The function over rows of arguments, where nearly all of the work is compiling.

    Forked processes, unlike new ones, know where asv found these modules.
    """
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        return list(pool.map(function, *columns))


def warmed_or_not(options: dict[str, Any]) -> None:
    """As :func:`warmed`; what the commit lacks is left out."""
    with contextlib.suppress(NotImplementedError):
        warmed(**options)


def target(y: np.ndarray, loss: str) -> np.ndarray:
    """The target that the loss takes."""
    return classes(y, {"cross_entropy": 4}.get(loss, 2)) if loss in CLASSIFYING else y


CLASSIFYING = (*CLASSIFICATION, "cross_entropy")
