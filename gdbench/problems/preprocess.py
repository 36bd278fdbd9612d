"""From raw columns to the matrix that descent sees. Every statistic comes from the training rows only.

Steps, applied in this order whatever the order they are named in:

one-hot
    Categories become 0/1 columns. In a dense matrix the first level is dropped, so that the design keeps full column
    rank beside an intercept; a sparse one keeps every level.
unit-range
    Everything is divided by one number, the largest |x| of the training rows: pixels keep their relation.
standardise
    Each column is shifted to mean 0 and divided by its standard deviation; a sparse column is only divided, because
    a shift would fill its zeros. A constant column becomes zeros.
condition
    The columns are mixed so that the condition number of XᵀX/n is the one asked for; see `condition`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.problems.raw import Raw
from gdbench.tasks.memory import refuse_too_large

STEPS = ("one-hot", "unit-range", "standardise", "condition")

# More than this many names in a note help nobody
SHOWN = 5


def steps(preprocessing: str | Sequence[str]) -> tuple[str, ...]:
    """Check the steps that a caller asks for.

    Parameters
    ----------
    preprocessing : str or sequence of str
        "none", one step, several joined by "+", or a sequence of them.

    Returns
    -------
    tuple of str
        In the order in which they are applied; empty for "none".
    """
    given = preprocessing.split("+") if isinstance(preprocessing, str) else list(preprocessing)
    given = [step.strip() for step in given]
    for step in given:
        if step not in (*STEPS, "none"):
            raise unknown("preprocessing", step, (*STEPS, "none"))
    return tuple(step for step in STEPS if step in given)


def assemble(raw: Raw, rows: np.ndarray, *, one_hot: bool, sparse: bool) -> Any:
    """Put the numeric and the one-hot columns of some rows beside each other.

    Parameters
    ----------
    raw : Raw
    rows : ndarray of int64, shape (m,)
    one_hot : bool
        False leaves the categories out.
    sparse : bool
        Build CSR with all levels, not a dense array without each first level.

    Returns
    -------
    ndarray of float64, shape (m, d), or scipy CSR
    """
    from scipy import sparse as sp

    X = raw.X[rows]
    categoricals = raw.categoricals if one_hot else ()
    if not sparse and not sp.issparse(X):
        return _dense(X, [(c.codes[rows], len(c.levels)) for c in categoricals])
    blocks = [X] if X.shape[1] else []
    if categoricals:
        blocks.append(_one_hot_csr([(c.codes[rows], len(c.levels)) for c in categoricals]))
    return sp.csr_matrix(sp.hstack(blocks, format="csr")) if blocks else sp.csr_matrix((len(rows), 0))


def _dense(numbers: np.ndarray, categories: list[tuple[np.ndarray, int]]) -> np.ndarray:
    d = numbers.shape[1] + sum(levels - 1 for _, levels in categories)
    refuse_too_large(f"an array of {len(numbers):,} rows and {d:,} columns", 8 * len(numbers) * d)
    X = np.zeros((len(numbers), d))
    X[:, : numbers.shape[1]] = numbers
    first = numbers.shape[1]
    for codes, levels in categories:
        (hot,) = np.nonzero(codes > 0)  # level 0 is the dropped one
        X[hot, first + codes[hot] - 1] = 1.0
        first += levels - 1
    return X


def _one_hot_csr(categories: list[tuple[np.ndarray, int]]) -> Any:
    from scipy.sparse import csr_matrix

    n, per_row = len(categories[0][0]), len(categories)
    offsets = np.cumsum([0] + [levels for _, levels in categories])
    indices = np.empty((n, per_row), dtype=np.int32)
    for j, (codes, _) in enumerate(categories):
        indices[:, j] = codes + offsets[j]  # offsets grow, so each row's indices come out sorted
    indptr = np.arange(0, n * per_row + 1, per_row, dtype=np.int32)
    return csr_matrix((np.ones(n * per_row), indices.ravel(), indptr), shape=(n, offsets[-1]))


def feature_names(raw: Raw, *, one_hot: bool, sparse: bool) -> list[str]:
    """The names of the columns that `assemble` builds: "distance", "carrier=UA"."""
    found = list(raw.names)
    for column in raw.categoricals if one_hot else ():
        levels = column.levels if sparse else column.levels[1:]
        found += [f"{column.name}={level}" for level in levels]
    return found


def standardise(train: Any, test: Any, names: Sequence[str]) -> tuple[Any, Any, list[str]]:
    """Give each column mean 0 and standard deviation 1 on the training rows.

    Parameters
    ----------
    train, test : ndarray of float64, shapes (n, d) and (m, d), or scipy CSR
        Dense arrays are changed in place.
    names : sequence of str
        The d columns' names, for the note.

    Returns
    -------
    train, test : as given
    notes : list of str
        Names the constant columns, which become zeros.
    """
    from scipy import sparse as sp

    if sp.issparse(train):
        return _scale_sparse(train, test, names)
    constant = np.zeros(train.shape[1], dtype=bool)
    # Column by column: NumPy adds the numbers of one column in pairs, and those of many columns one after the other,
    # which loses four digits of the variance over 300,000 rows.
    for j in range(train.shape[1]):
        column = train[:, j].copy()
        with np.errstate(over="ignore", invalid="ignore"):
            mean = column.mean()
            column -= mean
            # A second pass takes away what rounding left of the mean: a large offset (a year) leaves much.
            rest = column.mean()
            column -= rest
            std = np.sqrt(np.mean(column * column))
        check_spread(std, train[:, j], f"column '{names[j]}'")
        constant[j] = std <= 10 * np.finfo(np.float64).eps * abs(mean)
        if constant[j]:
            train[:, j] = test[:, j] = 0.0
        else:
            train[:, j] = column / std
            test[:, j] = (test[:, j] - mean - rest) / std
    return train, test, _constant_note(names, constant)


def check_spread(std: float, values: np.ndarray, what: str) -> None:
    """Refuse values whose standard deviation is beyond the largest float."""
    if not np.isfinite(std):
        largest = f"{np.abs(values).max():.3g}"
        raise GdbenchError(f"{what} has values up to {largest}, too large to be squared: divide them, or leave their rows out")


def _scale_sparse(train: Any, test: Any, names: Sequence[str]) -> tuple[Any, Any, list[str]]:
    from scipy import sparse as sp

    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.asarray(train.mean(axis=0)).ravel()
        square = np.asarray(train.multiply(train).mean(axis=0)).ravel()
        variance = np.maximum(square - mean**2, 0.0)
    for j in np.flatnonzero(~np.isfinite(variance))[:1]:
        check_spread(variance[j], train[:, [j]].data, f"column '{names[j]}'")
    # the subtraction cancels: below this the difference is rounding
    constant = variance <= 1e-12 * square
    factor = np.where(constant, 0.0, 1.0 / np.sqrt(np.where(constant, 1.0, variance)))
    notes = ["sparse columns are scaled, not centred", *_constant_note(names, constant)]
    scaled = [sp.csr_matrix(X @ sp.diags(factor)) for X in (train, test)]
    for X in scaled:
        X.eliminate_zeros()
    return scaled[0], scaled[1], notes


def _constant_note(names: Sequence[str], constant: np.ndarray) -> list[str]:
    found = [names[int(j)] for j in np.flatnonzero(constant)]
    if not found:
        return []
    shown = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
    return [f"{len(found)} constant column{'s' * (len(found) > 1)} in the training rows set to zero: {shown}"]


def unit_range(train: Any, test: Any) -> tuple[Any, Any]:
    """Divide by the largest |x| of the training rows (once for the whole matrix)."""
    largest = abs(train).max() if train.size else 0.0
    factor = 1.0 / largest if largest else 1.0
    return train * factor, test * factor


def condition(train: np.ndarray, test: np.ndarray, number: float) -> tuple[np.ndarray, np.ndarray]:
    """Give the training rows' covariance exactly the condition number that is asked for.

    The centred training matrix is X = U diag(s) Vᵀ. Its singular values are replaced so that the eigenvalues of
    XᵀX/n are spaced geometrically,

        λ_j = c · κ^(−(j−1)/(d−1)),  j = 1 … d,  with c such that Σ λ_j = d,

    so λ_1/λ_d = κ, and the average variance of a column is 1 as for standardised data. This is one linear map
    A = V diag(√(n λ_j)/s_j) Vᵀ; the test rows go through the same map, and a target that was linear in X stays so.

    Parameters
    ----------
    train, test : ndarray of float64, shapes (n, d) and (m, d)
    number : float
        κ ≥ 1; exactly 1 gives an XᵀX/n that is the identity.

    Returns
    -------
    train, test : ndarray of float64
    """
    if not (isinstance(number, (int, float, np.number)) and 1 <= number < np.inf):
        raise GdbenchError(f"condition has to be a number of at least 1, not {number}")
    n, d = train.shape
    if d == 1 and number > 1:
        raise GdbenchError("one column always has condition 1; ask for condition=1 or for more features")
    if n <= d:
        raise GdbenchError(f"a condition number needs more training rows than columns: {n} rows, {d} columns")
    mean = train.mean(axis=0)
    U, s, Vt = np.linalg.svd(train - mean, full_matrices=False)
    if s[-1] <= n * np.finfo(np.float64).eps * s[0]:
        raise GdbenchError("the columns are linearly dependent, so no condition number can be given to them")
    eigenvalues = float(number) ** (-np.arange(d) / max(d - 1, 1))
    eigenvalues *= d / eigenvalues.sum()
    wanted = np.sqrt(n * eigenvalues)
    return (U * wanted) @ Vt, (test - mean) @ (Vt.T * (wanted / s)) @ Vt
