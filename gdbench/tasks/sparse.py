"""Sparse rows at the gate: a SciPy matrix of any format, its places checked before anything compiled follows them.

The kernels, and SciPy's own conversions between formats, read and write wherever a sparse matrix says that a value stands. Its
arrays can be replaced behind SciPy's back, and other libraries fill them; so all are checked here before anything is converted.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels.data import CSR
from gdbench.tasks.gate import check_shape, contiguous, kind_of, refuse_nonfinite
from gdbench.tasks.memory import refuse_too_large

#: Values, columns, and where each row starts among them.
Parts = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Bytes that a conversion takes for a stored value: its place twice, and the value, before and after.
A_VALUE = 48


def is_sparse(X: Any) -> bool:
    """Whether `X` is a sparse matrix or array, of SciPy or alike."""
    return hasattr(type(X), "tocsr") and hasattr(type(X), "nnz")  # asking X itself for nnz would already follow its places


def as_csr(X: Any) -> CSR:
    """A sparse matrix as CSR with sorted, unique columns; the caller's matrix is left as it is.

    Raises
    ------
    GdbenchError
        For anything but a matrix of finite numbers that all stand within its shape.
    """
    values, columns, starts = csr_parts(X)
    if not is_canonical(starts, columns):
        from scipy.sparse import csr_array

        refuse_too_large("sorting X", A_VALUE * values.size)
        matrix = csr_array((values.copy(), columns.copy(), starts.copy()), shape=X.shape)
        matrix.has_sorted_indices = matrix.has_canonical_format = False
        matrix.sum_duplicates()
        values, columns, starts = matrix.data, matrix.indices, matrix.indptr
    refuse_nonfinite("X", values)
    return CSR(values, columns.view(f"u{columns.itemsize}"), starts, int(X.shape[1]))


def as_sound(X: Any) -> Any:
    """A sparse matrix by rows for other libraries: X itself where it is sound CSR of numbers, else its checked rows.

    Raises
    ------
    GdbenchError
        Where a value stands outside of the shape.
    """
    parts = csr_parts(X)
    if X.format == "csr" and all(a is b for a, b in zip(parts, (X.data, X.indices, X.indptr), strict=True)):
        return X
    from scipy.sparse import csr_array, csr_matrix, isspmatrix

    return (csr_matrix if isspmatrix(X) else csr_array)(parts, shape=X.shape)


def csr_parts(X: Any) -> Parts:
    """The checked arrays of a sparse matrix by rows; its own where it is CSR in the form that kernels read."""
    check_shape(X.shape)
    refuse_too_large(f"where each of the {X.shape[0]:,} rows of X starts", 8 * X.shape[0])
    reader = READERS.get(getattr(X, "format", ""))
    if reader is None:
        raise GdbenchError(f"X is a sparse matrix of a format that gdbench cannot read; choose from: {', '.join(READERS)}")
    try:
        if X.dtype.kind not in "fiub":
            raise GdbenchError(f"X must hold numbers only, not {kind_of(np.empty(0, X.dtype))}")
        with np.errstate(over="ignore"):
            return reader(X)
    except (GdbenchError, MemoryError):
        raise
    except Exception:  # its attributes are of other types, lengths or shapes than SciPy makes
        raise unsound(X) from None


def unsound(X: Any) -> GdbenchError:
    """The error for places that are none; the caller raises it."""
    return GdbenchError(f"X is no valid sparse matrix: it stores values outside of its shape {X.shape}")


def within(places: np.ndarray, size: int) -> bool:
    """Whether `places` is a list of whole numbers in 0 … size − 1."""
    if places.ndim != 1 or places.dtype.kind not in "iu":
        return False
    return places.size == 0 or bool(places.min() >= 0 and places.max() < size)


def is_canonical(starts: np.ndarray, columns: np.ndarray) -> bool:
    """Whether the columns of each row are sorted and unique."""
    rises = columns[1:] > columns[:-1]
    begins = starts[(starts > 0) & (starts < columns.size)]
    rises[begins - 1] = True
    return bool(rises.all())


def floats(values: Any) -> np.ndarray:
    """Stored values as float32 (kept) or float64, contiguous."""
    native = values.dtype.newbyteorder("=")
    return contiguous("the values of X", values, native if native == np.float32 else np.float64)


def places(array: np.ndarray) -> np.ndarray:
    """Row or column numbers as int32 (where they are so, or shorter) or int64, contiguous."""
    short = array.dtype.itemsize < 4 or array.dtype.newbyteorder("=") == np.int32
    return contiguous("the places of X", array, np.int32 if short else np.int64)


def compressed(X: Any, major: int, minor: int) -> Parts:
    """The arrays of a matrix that is compressed along an axis of length `major`, the other being `minor` long."""
    starts, stored = X.indptr, min(len(X.indices), len(X.data))
    sound = starts.shape == (major + 1,) and within(starts, stored + 1) and starts[0] == 0
    sound = sound and bool((starts[1:] >= starts[:-1]).all())
    if not sound or X.indices.ndim != 1:
        raise unsound(X)
    used = int(starts[-1])
    inner = X.indices if used == len(X.indices) else X.indices[:used]
    values = X.data if used == len(X.data) else X.data[:used]
    if not within(inner, minor):
        raise unsound(X)
    columns, begins = places(inner), places(starts)
    if columns.dtype != begins.dtype:  # as SciPy keeps them: of one type
        columns, begins = (contiguous("the places of X", part, np.int64) for part in (columns, begins))
    return floats(values), columns, begins


def _from_csr(X: Any) -> Parts:
    if X.data.ndim != 1:
        raise unsound(X)
    return compressed(X, *X.shape)


def _from_csc(X: Any) -> Parts:
    from scipy.sparse import csc_array

    if X.data.ndim != 1:
        raise unsound(X)
    parts = compressed(X, X.shape[1], X.shape[0])
    return converted(csc_array(parts, shape=X.shape), parts[0].size)


def _from_bsr(X: Any) -> Parts:
    from scipy.sparse import bsr_array

    _, high, wide = X.data.shape
    if high < 1 or wide < 1 or X.shape[0] % high or X.shape[1] % wide:
        raise unsound(X)
    parts = compressed(X, X.shape[0] // high, X.shape[1] // wide)
    return converted(bsr_array(parts, shape=X.shape, blocksize=(high, wide)), parts[0].size)


def _from_coo(X: Any) -> Parts:
    rows, columns = X.coords
    return stored_at(X, rows, columns, X.data)


def _from_dia(X: Any) -> Parts:
    n, d = X.shape
    offsets, diagonals = X.offsets, floats(X.data)
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or diagonals.ndim != 2 or len(offsets) != len(diagonals):
        raise unsound(X)
    ranges = [(max(0, k), min(diagonals.shape[1], d, n + k), k) for k in offsets.tolist()]
    refuse_too_large("X without its zeros", A_VALUE * sum(max(0, last - first) for first, last, _ in ranges))
    columns = [np.arange(first, max(first, last)) for first, last, _ in ranges]
    rows = [column - k for column, (_, _, k) in zip(columns, ranges, strict=True)]
    values = [diagonals[i, column] for i, column in enumerate(columns)]
    if not columns:
        return stored_at(X, np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, diagonals.dtype))
    stored = np.concatenate(values)
    kept = stored != 0
    return stored_at(X, np.concatenate(rows)[kept], np.concatenate(columns)[kept], stored[kept])


def _from_lil(X: Any) -> Parts:
    lengths = [len(row) for row in X.rows]
    if len(lengths) != X.shape[0] or lengths != [len(row) for row in X.data]:
        raise unsound(X)
    columns = whole_numbers(list(chain.from_iterable(X.rows)))
    values = np.array(list(chain.from_iterable(X.data)), dtype=X.dtype)
    return stored_at(X, np.repeat(np.arange(len(lengths)), lengths), columns, values)


def _from_dok(X: Any) -> Parts:
    pairs = list(X.keys())
    rows, columns = (whole_numbers([pair[axis] for pair in pairs]) for axis in (0, 1))
    if any(len(pair) != 2 for pair in pairs):
        raise unsound(X)
    return stored_at(X, rows, columns, np.array(list(X.values()), dtype=X.dtype))


def whole_numbers(numbers: list) -> np.ndarray:
    """The numbers as an array; of no whole ones it is not a kind that :func:`within` takes."""
    return np.array(numbers) if numbers else np.empty(0, np.int32)


def stored_at(X: Any, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> Parts:
    """The parts of a matrix that names the row and the column of each of its values."""
    from scipy.sparse import coo_array

    sound = within(rows, X.shape[0]) and within(columns, X.shape[1])
    if not sound or values.ndim != 1 or not rows.size == columns.size == values.size:
        raise unsound(X)
    index = np.int32 if max(X.shape) <= np.iinfo(np.int32).max else np.int64
    where = tuple(contiguous("the places of X", axis, index) for axis in (rows, columns))
    return converted(coo_array((floats(values), where), shape=X.shape), values.size)


def converted(matrix: Any, stored: int) -> Parts:
    """The parts by rows of a checked matrix of another format."""
    refuse_too_large("X by rows", A_VALUE * stored + 8 * matrix.shape[0])
    rows = matrix.tocsr()
    return rows.data, rows.indices, rows.indptr


READERS: dict[str, Callable[[Any], Parts]] = {
    "csr": _from_csr,
    "csc": _from_csc,
    "coo": _from_coo,
    "bsr": _from_bsr,
    "dia": _from_dia,
    "lil": _from_lil,
    "dok": _from_dok,
}
